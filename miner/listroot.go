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

// ListRoot computes the root of a growing list (transactions or receipts). Hashing after an append costs
// what the new items cost, not what the list costs, unlike types.DeriveSha. It is not safe for concurrent
// use.
type ListRoot struct {
	trie *trie.Trie
	len  int
	buf  bytes.Buffer
	err  error
}

// NewListRoot returns the root of the empty list.
func NewListRoot() *ListRoot {
	return &ListRoot{trie: trie.NewEmpty(triedb.NewDatabase(rawdb.NewMemoryDatabase(), nil))}
}

// Extend inserts the items of list that are not in it yet.
func (l *ListRoot) Extend(list types.DerivableList) {
	for ; l.len < list.Len(); l.len++ {
		l.buf.Reset()
		list.EncodeIndex(l.len, &l.buf)
		if err := l.trie.Update(rlp.AppendUint64(nil, uint64(l.len)), bytes.Clone(l.buf.Bytes())); err != nil && l.err == nil {
			l.err = err
		}
	}
}

// Hash returns the root of what was inserted.
func (l *ListRoot) Hash() (common.Hash, error) { return l.trie.Hash(), l.err }

// encodedList is a list of items that are encoded already.
type encodedList [][]byte

// Len implements types.DerivableList.
func (l encodedList) Len() int { return len(l) }

// EncodeIndex implements types.DerivableList.
func (l encodedList) EncodeIndex(i int, w *bytes.Buffer) { w.Write(l[i]) }
