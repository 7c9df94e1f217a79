// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package compare

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// heard is what a stream has published under one payload id.
type heard struct {
	number uint64
	txs    []common.Hash
	counts []int // transactions up to each index
}

// listener keeps what a stream publishes, so that what a node says of its position need not be believed.
type listener struct {
	mu   sync.Mutex
	byID map[engine.PayloadID]*heard
}

// listen follows a stream until the end of the test.
func listen(t testing.TB, url string) *listener {
	t.Helper()
	l := &listener{byID: make(map[engine.PayloadID]*heard)}
	sub := stream.NewSubscriber(stream.SubscriberConfig{URL: url + "?from=current", Name: "listener", Handler: l.hear, Queue: 4096})
	require.NoError(t, sub.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := sub.Stop(ctx); err != nil {
			t.Errorf("stop the listener: %v", err)
		}
	})
	return l
}

func (l *listener) hear(d stream.Delivery) {
	fb, _, err := flashblocks.Decode(d.JSON, flashblocks.Limits{})
	if err != nil {
		return // its position is never found, so nothing is compared with it
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.byID[fb.PayloadID]
	if h == nil {
		h = &heard{number: fb.Metadata.BlockNumber}
		l.byID[fb.PayloadID] = h
	}
	if uint64(len(h.counts)) != fb.Index {
		return
	}
	for _, raw := range fb.Diff.Transactions {
		h.txs = append(h.txs, crypto.Keccak256Hash(raw))
	}
	h.counts = append(h.counts, len(h.txs))
}

// count returns how many transactions a payload had at an index.
func (l *listener) count(id engine.PayloadID, index uint64) (int, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.byID[id]
	if h == nil || index >= uint64(len(h.counts)) {
		return 0, false
	}
	return h.counts[index], true
}

// newest returns the last transaction that a payload had at an index, if it has any.
func (l *listener) newest(id engine.PayloadID, index uint64) []common.Hash {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.byID[id]
	if h == nil || index >= uint64(len(h.counts)) || h.counts[index] == 0 {
		return nil
	}
	return h.txs[h.counts[index]-1 : h.counts[index]]
}

// payload finds the payload id under which a canonical block was published.
func (l *listener) payload(block *types.Block) (engine.PayloadID, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, h := range l.byID {
		if h.number != block.NumberU64() || len(h.txs) != len(block.Transactions()) {
			continue
		}
		same := true
		for i, tx := range block.Transactions() {
			same = same && tx.Hash() == h.txs[i]
		}
		if same {
			return id, true
		}
	}
	return engine.PayloadID{}, false
}
