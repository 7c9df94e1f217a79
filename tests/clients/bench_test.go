// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package clients

import (
	"context"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
)

const (
	benchSamples = 400                   // transactions that are measured
	benchLoad    = 100                   // transactions per second beside them
	benchPause   = 50 * time.Millisecond // between two of them, on average: they come at every moment of an interval
)

// From the submission of a transaction at the sequencer until its receipt is served by the follower, in
// flashblock intervals. The moments of submission are random.
func BenchmarkPreconfirmation(b *testing.B) {
	var (
		n         = boot(b, benchLoad)
		nodes     = n.nodes()
		sequencer = nodes[0].dial(b)
		follower  = nodes[1].dial(b)
		hashes    = make(chan common.Hash, 4096)
	)
	key, err := crypto.HexToECDSA(n.ends.Keys[0][2:])
	require.NoError(b, err)
	sub, err := follower.Client().EthSubscribe(b.Context(), hashes, "newFlashblockTransactions")
	require.NoError(b, err)
	defer sub.Unsubscribe()

	var (
		mu        sync.Mutex
		sent      = make(map[common.Hash]time.Time)
		latencies []float64
		nonce     uint64
		signer    = types.LatestSignerForChainID(new(big.Int).SetUint64(n.ends.ChainID))
	)
	submit := func() {
		tx, err := types.SignNewTx(key, signer, &types.DynamicFeeTx{
			ChainID: signer.ChainID(), Nonce: nonce, Gas: 100_000, To: &token, Value: new(big.Int), Data: transferCall(false),
			GasTipCap: big.NewInt(params.GWei), GasFeeCap: big.NewInt(100 * params.GWei),
		})
		require.NoError(b, err)
		nonce++
		mu.Lock()
		sent[tx.Hash()] = time.Now()
		mu.Unlock()
		require.NoError(b, sequencer.SendTransaction(b.Context(), tx))
	}
	for b.Loop() {
		done, cancel := context.WithTimeout(b.Context(), benchSamples*benchPause+patience)
		var wg sync.WaitGroup
		wg.Go(func() {
			latencies = nil
			for len(latencies) < benchSamples {
				select {
				case hash := <-hashes:
					mu.Lock()
					begin, ok := sent[hash]
					mu.Unlock()
					if !ok {
						continue
					}
					if _, err := follower.TransactionReceipt(done, hash); err != nil {
						b.Errorf("a receipt of what the follower has told of: %v", err)
						return
					}
					latencies = append(latencies, float64(time.Since(begin))/float64(n.Config().Interval))
				case <-done.Done():
					b.Errorf("only %d of %d transactions were preconfirmed", len(latencies), benchSamples)
					return
				}
			}
		})
		for range benchSamples {
			submit()
			<-time.After(time.Duration(rand.Int64N(int64(2 * benchPause))))
		}
		wg.Wait()
		cancel()
	}
	slices.Sort(latencies)
	require.Len(b, latencies, benchSamples)
	b.ReportMetric(latencies[benchSamples/2], "p50/interval")
	b.ReportMetric(latencies[benchSamples*99/100], "p99/interval")
	b.ReportMetric(0, "ns/op")
}
