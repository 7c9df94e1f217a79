// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// The mode gauge has rollup-boost's numbers.
func TestModeGauge(t *testing.T) {
	t.Parallel()
	modes := NewModes(params.ModeEnabled)
	require.InDelta(t, 3, modes.gauge(), 0)
	modes.SetMode(params.ModeDryRun)
	require.InDelta(t, 2, modes.gauge(), 0)
	modes.SetMode(params.ModeDisabled)
	require.InDelta(t, 1, modes.gauge(), 0)
}

// In mode disabled the builder hears nothing at all (F18).
func TestDisabled(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false))
	r.modes.SetMode(params.ModeDisabled)
	before := len(r.builder.Asked(""))
	require.Equal(t, eltest.BuilderHash, eltest.HashOf(r.payload()), "what was published is kept all the same")
	r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...)
	r.call("engine_newPayloadV4", map[string]any{"blockHash": eltest.LocalHash}, []any{}, eltest.Beacon, []any{})
	r.l2.On("eth_sendRawTransaction", common.Hash{1})
	r.call("eth_sendRawTransaction", "0x02")
	r.l2.On("miner_setMaxDASize", true)
	r.call("miner_setMaxDASize", "0x1", "0x2")
	require.Len(t, r.builder.Asked(""), before)
	require.False(t, r.rounds.Reorged())
}

// A switch in the middle of a block stops its stream at once, and breaks no preconfirmation: in dry-run the block is
// finished as it was begun, in mode disabled without another word to the builder. A block of which nobody saw
// anything is the local one.
func TestSwitchInMidRound(t *testing.T) {
	t.Parallel()
	cut := eltest.Sealed(eltest.Flashblocks(eltest.BuilderID, 2, false)).BlockHash
	for _, tc := range []struct {
		to        params.ExecutionMode
		roots     string
		published int
		want      common.Hash
		rebuilt   int // flashblocks in the block that the local execution layer makes of transactions
	}{
		{params.ModeDryRun, "zero", 2, eltest.BuilderHash, 0},
		{params.ModeDryRun, "streamed", 2, eltest.BuilderHash, 0},
		{params.ModeDryRun, "external", 2, eltest.BuilderHash, 3},
		{params.ModeDryRun, "zero", 0, eltest.LocalHash, 0},
		{params.ModeDryRun, "streamed", 0, eltest.LocalHash, 0},
		{params.ModeDisabled, "zero", 2, cut, 2},
		{params.ModeDisabled, "streamed", 2, cut, 0},
		{params.ModeDisabled, "external", 2, cut, 2},
		{params.ModeDisabled, "zero", 0, eltest.LocalHash, 0},
		{params.ModeDisabled, "streamed", 0, eltest.LocalHash, 0},
		{params.ModeDisabled, "external", 0, eltest.LocalHash, 0},
	} {
		t.Run(fmt.Sprintf("%s, roots %s, %d published", tc.to, tc.roots, tc.published), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *Config) { c.ExternalStateRoot = tc.roots == "external" })
			r.l2.RebuildsTo(tc.rebuilt)
			r.begin()
			list := eltest.Flashblocks(eltest.BuilderID, 3, tc.roots == "streamed")
			r.deliver(list[:tc.published])
			r.modes.SetMode(tc.to)
			r.deliver(list[tc.published:])
			if tc.to == params.ModeDisabled {
				// op-node may ask again for the same.
				require.Nil(t, r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...).Error)
			}
			told := len(r.builder.Asked(""))
			require.Equal(t, tc.want, eltest.HashOf(r.payload()))
			require.Equal(t, tc.rebuilt > 0, r.l2.HasRebuilt())
			if tc.to == params.ModeDisabled {
				require.Len(t, r.builder.Asked(""), told, "the builder is out")
				require.Empty(t, r.watch.Builds(), "and its health is nobody's concern")
			}
			count, notices := r.rounds.Published()
			require.Equal(t, tc.published, count)
			require.Equal(t, tc.published > 0, strings.Contains(strings.Join(notices, ""), `"sealed":true`))
			require.False(t, r.rounds.Reorged())

			// And back: the id has its answer.
			r.modes.SetMode(params.ModeEnabled)
			require.Equal(t, tc.want, eltest.HashOf(r.payload()))
		})
	}
}

// What the local execution layer begins to build alone takes the place of what was being built with the builder.
func TestDisabledReplacesRound(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 2, false))
	r.modes.SetMode(params.ModeDisabled)
	other := engine.PayloadID{0x03, 0x77}
	r.l2.On(engineapi.ForkchoiceUpdated, eltest.Forkchoice(engine.VALID, &other))
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...).Error)
	r.modes.SetMode(params.ModeEnabled)
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false)[2:])
	count, _ := r.rounds.Published()
	require.Equal(t, 2, count, "nothing is published of what was replaced")
	require.True(t, r.rounds.Reorged())
}
