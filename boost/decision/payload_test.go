// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// Whatever the builder does, op-node gets a block: the builder's if it is good and is what was published, and
// the local one otherwise.
func TestGetPayload(t *testing.T) {
	t.Parallel()
	zeroed := func(data *engine.ExecutableData) { data.StateRoot = common.Hash{} }
	for name, tc := range map[string]struct {
		edit    func(*Config)
		deliver []*flashblocks.Flashblock
		arm     func(r *rig)
		want    common.Hash
		rebuilt bool // through the local execution layer
		reorg   bool // subscribers are told that what they saw is void
	}{
		"zero roots, builder's answer":      {deliver: eltest.Flashblocks(eltest.BuilderID, 3, false), want: eltest.BuilderHash},
		"the builder has more than we saw":  {deliver: eltest.Flashblocks(eltest.BuilderID, 2, false), want: eltest.BuilderHash},
		"no flashblocks, builder's answer":  {want: eltest.BuilderHash},
		"roots in the stream":               {deliver: eltest.Flashblocks(eltest.BuilderID, 3, true), want: eltest.BuilderHash},
		"roots in the stream, builder dead": {deliver: eltest.Flashblocks(eltest.BuilderID, 3, true), want: eltest.BuilderHash, arm: func(r *rig) { r.builder.On(engineapi.GetPayload, eltest.ErrInjected) }},
		"roots in the stream, builder hung": {deliver: eltest.Flashblocks(eltest.BuilderID, 3, true), want: eltest.BuilderHash, arm: func(r *rig) { r.builder.Hang(engineapi.GetPayload) }},
		"builder dead, nothing published":   {want: eltest.LocalHash, arm: func(r *rig) { r.builder.On(engineapi.GetPayload, eltest.ErrInjected) }},
		"builder dead after publishing":     {deliver: eltest.Flashblocks(eltest.BuilderID, 3, false), want: eltest.BuilderHash, rebuilt: true, arm: func(r *rig) { r.builder.On(engineapi.GetPayload, eltest.ErrInjected) }},
		"builder forgot the payload": {deliver: eltest.Flashblocks(eltest.BuilderID, 3, false), want: eltest.BuilderHash, rebuilt: true, arm: func(r *rig) {
			r.builder.On(engineapi.GetPayload, &jsonrpc.Error{Code: -38001, Message: "Unknown payload"})
		}},
		"builder hung after publishing": {edit: func(c *Config) { c.RescueAfter = time.Millisecond }, deliver: eltest.Flashblocks(eltest.BuilderID, 3, false), want: eltest.BuilderHash, rebuilt: true, arm: func(r *rig) { r.builder.Hang(engineapi.GetPayload) }},
		"builder sends garbage":         {deliver: eltest.Flashblocks(eltest.BuilderID, 3, false), want: eltest.BuilderHash, rebuilt: true, arm: func(r *rig) { r.builder.On(engineapi.GetPayload, []int{1}) }},
		"builder lacks what was published": {deliver: eltest.Flashblocks(eltest.BuilderID, 3, false), want: eltest.BuilderHash, rebuilt: true, arm: func(r *rig) {
			r.builder.On(engineapi.GetPayload, eltest.Envelope(eltest.Flashblocks(eltest.BuilderID, 2, false), nil))
		}},
		"another fee recipient": {want: eltest.LocalHash, arm: func(r *rig) {
			r.builder.On(engineapi.GetPayload, eltest.Envelope(eltest.Flashblocks(eltest.BuilderID, 3, false), func(d *engine.ExecutableData) { d.FeeRecipient = common.Address{1} }))
		}},
		"another parent": {want: eltest.LocalHash, arm: func(r *rig) {
			r.builder.On(engineapi.GetPayload, eltest.Envelope(eltest.Flashblocks(eltest.BuilderID, 3, false), func(d *engine.ExecutableData) { d.ParentHash = common.Hash{1} }))
		}},
		"another gas limit": {want: eltest.LocalHash, arm: func(r *rig) {
			r.builder.On(engineapi.GetPayload, eltest.Envelope(eltest.Flashblocks(eltest.BuilderID, 3, false), func(d *engine.ExecutableData) { d.GasLimit-- }))
		}},
		"no deposits": {want: eltest.LocalHash, arm: func(r *rig) {
			r.builder.On(engineapi.GetPayload, eltest.Envelope(eltest.Flashblocks(eltest.BuilderID, 3, false), func(d *engine.ExecutableData) { d.Transactions = d.Transactions[1:] }))
		}},
		"the local node says SYNCING":         {want: eltest.LocalHash, arm: func(r *rig) { r.l2.On(engineapi.NewPayload, eltest.PayloadStatus(engine.SYNCING)) }},
		"the local node says ACCEPTED":        {want: eltest.LocalHash, arm: func(r *rig) { r.l2.On(engineapi.NewPayload, eltest.PayloadStatus(engine.ACCEPTED)) }},
		"the local node says INVALID":         {want: eltest.LocalHash, arm: func(r *rig) { r.l2.On(engineapi.NewPayload, eltest.PayloadStatus(engine.INVALID)) }},
		"invalid root, transactions are fine": {deliver: eltest.Flashblocks(eltest.BuilderID, 3, true), want: eltest.BuilderHash, rebuilt: true, arm: func(r *rig) { r.l2.On(engineapi.NewPayload, eltest.PayloadStatus(engine.INVALID)) }},
		"published transactions are not valid": {deliver: eltest.Flashblocks(eltest.BuilderID, 3, true), want: eltest.LocalHash, reorg: true, arm: func(r *rig) {
			r.l2.On(engineapi.NewPayload, eltest.PayloadStatus(engine.INVALID))
			r.l2.RefuseRebuild()
		}},
		"external state root": {edit: externalRoot, deliver: eltest.Flashblocks(eltest.BuilderID, 3, false), want: eltest.BuilderHash, rebuilt: true},
		"external state root, no flashblocks": {edit: externalRoot, want: eltest.BuilderHash, rebuilt: true, arm: func(r *rig) {
			r.builder.On(engineapi.GetPayload, eltest.Envelope(eltest.Flashblocks(eltest.BuilderID, 3, false), zeroed))
		}},
		"external state root, refused":    {edit: externalRoot, deliver: eltest.Flashblocks(eltest.BuilderID, 3, false), want: eltest.BuilderHash, arm: func(r *rig) { r.l2.RefuseRebuild() }},
		"external state root, all broken": {edit: externalRoot, deliver: eltest.Flashblocks(eltest.BuilderID, 3, false), want: eltest.LocalHash, reorg: true, arm: func(r *rig) { r.l2.RefuseRebuild(); r.builder.On(engineapi.GetPayload, eltest.ErrInjected) }},
		"zeroed state root": {want: eltest.LocalHash, arm: func(r *rig) {
			r.builder.On(engineapi.GetPayload, eltest.Envelope(eltest.Flashblocks(eltest.BuilderID, 3, false), zeroed))
			r.l2.On(engineapi.NewPayload, eltest.PayloadStatus(engine.INVALID))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, tc.edit)
			r.begin()
			r.deliver(tc.deliver)
			count, _ := r.rounds.Published()
			require.Len(t, tc.deliver, count)
			if tc.arm != nil {
				tc.arm(r)
			}
			result := r.payload()
			require.Equal(t, tc.want, eltest.HashOf(result))
			require.JSONEq(t, string(result), string(r.payload()), "asked again")
			require.Equal(t, tc.rebuilt, r.l2.HasRebuilt())

			_, notices := r.rounds.Published()
			text := strings.Join(notices, "\n")
			require.Equal(t, tc.reorg, strings.Contains(text, `"reorg":true`), text)
			require.Equal(t, tc.want == eltest.BuilderHash && count > 0, strings.Contains(text, `"sealed":true`), text)
			source := map[bool]string{true: `rollup_boost_rpc_blocks_created{source="builder"}`, false: `rollup_boost_rpc_blocks_created{source="l2"}`}
			require.Equal(t, 1, r.counter(source[tc.want == eltest.BuilderHash]))
			require.Zero(t, r.counter(source[tc.want != eltest.BuilderHash]))
		})
	}
}

