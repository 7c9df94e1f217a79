// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/node"
)

// Closed notes in the journal of a node that the node has closed its database in good order, so that the next start need
// not look for what was lost. It is called when the node is closed. A node that could not bring its states to the disk has not
// closed in good order, whatever it says.
func Closed(stack *node.Node) error {
	if stack.InstanceDir() == "" {
		return nil
	}
	dir := stack.ResolvePath(journalDir)
	journal, err := readContents(dir)
	if err != nil {
		return err
	}
	if len(journal.segments) == 0 || journal.stopping == "" {
		return nil
	}
	if journal.stopping == rawdb.PathScheme {
		kept, err := keptLayers(journal, layersPath(stack))
		if err != nil {
			return err
		}
		if !kept {
			log.Error("The newest states were not brought to the disk: the next start makes them again")
			return nil
		}
	}
	return markClosed(journal, layersSize(stack))
}

// layersPath is where the path database writes the states that it has in memory when it is closed.
func layersPath(stack *node.Node) string {
	return filepath.Join(stack.ResolvePath("triedb"), "merkle.journal")
}

// layersSize returns the size of that file, 0 if there is none.
func layersSize(stack *node.Node) uint64 {
	info, err := os.Stat(layersPath(stack))
	if err != nil {
		return 0
	}
	return uint64(info.Size())
}

// Forget removes the journal of a node that is going to run without one, as what it says would soon be wrong, and what
// [Prepare] has put into the chain for it.
func Forget(stack *node.Node, chain *core.BlockChain) error {
	if stack.InstanceDir() == "" {
		return nil
	}
	unwatch(stack.ResolvePath(journalDir), chain)
	if err := os.RemoveAll(stack.ResolvePath(journalDir)); err != nil {
		return fmt.Errorf("remove the restart journal: %w", err)
	}
	return nil
}

// keptLayers tells whether the path database has written its layers in memory after the node began to stop.
func keptLayers(journal *contents, layers string) (bool, error) {
	newest, err := os.Stat(segmentPath(journal.dir, journal.segments[len(journal.segments)-1]))
	if err != nil {
		return false, fmt.Errorf("close the restart journal: %w", err)
	}
	written, err := os.Stat(layers)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("close the restart journal: %w", err)
	}
	return !written.ModTime().Before(newest.ModTime()), nil
}

// markClosed leaves one segment, which says what the heads are, which blocks may become the head, and that nothing else is
// lost as long as the file of the newest states has its size.
func markClosed(journal *contents, layers uint64) error {
	record := headsRecord(journal.heads)
	for _, hash := range journal.newest(maxChildren) {
		if block := journal.block(hash); block != nil {
			encoded, err := blockRecord(block)
			if err != nil {
				return err
			}
			record = append(record, encoded...)
		}
	}
	record = append(record, closedRecord(layers)...)
	number := uint64(1)
	if n := len(journal.segments); n > 0 {
		number = journal.segments[n-1] + 1
	}
	if err := os.MkdirAll(journal.dir, 0o700); err != nil {
		return fmt.Errorf("close the restart journal: %w", err)
	}
	if err := os.WriteFile(segmentPath(journal.dir, number), record, 0o600); err != nil {
		return fmt.Errorf("close the restart journal: %w", err)
	}
	for _, number := range journal.segments {
		if err := os.Remove(segmentPath(journal.dir, number)); err != nil {
			return fmt.Errorf("close the restart journal: %w", err)
		}
	}
	return nil
}
