// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// BenchmarkForkchoiceWithAttributes measures the answer to a forkchoice update with attributes over RPC,
// decoding included, by turns on a node of ours and on op-geth's. Every update names a new payload, and
// is followed by its getPayload, so that nothing builds while the clock runs. One op is one pair.
func BenchmarkForkchoiceWithAttributes(b *testing.B) {
	for _, deposits := range []int{1, 50} {
		b.Run(fmt.Sprintf("deposits=%d", deposits), func(b *testing.B) {
			compareForkchoice(b, func(n *testNode, seq int) time.Duration { return timeForkchoice(b, n, seq, deposits, false) })
		})
	}
}

// BenchmarkForkchoiceNoTxPool does the same with a payload without the pool, and measures its getPayload too.
func BenchmarkForkchoiceNoTxPool(b *testing.B) {
	for _, deposits := range []int{1, 50} {
		b.Run(fmt.Sprintf("deposits=%d", deposits), func(b *testing.B) {
			compareForkchoice(b, func(n *testNode, seq int) time.Duration { return timeForkchoice(b, n, seq, deposits, true) })
		})
	}
}

// compareForkchoice measures by turns on a node of ours and on op-geth's.
func compareForkchoice(b *testing.B, measure func(n *testNode, seq int) time.Duration) {
	b.Helper()
	ours, theirs := newNode(b, ethtest.Jovian, enabled), newNode(b, ethtest.Jovian, stock)
	for i := range 20 { // warm both up
		measure(ours, i)
		measure(theirs, i)
	}
	var mine, stocks []time.Duration
	for i := 0; b.Loop(); i++ {
		// Whoever comes second finds warmer caches, so take turns.
		if i%2 == 0 {
			mine = append(mine, measure(ours, 100+i))
			stocks = append(stocks, measure(theirs, 100+i))
		} else {
			stocks = append(stocks, measure(theirs, 100+i))
			mine = append(mine, measure(ours, 100+i))
		}
	}
	slices.Sort(mine)
	slices.Sort(stocks)
	for _, q := range []int{50, 99} {
		at := len(mine) * q / 100
		b.ReportMetric(float64(mine[at].Microseconds()), fmt.Sprintf("p%d-µs", q))
		b.ReportMetric(float64(stocks[at].Microseconds()), fmt.Sprintf("stock-p%d-µs", q))
		b.ReportMetric(float64(mine[at])/float64(stocks[at]), fmt.Sprintf("p%d-ratio", q))
	}
}

// timeForkchoice times one forkchoice update with attributes and finishes its payload, which is timed as well if it is
// one without the pool.
func timeForkchoice(b *testing.B, n *testNode, seq, deposits int, noTxPool bool) time.Duration {
	b.Helper()
	txs := make([]string, deposits)
	for i := range txs {
		txs[i] = ethtest.HexBytes(ethtest.Jovian.L1Info(uint64(seq*deposits + i)))
	}
	// What the client marshals is made before the clock starts.
	attrs, err := json.Marshal(ethtest.Jovian.Attributes(ethtest.GenesisTime, 0).With(object{
		"transactions": txs, "noTxPool": noTxPool, "gasLimit": ethtest.HexUint(100_000_000), // the block has gas for all deposits
	}))
	require.NoError(b, err)
	state, err := json.Marshal(ethtest.Head(n.GenesisHash()))
	require.NoError(b, err)

	begin := time.Now()
	got := n.Call("engine_forkchoiceUpdatedV3", json.RawMessage(state), json.RawMessage(attrs))
	took := time.Since(begin)

	var res engine.ForkChoiceResponse
	got.Into(b, &res)
	begin = time.Now()
	env := n.Payload(*res.PayloadID)
	if noTxPool {
		took += time.Since(begin)
	}
	require.Len(b, env.ExecutionPayload.Transactions, deposits)
	return took
}