func externalRoot(c *Config) { c.ExternalStateRoot = true }

// F9: what the local node's own getPayload does is no reason to give up a valid block of the builder's.
func TestLocalPayloadIsNotNeeded(t *testing.T) {
	t.Parallel()
	for name, arm := range map[string]func(*eltest.Layer){
		"fails": func(f *eltest.Layer) { f.On(engineapi.GetPayload, eltest.ErrInjected) },
		"hangs": func(f *eltest.Layer) { f.Hang(engineapi.GetPayload) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.begin()
			r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false))
			arm(r.l2)
			require.Equal(t, eltest.BuilderHash, eltest.HashOf(r.payload()))
		})
	}
}

// The call that ends the local node's own building is not cut off by the builder's block coming first.
func TestLocalPayloadIsNotCutOff(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	gate, ended := make(chan struct{}), make(chan error, 1)
	r.l2.On(engineapi.GetPayload, eltest.Handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
		<-gate
		ended <- ctx.Err()
		return eltest.Envelope(eltest.Flashblocks(eltest.LocalID, 1, false), nil), nil
	}))
	require.Equal(t, eltest.BuilderHash, eltest.HashOf(r.payload()))
	require.Equal(t, eltest.BuilderHash, eltest.HashOf(r.payload()), "the flight has landed")
	close(gate)
	require.NoError(t, <-ended)
}

