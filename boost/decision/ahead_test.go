// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
)

// A rooted block that was found valid while it grew is not validated again.
func TestValidatedAhead(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.maker.ahead.asked(4)
	live := r.begin()
	r.maker.Watch(live, eltest.LocalID)
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, true))
	r.eventually("the block is known to be valid", func() bool { return r.maker.finder.judge.known(eltest.BuilderHash) })
	require.Equal(t, 3, live.Peek().Count())
	asked := len(r.l2.Asked(engineapi.NewPayload))
	require.Equal(t, eltest.BuilderHash, eltest.HashOf(r.payload()))
	require.Len(t, r.l2.Asked(engineapi.NewPayload), asked)
}

// A builder that names its answer after a block known to be valid does not get it past the local node.
func TestClaimedHashIsNoJudgement(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.maker.ahead.asked(4)
	r.maker.Watch(r.begin(), eltest.LocalID)
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, true))
	r.eventually("the block is known to be valid", func() bool { return r.maker.finder.judge.known(eltest.BuilderHash) })
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 4, false)[3:]) // without roots: the builder is asked for them
	r.builder.On(engineapi.GetPayload, eltest.Envelope(eltest.Flashblocks(eltest.BuilderID, 4, false), func(d *engine.ExecutableData) { d.BlockHash = eltest.BuilderHash }))
	r.l2.On(engineapi.NewPayload, eltest.PayloadStatus(engine.INVALID))
	r.l2.RefuseRebuild()
	require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
	require.True(t, r.rounds.Reorged())
}
