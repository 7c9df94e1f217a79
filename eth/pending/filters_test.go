// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/eth/gasprice"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
)

// chosenSnapshots is the pending state that a test chooses.
type chosenSnapshots struct {
	Source
	chosen *overlay.Snapshot
}

// Snapshot implements Source.
func (c *chosenSnapshots) Snapshot() *overlay.Snapshot { return c.chosen }

// pendingBound is the pending block as a bound of a filter.
var pendingBound = big.NewInt(rpc.PendingBlockNumber.Int64())

// placesOf is places for logs as the API has them.
func placesOf(logs []*types.Log) []string {
	values := make([]types.Log, len(logs))
	for i, log := range logs {
		values[i] = *log
	}
	return places(values)
}

// filterPoll is one poll of a filter on a snapshot, and what it has to tell.
type filterPoll struct {
	at   *overlay.Snapshot
	want []string
}

// A filter tells every log once whichever way the head and the snapshot are apart: the overlay is told of a
// canonical block later than the chain has it, or before.
func TestPendingFilterTellsOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.Flashblock(h.Poke())
	first := h.Processor.Snapshot()
	sealed := h.Seal()
	h.Begin()
	h.Flashblock(h.Poke())
	chained := h.Processor.Snapshot()
	require.NotNil(t, chained.Parent)
	h.Flashblock(h.Poke())
	longer := h.Processor.Snapshot()
	require.NotNil(t, longer.Parent)

	tests := map[string]struct {
		before, after []filterPoll // the first block is the head
		twice         []filterPoll // the second is
	}{
		"the head comes first": {
			after: []filterPoll{{nil, []string{"0x1/0x0"}}, {chained, []string{"0x2/0x0"}}, {chained, []string{}}, {longer, []string{"0x2/0x1"}}, {nil, []string{"-0x2/0x0", "-0x2/0x1"}}},
			twice: []filterPoll{{nil, []string{"0x2/0x0", "0x2/0x1"}}},
		},
		"the snapshot falls back and forth": {
			before: []filterPoll{{first, []string{"0x1/0x0"}}, {longer, []string{"0x2/0x0", "0x2/0x1"}}},
			after:  []filterPoll{{nil, []string{"-0x2/0x0", "-0x2/0x1"}}, {chained, []string{"0x2/0x0"}}, {longer, []string{"0x2/0x1"}}, {longer, []string{}}},
			twice:  []filterPoll{{longer, []string{}}, {nil, []string{}}, {longer, []string{}}, {nil, []string{}}},
		},
		"one behind the other": {
			before: []filterPoll{{first, []string{"0x1/0x0"}}},
			after:  []filterPoll{{longer, []string{"0x2/0x0", "0x2/0x1"}}},
			twice:  []filterPoll{{longer, []string{}}, {nil, []string{}}},
		},
	}
	polls := make(map[string]func([]filterPoll))
	for name := range tests {
		source := &chosenSnapshots{Source: h.Processor}
		b := newBackend(h.Follower.Eth, source, gasprice.Config{})
		api := newLogsAPI(b, filters.NewFilterSystem(b, filters.Config{}), &ethconfig.Defaults)
		id, err := api.NewFilter(filters.FilterCriteria{ToBlock: pendingBound})
		require.NoError(t, err)
		polls[name] = func(list []filterPoll) {
			t.Helper()
			for i, poll := range list {
				source.chosen = poll.at
				got, err := api.GetFilterChanges(t.Context(), id)
				require.NoError(t, err, "%s, poll %d", name, i)
				logs, ok := got.([]*types.Log)
				require.True(t, ok)
				require.Equal(t, poll.want, placesOf(logs), "%s, poll %d", name, i)
			}
		}
	}
	for name, tt := range tests {
		polls[name](tt.before)
	}
	h.Settle(sealed)
	for name, tt := range tests {
		polls[name](tt.after)
	}
	h.Settle(h.Seal())
	for name, tt := range tests {
		polls[name](tt.twice)
	}
}