// F11: however often and by how many a payload is asked for, there is one answer, and flashblocks that come
// later change nothing and are not published.
func TestAnswersAreFrozen(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, true))
	var (
		wg      sync.WaitGroup
		answers [16]json.RawMessage
	)
	for i := range answers {
		wg.Go(func() { answers[i] = r.payload() })
	}
	wg.Wait()
	late := eltest.Flashblocks(eltest.BuilderID, 5, true)
	r.deliver(late[3:])
	count, _ := r.rounds.Published()
	require.Equal(t, 3, count)
	again := r.payload()
	for _, one := range answers {
		require.Equal(t, string(again), string(one))
	}
	require.Equal(t, eltest.BuilderHash, eltest.HashOf(again))
	require.Equal(t, 1, r.counter(`rollup_boost_rpc_blocks_created{source="builder"}`))
}

// #306: the same block is never returned for two ids, even if the builder says so.
func TestNoBlockForTwoIDs(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	require.Equal(t, eltest.BuilderHash, eltest.HashOf(r.payload()))

	otherLocal, otherBuilder := engine.PayloadID{0x03, 9}, engine.PayloadID{0x04, 9}
	r.beginAs(otherLocal, otherBuilder, nil)
	resp := r.ask(otherLocal)
	require.Nil(t, resp.Error)
	require.Equal(t, eltest.LocalHash, eltest.HashOf(resp.Result))
}

// A failure is nobody's answer for good: op-node may try again.
func TestFailedAnswerIsNotKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.builder.On(engineapi.GetPayload, eltest.ErrInjected)
	r.l2.On(engineapi.GetPayload, &jsonrpc.Error{Code: -38001, Message: "Unknown payload"})
	resp := r.ask(eltest.LocalID)
	require.NotNil(t, resp.Error)
	require.Equal(t, -38001, resp.Error.Code)
	r.builder.On(engineapi.GetPayload, eltest.Envelope(eltest.Flashblocks(eltest.BuilderID, 3, false), nil))
	require.Equal(t, eltest.BuilderHash, eltest.HashOf(r.payload()))
}

