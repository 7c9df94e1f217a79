// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package compare

import (
	"testing"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// listener keeps what a stream publishes, so that what a node says of its position need not be believed.
type listener struct{ *harness.Recorder }

// listen follows a stream until the end of the test.
func listen(t testing.TB, url string) listener {
	t.Helper()
	return listener{harness.Record(t, url, false)}
}

// until returns the transactions that a payload at a block number had at an index, false if the stream has not
// told of all of them.
func (l listener) until(number uint64, id engine.PayloadID, index uint64) ([][]byte, bool) {
	for _, a := range l.At(number) {
		if a.ID != id || index >= uint64(len(a.Flashblocks)) {
			continue
		}
		a.Flashblocks = a.Flashblocks[:index+1]
		return a.Txs(), contiguous(&a)
	}
	return nil, false
}

// contiguous tells whether every index of an attempt was told, in order.
func contiguous(a *harness.Attempt) bool {
	for i, fb := range a.Flashblocks {
		if fb.Index != uint64(i) {
			return false
		}
	}
	return true
}

// newest returns the last transaction that a payload had at an index, if it has any.
func (l listener) newest(number uint64, id engine.PayloadID, index uint64) []common.Hash {
	txs, ok := l.until(number, id, index)
	if !ok || len(txs) == 0 {
		return nil
	}
	return []common.Hash{crypto.Keccak256Hash(txs[len(txs)-1])}
}

// payload finds the payload id under which a canonical block was published.
func (l listener) payload(block *types.Block) (engine.PayloadID, bool) {
	for _, a := range l.At(block.NumberU64()) {
		txs := a.Txs()
		if !contiguous(&a) || len(txs) != len(block.Transactions()) {
			continue
		}
		same := true
		for i, tx := range block.Transactions() {
			same = same && tx.Hash() == crypto.Keccak256Hash(txs[i])
		}
		if same {
			return a.ID, true
		}
	}
	return engine.PayloadID{}, false
}
