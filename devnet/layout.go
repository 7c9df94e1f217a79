// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// markerFile identifies a directory that a devnet created, and that a later one may empty.
const markerFile = ".flashgeth-devnet"

// layout is the directory of one devnet run.
type layout struct {
	root      string
	temporary bool // removed after a clean stop
}

// newLayout prepares dir, or a temporary directory when it is empty. A directory that holds anything
// but an earlier devnet is refused: its content would be mixed with ours.
func newLayout(dir string) (*layout, error) {
	if dir == "" {
		root, err := os.MkdirTemp("", "flashgeth-devnet-")
		if err != nil {
			return nil, fmt.Errorf("create a temporary directory: %w", err)
		}
		return &layout{root: root, temporary: true}, nil
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("resolve the data directory: %w", err)
	}
	if err := clearDevnet(root); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("create the data directory: %w", err)
	}
	if err := os.WriteFile(filepath.Join(root, markerFile), nil, 0o600); err != nil {
		return nil, fmt.Errorf("mark the data directory: %w", err)
	}
	return &layout{root: root}, nil
}

// clearDevnet empties root if an earlier devnet left it, and refuses other content.
func clearDevnet(root string) error {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && len(entries) == 0) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the data directory: %w", err)
	}
	if _, err := os.Stat(filepath.Join(root, markerFile)); err != nil {
		return fmt.Errorf("the data directory %s is not empty and holds no earlier devnet: choose another", root)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(root, entry.Name())); err != nil {
			return fmt.Errorf("remove the earlier devnet: %w", err)
		}
	}
	return nil
}

// path returns the path of name in the directory.
func (l *layout) path(name string) string {
	return filepath.Join(l.root, name)
}

// logPath returns the path of a process's log.
func (l *layout) logPath(process string) string {
	return l.path(process + ".log")
}

// writeChain writes genesis, rollup configuration and secrets for the processes.
func (l *layout) writeChain(spec *chainSpec, keys accounts) error {
	files := map[string]any{
		"l1-genesis.json": spec.l1,
		"genesis.json":    spec.l2,
		"rollup.json":     spec.rollup,
	}
	for name, content := range files {
		data, err := json.Marshal(content)
		if err != nil {
			return fmt.Errorf("encode %s: %w", name, err)
		}
		if err := os.WriteFile(l.path(name), data, 0o600); err != nil {
			return err
		}
	}
	var secret [32]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return fmt.Errorf("draw the JWT secret: %w", err)
	}
	if err := os.WriteFile(l.path("jwt.hex"), []byte(hex.EncodeToString(secret[:])), 0o600); err != nil {
		return err
	}
	return os.WriteFile(l.path("sequencer.key"), []byte(keys.sequencer.hexKey()), 0o600)
}

// remove deletes a temporary directory; one that the caller chose stays.
func (l *layout) remove() error {
	if !l.temporary {
		return nil
	}
	return os.RemoveAll(l.root)
}
