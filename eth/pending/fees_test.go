// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"bytes"
	"context"
	"log/slog"
	"math/big"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/eth/gasprice"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/rpc"
)

// syncBuffer is a buffer that loggers of several goroutines can write to.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// Whatever part of the range is pending, the history is what it is about canonical blocks with the same
// numbers, the range ends at the same block, and asking costs no line in the log. The values are compared
// with an unmodified node's by tests/compare.
func TestFeeHistoryRanges(t *testing.T) { //nolint:paralleltest // it takes the place of the process's logger
	h := newHarness(t)
	for range 3 {
		h.Begin()
		h.Flashblock(h.Poke())
		h.Settle(h.Seal())
	}
	h.Begin()
	h.Flashblock(h.Poke())
	h.Seal() // the follower is not told: its pending block 4 becomes a pending parent
	h.Begin()
	h.Flashblock(h.Poke())
	require.EqualValues(t, 5, h.Processor.Snapshot().Number())
	require.NotNil(t, h.Processor.Snapshot().Parent)

	var (
		out  = new(syncBuffer)
		root = log.Root()
	)
	log.SetDefault(log.NewLogger(slog.NewTextHandler(out, nil)))
	defer log.SetDefault(root)
	for _, test := range []struct {
		blocks         uint64
		oldest, length int64
	}{
		{1, 5, 1}, {2, 4, 2}, {3, 3, 3}, {6, 0, 6}, {7, 0, 6}, {1000, 0, 6},
	} {
		for _, percentiles := range [][]float64{nil, {50}, {0, 50, 100}} {
			oldest, rewards, fees, ratios, blobFees, blobRatios, err := h.backend.FeeHistory(t.Context(), test.blocks, rpc.PendingBlockNumber, percentiles)
			require.NoError(t, err)
			require.Equal(t, big.NewInt(test.oldest).String(), oldest.String(), "%+v", test)
			require.Len(t, fees, int(test.length)+1)
			require.Len(t, blobFees, int(test.length)+1)
			require.Len(t, ratios, int(test.length))
			require.Len(t, blobRatios, int(test.length))
			if percentiles == nil {
				require.Nil(t, rewards)
				continue
			}
			require.Len(t, rewards, int(test.length))
			require.Len(t, rewards[len(rewards)-1], len(percentiles))
		}
	}
	_, _, _, _, _, _, err := h.backend.FeeHistory(t.Context(), 1, rpc.PendingBlockNumber, []float64{101}) //nolint:dogsled // only the error matters
	require.ErrorContains(t, err, "invalid reward percentile")
	_, _, none, _, _, _, err := h.backend.FeeHistory(t.Context(), 0, rpc.PendingBlockNumber, nil) //nolint:dogsled // as op-geth's
	require.NoError(t, err)
	require.Empty(t, none)
	require.NotContains(t, out.String(), "racle", "the gas price oracle's line per request")
	require.NotContains(t, out.String(), "Sanitizing")
}

// A node keeps the limits of its flags.
func TestFeeHistoryLimits(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.Flashblock(h.Poke())
	h.Settle(h.Seal())
	h.Begin()
	h.Flashblock(h.Poke())
	limited := *h.backend
	limited.fees = gasprice.Config{MaxHeaderHistory: 2, MaxBlockHistory: 1}
	for _, test := range []struct {
		percentiles []float64
		want        int
	}{{nil, 2}, {[]float64{50}, 1}} {
		_, _, _, ratios, _, _, err := limited.FeeHistory(context.Background(), 10, rpc.PendingBlockNumber, test.percentiles) //nolint:dogsled // only the length matters
		require.NoError(t, err)
		require.Len(t, ratios, test.want)
	}
}
