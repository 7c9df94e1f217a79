// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// Whoever hangs, op-node gets a block when the budget is spent: nothing else ends these calls.
func TestBudget(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		roots bool
		arm   func(r *rig)
	}{
		"builder's getPayload hangs":             {arm: func(r *rig) { r.builder.hang(getPayloadMethod) }},
		"local validation hangs":                 {arm: func(r *rig) { r.l2.hang(newPayloadMethod) }},
		"local validation hangs, roots streamed": {roots: true, arm: func(r *rig) { r.l2.hang(newPayloadMethod) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *Config) { c.Budget = 10 * time.Millisecond })
			r.begin()
			if tc.roots {
				r.deliver(fbs(builderID, 3, true))
			}
			tc.arm(r)
			require.Equal(t, localHash, hashOf(r.payload()))
			_, notices := r.published()
			require.Equal(t, tc.roots, strings.Contains(strings.Join(notices, ""), `"reorg":true`), "a broken promise is told")
		})
	}
}

// A builder that has not answered the build when its block is asked for is waited for, by the budget.
func TestBuildNeverAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Budget = 10 * time.Millisecond })
	gate := make(chan struct{})
	defer close(gate)
	r.builder.on(forkchoiceMethod, handler(func(context.Context, *jsonrpc.Request) (any, error) {
		<-gate
		return forkchoice(engine.VALID, &builderID), nil
	}))
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", attributes(parent, nil)...).Error)
	require.Equal(t, localHash, hashOf(r.payload()))
	require.Empty(t, r.builder.asked(getPayloadMethod))
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
		"good":                   {arm: func(*rig) {}},
		"rescued from":           {arm: func(r *rig) { r.builder.on(getPayloadMethod, errInjected) }, blamed: true},
		"invalid":                {arm: func(r *rig) { r.l2.on(newPayloadMethod, payloadStatusOf(engine.INVALID)); r.refuseRebuild() }, blamed: true},
		"the local node is away": {arm: func(r *rig) { r.l2.on(newPayloadMethod, errInjected); r.refuseRebuild() }, silence: true},
		"the local node is wrong": {arm: func(r *rig) {
			r.l2.on(newPayloadMethod, &jsonrpc.Error{Code: -32603, Message: "no disk"})
			r.refuseRebuild()
		}, silence: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, tc.edit)
			r.begin()
			r.deliver(fbs(builderID, 3, false))
			tc.arm(r)
			r.payload()
			r.watch.mu.Lock()
			defer r.watch.mu.Unlock()
			if tc.silence {
				require.Empty(t, r.watch.builds)
				return
			}
			require.Len(t, r.watch.builds, 1)
			require.Equal(t, tc.blamed, r.watch.builds[0] != nil, "%v", r.watch.builds[0])
		})
	}
}

// A local node that gives a payload id for a head it has not found valid gets no round.
func TestLocalHeadMustBeValid(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.l2.on(forkchoiceMethod, forkchoice(engine.SYNCING, &localID))
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", attributes(parent, nil)...).Error)
	require.Nil(t, r.store.Lookup(localID))
	r.deliver(fbs(builderID, 3, false))
	count, _ := r.published()
	require.Zero(t, count)
	require.Equal(t, localHash, hashOf(r.payload()))
}

// Flashblocks are published only while this sequencer builds: another head ends it, and subscribers are told.
func TestAnotherHeadEndsTheRound(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	list := fbs(builderID, 3, false)
	r.deliver(list[:2])
	r.call("engine_forkchoiceUpdatedV3", state(common.Hash{0xaa}), nil)
	r.deliver(list[2:])
	count, notices := r.published()
	require.Equal(t, 2, count)
	require.Contains(t, strings.Join(notices, ""), `"reorg":true`)
}

// F3: a caller who hangs up before the local node has answered leaves nothing behind: the repeated call gets
// the round, and its flashblocks.
func TestHungUpForkchoice(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	gate, reached := make(chan struct{}), make(chan struct{}, 1)
	before := r.l2.handler(forkchoiceMethod)
	r.l2.on(forkchoiceMethod, handler(func(ctx context.Context, req *jsonrpc.Request) (any, error) {
		reached <- struct{}{}
		<-gate
		return before(ctx, req)
	}))
	hungUp, hangUp := context.WithCancel(t.Context())
	told := make(chan error, 1)
	go func() {
		_, err := r.send(hungUp, encode("engine_forkchoiceUpdatedV3", attributes(parent, nil)...))
		told <- err
	}()
	<-reached
	hangUp()
	require.Error(t, <-told)
	close(gate)
	r.l2.on(forkchoiceMethod, before)
	r.begin()
	r.deliver(fbs(builderID, 3, false))
	count, _ := r.published()
	require.Equal(t, 3, count)
	require.Equal(t, builderHash, hashOf(r.payload()))
}

// What breaks the reader of a builder's block costs that block, not the process.
func TestPanicIsContained(t *testing.T) {
	t.Parallel()
	for name, published := range map[string]int{"nothing published": 0, "flashblocks published": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.begin()
			r.deliver(fbs(builderID, published, false))
			r.builder.on(getPayloadMethod, handler(func(context.Context, *jsonrpc.Request) (any, error) { panic("injected") }))
			want, failures := localHash, 1
			if published > 0 {
				want, failures = builderHash, 0 // rescued
			}
			require.Equal(t, want, hashOf(r.payload()))
			require.Equal(t, failures, r.counter(`rollup_boost_builder_fallbacks_total{reason="other"}`))
		})
	}
}

// The mode that counts is the one at getPayload: what was begun in dry-run is not returned, but a builder's
// failure is seen all the same.
func TestDryRunObservesFailures(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.modes.SetMode(params.ModeDryRun)
	r.begin()
	r.builder.on(getPayloadMethod, errInjected)
	require.Equal(t, localHash, hashOf(r.payload()))
	r.eventually("the failure is observed", func() bool {
		r.watch.mu.Lock()
		defer r.watch.mu.Unlock()
		return len(r.watch.builds) == 1 && errors.Is(r.watch.builds[0], errInjected)
	})
}
