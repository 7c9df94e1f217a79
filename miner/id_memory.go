// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/log"
)

// keptIDs is how many payload ids are remembered. A process that ends loses what it has published of
// one payload, and op-geth may lose the last few blocks; thirty slots are far more than both.
const keptIDs = 30

// idMemory remembers, also beyond the end of the process, the ids under which payloads were begun. An id
// depends on the attributes alone. Attributes that come again for a payload that was abandoned, or that
// the process before this one has begun and forgotten, give another block; it needs another id too, or
// subscribers would take its flashblocks for those of the first.
type idMemory struct {
	path string             // empty if nothing is kept beyond the process
	ids  []engine.PayloadID // oldest first, at most keptIDs
}

// openIDMemory reads what earlier processes have left at path. No file is an empty memory.
func openIDMemory(path string) (*idMemory, error) {
	m := &idMemory{path: path}
	if path == "" {
		return m, nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // the path is the node's own
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the ids of published payloads: %w", err)
	}
	for len(data) >= len(engine.PayloadID{}) {
		id := engine.PayloadID(data[:len(engine.PayloadID{})])
		data = data[len(id):]
		m.ids = append(m.ids, id)
	}
	return m, nil
}

// fresh returns id, or another one of the same version if a payload was begun under it.
func (m *idMemory) fresh(id engine.PayloadID) engine.PayloadID {
	version := id[0]
	for slices.Contains(m.ids, id) {
		digest := sha256.Sum256(id[:])
		copy(id[:], digest[:])
		id[0] = version
	}
	return id
}

// add records an id before anything is published under it. It is one small write, which survives the
// end of the process at any moment. A failure is no reason to miss a slot.
func (m *idMemory) add(id engine.PayloadID) {
	m.ids = append(m.ids, id)
	m.ids = m.ids[max(len(m.ids)-keptIDs, 0):]
	if m.path == "" {
		return
	}
	data := make([]byte, 0, len(m.ids)*len(id))
	for _, kept := range m.ids {
		data = append(data, kept[:]...)
	}
	if err := overwrite(m.path, data); err != nil {
		log.Warn("Cannot remember the id of a payload", "id", id, "path", m.path, "err", err)
	}
}

// overwrite puts data at the start of a file, which is never longer. It does not truncate: the file is
// whole at every moment.
func overwrite(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600) //nolint:gosec // the path is the node's own
	if err != nil {
		return err
	}
	_, err = file.WriteAt(data, 0)
	return errors.Join(err, file.Close())
}
