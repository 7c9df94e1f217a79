// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package chain

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// A build begins a round, which both sides' answers are bound to, whose number is known from the block before, and which
// is watched; the same build again is the same round.
func TestBuildBeginsARound(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.payloads.numbers[eltest.Parent] = eltest.BlockNumber - 1
	live := r.begin()
	require.EqualValues(t, eltest.BlockNumber, live.Request().Number)
	require.Same(t, live, r.begin())
	require.Equal(t, []engine.PayloadID{eltest.LocalID}, r.payloads.watched)
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false))
	count, _ := r.rounds.Published()
	require.Equal(t, 3, count)

	r.out.Store(true)
	r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, func(a map[string]any) { a["gasLimit"] = "0x1" })...)
	require.Len(t, r.payloads.watched, 1, "a build without the builder is nobody's round")
}

// What the local node says is the answer, and a build that it does not take up is no round.
func TestBuildThatFails(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]any{
		"a head that is not valid": eltest.Forkchoice(engine.SYNCING, &eltest.LocalID),
		"no id":                    eltest.Forkchoice(engine.VALID, nil),
		"an error":                 &jsonrpc.Error{Code: -38003, Message: "Invalid payload attributes"},
		"no answer":                eltest.ErrInjected,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.l2.On(engineapi.ForkchoiceUpdated, reply)
			resp := r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...)
			_, fails := reply.(error)
			require.Equal(t, fails, resp.Error != nil)
			if rejected, ok := reply.(*jsonrpc.Error); ok {
				require.Equal(t, rejected, resp.Error)
			}
			require.Nil(t, r.rounds.Lookup(eltest.LocalID))
			require.Empty(t, r.payloads.watched)
			r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false))
			count, _ := r.rounds.Published()
			require.Zero(t, count)
		})
	}
}

// When op-node has the local node build on the same head alone, what the builder streams is no promise any
// more, and subscribers are told.
func TestLocalBuildEndsTheStream(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*rig) []any{
		"noTxPool": func(*rig) []any {
			return eltest.Attributes(eltest.Parent, func(attrs map[string]any) { attrs["noTxPool"] = true })
		},
		"withheld": func(r *rig) []any {
			r.watch.Withhold()
			return eltest.Attributes(eltest.Parent, func(attrs map[string]any) { attrs["gasLimit"] = "0x1c9c381" })
		},
		"disabled": func(r *rig) []any {
			r.out.Store(true)
			return eltest.Attributes(eltest.Parent, func(attrs map[string]any) { attrs["gasLimit"] = "0x1c9c381" })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.begin()
			list := eltest.Flashblocks(eltest.BuilderID, 3, false)
			r.deliver(list[:2])
			r.l2.On(engineapi.ForkchoiceUpdated, eltest.Forkchoice(engine.VALID, &engine.PayloadID{0x03, 8}))
			require.Nil(t, r.call("engine_forkchoiceUpdatedV3", change(r)...).Error)
			r.deliver(list[2:])
			count, notices := r.rounds.Published()
			require.Equal(t, 2, count)
			require.Contains(t, strings.Join(notices, ""), `"reorg":true`)
		})
	}
}

// Flashblocks are published only while this sequencer builds: another head ends it, and subscribers are told.
func TestAnotherHeadEndsTheRound(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	list := eltest.Flashblocks(eltest.BuilderID, 3, false)
	r.deliver(list[:2])
	r.call("engine_forkchoiceUpdatedV3", eltest.State(common.Hash{0xaa}), nil)
	r.deliver(list[2:])
	count, notices := r.rounds.Published()
	require.Equal(t, 2, count)
	require.Contains(t, strings.Join(notices, ""), `"reorg":true`)
}

// A build that the builder is not asked for is counted, and the builder is kept up to date all the same.
func TestBuildIsWithheld(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.watch.Withhold()
	r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...)
	r.eventually("the builder hears of the head", func() bool { return len(r.builder.Asked(engineapi.ForkchoiceUpdated)) == 1 })
	told := r.builder.Asked(engineapi.ForkchoiceUpdated)[0]
	require.False(t, eltest.HasAttributes(&told))
	require.Contains(t, string(told.Params), `"future":1`)
	require.EqualValues(t, 1, r.set.GetOrCreateCounter(`rollup_boost_builder_fallbacks_total{reason="unhealthy"}`).Get())
	require.Nil(t, r.rounds.Lookup(eltest.LocalID))
}

// Without a builder there are the local node's answers and nothing else.
func TestWithoutABuilder(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Builder, c.Rounds, c.AsksBuilder = nil, nil, func() bool { return false } })
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...).Error)
	require.Nil(t, r.call("engine_newPayloadV4", map[string]any{}).Error)
	r.handler.Wake()
	require.Empty(t, r.builder.Asked(""))
	require.Equal(t, []error{nil, nil}, r.watch.Calls(health.L2))
}
