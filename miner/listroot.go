// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"bytes"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/ethereum/go-ethereum/trie"
	"github.com/ethereum/go-ethereum/triedb"
)

// listRoot computes the root of a growing list (transactions or receipts). Hashing after an append costs
// what the new items cost, not what the list costs, unlike types.DeriveSha.
type listRoot struct {
	trie *trie.Trie
	len  int
	buf  bytes.Buffer
	err  error
}

func newListRoot() *listRoot {
	return &listRoot{trie: trie.NewEmpty(triedb.NewDatabase(rawdb.NewMemoryDatabase(), nil))}
}

// extend inserts the items of list that are not in it yet.
func (l *listRoot) extend(list types.DerivableList) {
	for ; l.len < list.Len(); l.len++ {
		l.buf.Reset()
		list.EncodeIndex(l.len, &l.buf)
		if err := l.trie.Update(rlp.AppendUint64(nil, uint64(l.len)), bytes.Clone(l.buf.Bytes())); err != nil && l.err == nil {
			l.err = err
		}
	}
}

// hash returns the root of what was inserted.
func (l *listRoot) hash() (common.Hash, error) { return l.trie.Hash(), l.err }

// encodedList is a list of items that are encoded already.
type encodedList [][]byte

// Len implements types.DerivableList.
func (l encodedList) Len() int { return len(l) }

// EncodeIndex implements types.DerivableList.
func (l encodedList) EncodeIndex(i int, w *bytes.Buffer) { w.Write(l[i]) }
