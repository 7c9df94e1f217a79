// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package compare

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

const (
	benchTxs     = 1500 // in the pending block
	benchClients = 4    // connections that call at the same time
	benchCalls   = 400  // of each client in a round
	benchRounds  = 7    // of each tag, in turns
)

// eth_call at pending against the same call at latest, through HTTP, on a follower that has a large
// pending block. Rounds alternate, and the ratio is that of the medians.
func BenchmarkCallAtPending(b *testing.B) {
	n := newNetwork(b, 1, 100_000_000)
	args, _ := n.begin()
	n.seal(n.await().PayloadID, args) // so that there is a latest block that is not the genesis
	for nonce := range uint64(benchTxs) {
		tx := n.chain.Transfer(7, nonce, 1)
		require.NoError(b, n.sequencer.eth.TxPool().Add([]*types.Transaction{tx}, true)[0])
	}
	require.NoError(b, n.sequencer.eth.TxPool().Sync())
	_, fb := n.begin()
	follower := n.followers[0]
	follower.catchUp()
	for fb.Index < uint64(2*time.Second/interval) {
		fb = n.await() // to the end of the slot
	}
	require.Greater(b, len(n.txs), benchTxs)
	require.NotNil(b, follower.record(fb, nil))

	client := dial(b, follower.stack.HTTPEndpoint())
	call := object{"from": n.chain.Addrs[6], "to": testchain.StorageAddr, "data": hexutil.Encode(testchain.Words(2, 7))}
	rounds := map[string][]time.Duration{}
	for b.Loop() {
		clear(rounds)
		for range benchRounds {
			for _, tag := range []string{"latest", "pending"} {
				rounds[tag] = append(rounds[tag], callMany(b, client, call, tag))
			}
		}
	}
	var count string
	require.NoError(b, client.CallContext(b.Context(), &count, "eth_getBlockTransactionCountByNumber", "pending"))
	require.Equal(b, hexutil.EncodeUint64(uint64(len(n.txs))), count)
	median := func(tag string) float64 {
		slices.Sort(rounds[tag])
		return rounds[tag][len(rounds[tag])/2].Seconds()
	}
	total := float64(benchClients * benchCalls)
	b.ReportMetric(total/median("pending"), "pending-calls/s")
	b.ReportMetric(total/median("latest"), "latest-calls/s")
	b.ReportMetric(median("latest")/median("pending"), "pending/latest")
	b.ReportMetric(0, "ns/op")
}

// callMany makes many calls and returns how long they took.
func callMany(b *testing.B, client *rpc.Client, call object, tag string) time.Duration {
	b.Helper()
	var wg sync.WaitGroup
	begin := time.Now()
	for range benchClients {
		wg.Go(func() {
			for range benchCalls {
				var out hexutil.Bytes
				if err := client.CallContext(context.WithoutCancel(b.Context()), &out, "eth_call", call, tag); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(begin)
}
