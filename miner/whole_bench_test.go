// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
)

// BenchmarkExact compares a payload without the pool, from its attributes to its fetched block, with op-geth's.
// Both build the same attributes, in turns.
func BenchmarkExact(b *testing.B) {
	const accounts = 500
	for _, users := range []int{0, 50, 1_400} {
		b.Run(fmt.Sprintf("txs=%d", users+1), func(b *testing.B) {
			h := newHarness(b, harnessConfig{fork: jovian, accounts: accounts})
			stock := h.stock(time.Hour)
			base := h.attributes(h.chain.CurrentBlock())
			base.NoTxPool = true
			for i := range users {
				base.Transactions = append(base.Transactions, h.transfer(i%accounts, uint64(i/accounts), 5))
			}
			var ours, theirs []time.Duration
			for n := range b.N {
				args := *base
				args.Random = common.Hash{31: byte(n), 30: byte(n >> 8), 29: byte(n >> 16)}
				measureOurs := func() {
					start := time.Now()
					id, err := h.builder.BuildPayload(&args, Options{})
					require.NoError(b, err)
					_, err = h.builder.GetPayload(id)
					require.NoError(b, err)
					ours = append(ours, time.Since(start))
				}
				measureTheirs := func() {
					start := time.Now()
					payload, err := stock.BuildPayload(context.Background(), &args, false)
					require.NoError(b, err)
					require.NotNil(b, payload.Resolve())
					theirs = append(theirs, time.Since(start))
				}
				if n%2 == 0 {
					measureOurs()
					measureTheirs()
				} else {
					measureTheirs()
					measureOurs()
				}
			}
			slices.Sort(ours)
			slices.Sort(theirs)
			at := func(sorted []time.Duration, q float64) float64 { return float64(sorted[int(q*float64(len(sorted)-1))]) }
			b.ReportMetric(at(ours, 0.5)/at(theirs, 0.5), "p50-ratio")
			b.ReportMetric(at(ours, 0.95)/at(theirs, 0.95), "p95-ratio")
			b.ReportMetric(at(ours, 0.5)/1e6, "ours-p50-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}
