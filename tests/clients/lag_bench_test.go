// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package clients

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

const (
	lagLoad    = 3 * benchLoad // transactions per second
	lagReaders = 4             // clients that ask as fast as they are answered
	lagAnswers = 20_000
)

// floor is the flashblock that an answer must not be behind: the one before the newest that the stream has
// brought, as the newest may be in execution.
type floor struct {
	newest, before atomic.Pointer[flashblocks.FlashblockID]
}

func (f *floor) hear(d stream.Delivery) {
	f.before.Store(f.newest.Load())
	f.newest.Store(&flashblocks.FlashblockID{BlockNumber: d.BlockNumber, Index: d.Index})
}

// Under three times the load, and with readers that never pause, no answer at pending is behind what was
// received.
func BenchmarkLag(b *testing.B) {
	var (
		n    = boot(b, lagLoad)
		at   = n.nodes()[1]
		seen floor
	)
	sub := stream.NewSubscriber(stream.SubscriberConfig{URL: n.ends.FlashblocksWS, Name: "floor", Handler: seen.hear, Queue: 4096})
	require.NoError(b, sub.Start(context.WithoutCancel(b.Context())))
	defer func() { require.NoError(b, sub.Stop(context.Background())) }()
	require.Eventually(b, func() bool { return seen.before.Load() != nil }, patience, poll)

	var answers, behind atomic.Int64
	for b.Loop() {
		answers.Store(0)
		behind.Store(0)
		var wg sync.WaitGroup
		for range lagReaders {
			client := at.dial(b).Client()
			wg.Go(func() {
				for answers.Add(1) <= lagAnswers {
					late, err := isBehind(b.Context(), client, seen.before.Load())
					if err != nil {
						b.Error(err)
						return
					}
					if late {
						behind.Add(1)
					}
				}
			})
		}
		wg.Wait()
	}
	accepted, rejected := n.load.Counts()
	b.Logf("%d transactions were accepted, %d rejected", accepted, rejected)
	b.ReportMetric(float64(behind.Load()), "behind")
	b.ReportMetric(lagAnswers, "answers")
	b.ReportMetric(0, "ns/op")
}

// isBehind asks for an answer at pending with its position, and compares that with what was received before.
func isBehind(ctx context.Context, client *rpc.Client, floor *flashblocks.FlashblockID) (bool, error) {
	var (
		read struct{ Position *position }
		head hexutil.Uint64
	)
	call := map[string]any{"method": "eth_getBlockByNumber", "params": []any{"pending", false}}
	batch := []rpc.BatchElem{
		{Method: "flashblocks_read", Args: []any{call}, Result: &read},
		{Method: "eth_blockNumber", Result: &head},
	}
	if err := client.BatchCallContext(ctx, batch); err != nil {
		return false, err
	}
	if batch[1].Error != nil {
		return false, batch[1].Error
	}
	if at := read.Position; at != nil {
		return uint64(at.BlockNumber) < floor.BlockNumber || uint64(at.BlockNumber) == floor.BlockNumber && uint64(at.Index) < floor.Index, nil
	}
	return uint64(head) < floor.BlockNumber, batch[0].Error // pending was latest
}
