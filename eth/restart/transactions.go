// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"
)

// maxJournaled bounds the memory and the time that reading the journal costs at a start: of a larger journal
// the end counts, which holds what was submitted last.
const maxJournaled = 32 << 20 // bytes

// readJournal returns the newest transactions of op-geth's journal of local transactions, at most so many,
// in the order they were submitted in. A record that a crash has cut off ends the list. No journal is an
// empty one.
func readJournal(path string, most int) ([]*types.Transaction, error) {
	file, err := os.Open(path) //nolint:gosec // the operator's own path
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the transaction journal: %w", err)
	}
	defer file.Close()
	var (
		stream = rlp.NewStream(bufio.NewReader(file), 0)
		raws   [][]byte
		size   int
	)
	for {
		raw, err := stream.Raw()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, fmt.Errorf("read the transaction journal: %w", err)
			}
			break
		}
		raws = append(raws, raw)
		for size += len(raw); size > maxJournaled || len(raws) > most; raws = raws[1:] {
			size -= len(raws[0])
		}
	}
	txs := make([]*types.Transaction, 0, len(raws))
	for _, raw := range raws {
		tx := new(types.Transaction)
		if err := rlp.DecodeBytes(raw, tx); err != nil {
			return nil, fmt.Errorf("read the transaction journal: %w", err)
		}
		txs = append(txs, tx)
	}
	return txs, nil
}
