// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// Whoever hangs, op-node gets a block when the budget is spent: nothing else ends these calls.
func TestBudget(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		roots bool
		arm   func(r *rig)
	}{
		"builder's getPayload hangs":             {arm: func(r *rig) { r.builder.Hang(engineapi.GetPayload) }},
		"local validation hangs":                 {arm: func(r *rig) { r.l2.Hang(engineapi.NewPayload) }},
		"local validation hangs, roots streamed": {roots: true, arm: func(r *rig) { r.l2.Hang(engineapi.NewPayload) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *Config) { c.Budget = 10 * time.Millisecond })
			r.begin()
			if tc.roots {
				r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, true))
			}
			tc.arm(r)
			require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
			_, notices := r.rounds.Published()
			require.Equal(t, tc.roots, strings.Contains(strings.Join(notices, ""), `"reorg":true`), "a broken promise is told")
		})
	}
}

// A builder that has not answered the build when its block is asked for is waited for, by the budget.
func TestBuildNeverAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Budget = 10 * time.Millisecond })
	r.beginLocal(eltest.LocalID, nil)
	require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
	require.Empty(t, r.builder.Asked(engineapi.GetPayload))
}

// Only what the builder does counts against it: a rescued block does, a local failure does not.
func TestBlame(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		edit    func(*Config)
		arm     func(r *rig)
		blamed  bool
		silence bool // nothing is observed
	}{
		"good":         {arm: func(*rig) {}},
		"rescued from": {arm: func(r *rig) { r.builder.On(engineapi.GetPayload, eltest.ErrInjected) }, blamed: true},
		"invalid": {arm: func(r *rig) {
			r.l2.On(engineapi.NewPayload, eltest.PayloadStatus(engine.INVALID))
			r.l2.RefuseRebuild()
		}, blamed: true},
		"the local node is away": {arm: func(r *rig) { r.l2.On(engineapi.NewPayload, eltest.ErrInjected); r.l2.RefuseRebuild() }, silence: true},
		"the local node is wrong": {arm: func(r *rig) {
			r.l2.On(engineapi.NewPayload, &jsonrpc.Error{Code: -32603, Message: "no disk"})
			r.l2.RefuseRebuild()
		}, silence: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, tc.edit)
			r.begin()
			r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false))
			tc.arm(r)
			r.payload()
			builds := r.watch.Builds()
			if tc.silence {
				require.Empty(t, builds)
				return
			}
			require.Len(t, builds, 1)
			require.Equal(t, tc.blamed, builds[0] != nil, "%v", builds[0])
		})
	}
}

// What breaks the reader of a builder's block costs that block, not the process.
func TestPanicIsContained(t *testing.T) {
	t.Parallel()
	for name, published := range map[string]int{"nothing published": 0, "flashblocks published": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.begin()
			r.deliver(eltest.Flashblocks(eltest.BuilderID, published, false))
			r.builder.On(engineapi.GetPayload, eltest.Handler(func(context.Context, *jsonrpc.Request) (any, error) { panic("injected") }))
			want, failures := eltest.LocalHash, 1
			if published > 0 {
				want, failures = eltest.BuilderHash, 0 // rescued
			}
			require.Equal(t, want, eltest.HashOf(r.payload()))
			require.Equal(t, failures, r.counter(`rollup_boost_builder_fallbacks_total{reason="other"}`))
		})
	}
}