// An answer is kept as long as it is among the last, even if its round is not.
func TestAnswerOutlivesItsRound(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	require.Equal(t, eltest.BuilderHash, eltest.HashOf(r.payload()))
	for n := range byte(2 * keptAnswers) {
		local := engine.PayloadID{0x03, 0xff, n}
		r.beginAs(local, engine.PayloadID{0x04, 0xff, n}, nil)
	}
	require.Nil(t, r.rounds.Lookup(eltest.LocalID))
	require.Equal(t, eltest.BuilderHash, eltest.HashOf(r.payload()))
}

// The policy takes the local block if the builder's has less than a tenth of its gas.
func TestGasUsedPolicy(t *testing.T) {
	t.Parallel()
	gas := func(used uint64) func(*engine.ExecutableData) {
		return func(d *engine.ExecutableData) { d.GasUsed = used }
	}
	for name, tc := range map[string]struct {
		builder, local uint64
		wantLocal      bool
	}{
		"a tenth":   {100, 1000, false},
		"below it":  {99, 1000, true},
		"both none": {0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *Config) { c.Selection = params.SelectGasUsed })
			r.begin()
			r.builder.On(engineapi.GetPayload, eltest.Envelope(eltest.Flashblocks(eltest.BuilderID, 3, false), gas(tc.builder)))
			r.l2.On(engineapi.GetPayload, eltest.Envelope(eltest.Flashblocks(eltest.LocalID, 1, false), gas(tc.local)))
			require.Equal(t, tc.wantLocal, eltest.HashOf(r.payload()) == eltest.HashOf(eltest.Envelope(eltest.Flashblocks(eltest.LocalID, 1, false), gas(tc.local))))
		})
	}
}

// A block that reads differently to op-node, or that op-node cannot use, is none, however valid it is.
func TestTrickyBuilderAnswers(t *testing.T) {
	t.Parallel()
	good := string(eltest.Envelope(eltest.Flashblocks(eltest.BuilderID, 3, false), nil))
	block, err := json.Marshal(eltest.Sealed(eltest.Flashblocks(eltest.BuilderID, 3, false)))
	require.NoError(t, err)
	for name, answer := range map[string]string{
		"another recipient under another case": strings.Replace(good, `"feeRecipient"`, `"feeRecipient":"`+strings.ToLower(eltest.Fees.Hex())+`","FeeRecipient"`, 1),
		"a payload that is taken away again":   good[:len(good)-1] + `,"executionPayload":null}`,
		"no envelope":                          string(block),
		"no beacon root":                       `{"executionPayload":` + string(block) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.begin()
			r.builder.On(engineapi.GetPayload, json.RawMessage(answer))
			require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
		})
	}
}

// The local answer is returned as it is even if it cannot be read, and then the round is lost all the same.
func TestUnreadableLocalBlockIsABlock(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false))
	r.builder.On(engineapi.GetPayload, eltest.ErrInjected)
	r.l2.RefuseRebuild()
	r.l2.On(engineapi.GetPayload, map[string]any{"executionPayload": map[string]any{"ofAnotherFork": 1}})
	require.JSONEq(t, `{"executionPayload":{"ofAnotherFork":1}}`, string(r.payload()))
	require.True(t, r.rounds.Reorged())
}

// Both sides fail, and op-node begins another build: what was published is void, and that is told.
func TestNeitherSideHasABlock(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false))
	r.builder.On(engineapi.GetPayload, eltest.ErrInjected)
	r.l2.RefuseRebuild()
	r.l2.On(engineapi.GetPayload, &jsonrpc.Error{Code: -38001, Message: "Unknown payload"})
	require.NotNil(t, r.ask(eltest.LocalID).Error)
	require.False(t, r.rounds.Reorged(), "op-node may ask again")
	other := engine.PayloadID{0x03, 9}
	r.beginAs(other, engine.PayloadID{0x04, 9}, func(a map[string]any) { a["timestamp"] = "0x1" })
	require.True(t, r.rounds.Reorged())
}
