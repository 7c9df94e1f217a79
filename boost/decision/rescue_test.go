// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

// A local node that takes long to judge a heavy block is not helped by having to build it as well, and it is not
// the builder who is slow.
func TestSlowJudgementIsNoSilence(t *testing.T) {
	t.Parallel()
	newMeters(metrics.NewSet()) // the goroutine of the summaries is not the bubble's
	synctest.Test(t, func(t *testing.T) {
		l2, builder := eltest.NewLayer(), eltest.NewLayer()
		builder.On(engineapi.GetPayload, eltest.Envelope(eltest.Flashblocks(eltest.BuilderID, 3, false), nil))
		l2.On(engineapi.NewPayload, eltest.Handler(func(context.Context, *jsonrpc.Request) (any, error) {
			<-time.After(4 * defaultRescueAfter) // of the bubble
			return eltest.PayloadStatus(engine.VALID), nil
		}))
		set := metrics.NewSet()
		rounds := eltest.NewRounds(set, func() bool { return true })
		d := New(Config{L2: l2, Builder: builder, Rounds: rounds.Store, Metrics: set, Log: log.Root()})
		defer d.Stop()
		update := eltest.Request("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...)
		req, err := round.ParseRequest(update.Method, eltest.Args(update))
		require.NoError(t, err)
		r := rounds.Begin(req)
		r.BindLocal(eltest.LocalID)
		r.BindBuilder(eltest.BuilderID)
		rounds.Deliver(t, eltest.Flashblocks(eltest.BuilderID, 3, false))
		prefix := r.Freeze()
		require.Equal(t, 3, prefix.Published())

		c := search{finder: d.finder, key: flightKey{eltest.LocalID, 4}, round: r, prefix: prefix}.hedged(t.Context())
		require.NoError(t, c.err)
		require.NoError(t, c.blame)
		require.Equal(t, eltest.BuilderHash, c.block.BlockHash)
		require.Zero(t, set.GetOrCreateCounter("rollup_boost_rescued_rounds_total").Get())
	})
}

// A local node that hangs over a rebuild leaves no time to ask the builder: that is not the builder's failure.
func TestHungRebuildBlamesNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { externalRoot(c); c.Budget = 10 * time.Millisecond })
	r.begin()
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false))
	before := r.l2.Handler(engineapi.ForkchoiceUpdated)
	r.l2.On(engineapi.ForkchoiceUpdated, eltest.Handler(func(ctx context.Context, req *jsonrpc.Request) (any, error) {
		if eltest.IsRebuild(req) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return before(ctx, req)
	}))
	r.l2.SetTimeout(time.Second) // for the queue to end
	r.builder.Hang(engineapi.GetPayload)
	require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
	require.Empty(t, r.watch.Builds())
}

// A rebuild that comes late must never move the head back.
func TestRebuildNeverMovesTheHead(t *testing.T) {
	t.Parallel()
	r := newRig(t, externalRoot)
	r.begin()
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false))
	r.builder.On(engineapi.GetPayload, eltest.ErrInjected)
	r.moveHead(eltest.State(common.Hash{0xaa}))
	require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
	for _, call := range r.l2.Asked(engineapi.ForkchoiceUpdated) {
		require.False(t, eltest.IsRebuild(&call))
	}
}

// With the head as it was, a rebuild takes over what op-node said last of safe and finalized.
func TestRebuildKeepsTheSafeHead(t *testing.T) {
	t.Parallel()
	r := newRig(t, externalRoot)
	r.begin()
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false))
	newer := eltest.State(eltest.Parent)
	newer["safeBlockHash"] = common.Hash{0xbb}
	r.moveHead(newer)
	require.Equal(t, eltest.BuilderHash, eltest.HashOf(r.payload()))
	calls := r.l2.Asked(engineapi.ForkchoiceUpdated)
	last := calls[len(calls)-1]
	require.True(t, eltest.IsRebuild(&last))
	require.Contains(t, string(last.Params), common.Hash{0xbb}.Hex())
	require.Contains(t, string(last.Params), `"someday"`, "unknown keys go along")
}
