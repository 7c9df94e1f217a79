// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

var (
	errInjected = errors.New("injected")
	builderHash = sealed(fbs(builderID, 3, false)).BlockHash
	localHash   = sealed(fbs(localID, 1, false)).BlockHash
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
		"zero roots, builder's answer":      {deliver: fbs(builderID, 3, false), want: builderHash},
		"the builder has more than we saw":  {deliver: fbs(builderID, 2, false), want: builderHash},
		"no flashblocks, builder's answer":  {want: builderHash},
		"roots in the stream":               {deliver: fbs(builderID, 3, true), want: builderHash},
		"roots in the stream, builder dead": {deliver: fbs(builderID, 3, true), want: builderHash, arm: func(r *rig) { r.builder.on(getPayloadMethod, errInjected) }},
		"roots in the stream, builder hung": {deliver: fbs(builderID, 3, true), want: builderHash, arm: func(r *rig) { r.builder.hang(getPayloadMethod) }},
		"builder dead, nothing published":   {want: localHash, arm: func(r *rig) { r.builder.on(getPayloadMethod, errInjected) }},
		"builder dead after publishing":     {deliver: fbs(builderID, 3, false), want: builderHash, rebuilt: true, arm: func(r *rig) { r.builder.on(getPayloadMethod, errInjected) }},
		"builder forgot the payload":        {deliver: fbs(builderID, 3, false), want: builderHash, rebuilt: true, arm: func(r *rig) { r.builder.on(getPayloadMethod, &jsonrpc.Error{Code: -38001, Message: "Unknown payload"}) }},
		"builder hung after publishing":     {edit: func(c *Config) { c.RescueAfter = time.Millisecond }, deliver: fbs(builderID, 3, false), want: builderHash, rebuilt: true, arm: func(r *rig) { r.builder.hang(getPayloadMethod) }},
		"builder sends garbage":             {deliver: fbs(builderID, 3, false), want: builderHash, rebuilt: true, arm: func(r *rig) { r.builder.on(getPayloadMethod, []int{1}) }},
		"builder lacks what was published":  {deliver: fbs(builderID, 3, false), want: builderHash, rebuilt: true, arm: func(r *rig) { r.builder.on(getPayloadMethod, envelope(fbs(builderID, 2, false), nil)) }},
		"another fee recipient": {want: localHash, arm: func(r *rig) {
			r.builder.on(getPayloadMethod, envelope(fbs(builderID, 3, false), func(d *engine.ExecutableData) { d.FeeRecipient = common.Address{1} }))
		}},
		"another parent": {want: localHash, arm: func(r *rig) {
			r.builder.on(getPayloadMethod, envelope(fbs(builderID, 3, false), func(d *engine.ExecutableData) { d.ParentHash = common.Hash{1} }))
		}},
		"another gas limit": {want: localHash, arm: func(r *rig) {
			r.builder.on(getPayloadMethod, envelope(fbs(builderID, 3, false), func(d *engine.ExecutableData) { d.GasLimit-- }))
		}},
		"no deposits": {want: localHash, arm: func(r *rig) {
			r.builder.on(getPayloadMethod, envelope(fbs(builderID, 3, false), func(d *engine.ExecutableData) { d.Transactions = d.Transactions[1:] }))
		}},
		"the local node says SYNCING":          {want: localHash, arm: func(r *rig) { r.l2.on(newPayloadMethod, payloadStatusOf(engine.SYNCING)) }},
		"the local node says ACCEPTED":         {want: localHash, arm: func(r *rig) { r.l2.on(newPayloadMethod, payloadStatusOf(engine.ACCEPTED)) }},
		"the local node says INVALID":          {want: localHash, arm: func(r *rig) { r.l2.on(newPayloadMethod, payloadStatusOf(engine.INVALID)) }},
		"invalid root, transactions are fine":  {deliver: fbs(builderID, 3, true), want: builderHash, rebuilt: true, arm: func(r *rig) { r.l2.on(newPayloadMethod, payloadStatusOf(engine.INVALID)) }},
		"published transactions are not valid": {deliver: fbs(builderID, 3, true), want: localHash, reorg: true, arm: func(r *rig) { r.l2.on(newPayloadMethod, payloadStatusOf(engine.INVALID)); r.refuseRebuild() }},
		"external state root":                  {edit: externalRoot, deliver: fbs(builderID, 3, false), want: builderHash, rebuilt: true},
		"external state root, no flashblocks":  {edit: externalRoot, want: builderHash, rebuilt: true, arm: func(r *rig) { r.builder.on(getPayloadMethod, envelope(fbs(builderID, 3, false), zeroed)) }},
		"external state root, refused":         {edit: externalRoot, deliver: fbs(builderID, 3, false), want: builderHash, arm: func(r *rig) { r.refuseRebuild() }},
		"external state root, all broken":      {edit: externalRoot, deliver: fbs(builderID, 3, false), want: localHash, reorg: true, arm: func(r *rig) { r.refuseRebuild(); r.builder.on(getPayloadMethod, errInjected) }},
		"zeroed state root": {want: localHash, arm: func(r *rig) {
			r.builder.on(getPayloadMethod, envelope(fbs(builderID, 3, false), zeroed))
			r.l2.on(newPayloadMethod, payloadStatusOf(engine.INVALID))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, tc.edit)
			r.begin()
			r.deliver(tc.deliver)
			count, _ := r.published()
			require.Len(t, tc.deliver, count)
			if tc.arm != nil {
				tc.arm(r)
			}
			result := r.payload()
			require.Equal(t, tc.want, hashOf(result))
			require.JSONEq(t, string(result), string(r.payload()), "asked again")
			require.Equal(t, tc.rebuilt, r.wasRebuilt())

			_, notices := r.published()
			text := strings.Join(notices, "\n")
			require.Equal(t, tc.reorg, strings.Contains(text, `"reorg":true`), text)
			require.Equal(t, tc.want == builderHash && count > 0, strings.Contains(text, `"sealed":true`), text)
			source := map[bool]string{true: `rollup_boost_rpc_blocks_created{source="builder"}`, false: `rollup_boost_rpc_blocks_created{source="l2"}`}
			require.Equal(t, 1, r.counter(source[tc.want == builderHash]))
			require.Zero(t, r.counter(source[tc.want != builderHash]))
		})
	}
}

func externalRoot(c *Config) { c.ExternalStateRoot = true }

// refuseRebuild makes the local node refuse to build from given transactions.
func (r *rig) refuseRebuild() {
	before := r.l2.handler(forkchoiceMethod)
	r.l2.on(forkchoiceMethod, handler(func(ctx context.Context, req *jsonrpc.Request) (any, error) {
		if isRebuild(req) {
			return nil, &jsonrpc.Error{Code: -38003, Message: "Invalid payload attributes"}
		}
		return before(ctx, req)
	}))
}

// wasRebuilt reports whether the block came of the local node's own building from given transactions.
func (r *rig) wasRebuilt() bool {
	for _, call := range r.l2.asked(getPayloadMethod) {
		if strings.Contains(string(call.Params), rebuiltID.String()) {
			return true
		}
	}
	return false
}

// F9: what the local node's own getPayload does is no reason to give up a valid block of the builder's.
func TestLocalPayloadIsNotNeeded(t *testing.T) {
	t.Parallel()
	for name, arm := range map[string]func(*fakeEL){
		"fails": func(f *fakeEL) { f.on(getPayloadMethod, errInjected) },
		"hangs": func(f *fakeEL) { f.hang(getPayloadMethod) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.begin()
			r.deliver(fbs(builderID, 3, false))
			arm(r.l2)
			require.Equal(t, builderHash, hashOf(r.payload()))
		})
	}
}

// F11: however often and by how many a payload is asked for, there is one answer, and flashblocks that come
// later change nothing and are not published.
func TestAnswersAreFrozen(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.deliver(fbs(builderID, 3, true))
	var (
		wg      sync.WaitGroup
		answers [16]json.RawMessage
	)
	for i := range answers {
		wg.Go(func() { answers[i] = r.payload() })
	}
	wg.Wait()
	late := fbs(builderID, 5, true)
	r.deliver(late[3:])
	count, _ := r.published()
	require.Equal(t, 3, count)
	again := r.payload()
	for _, one := range answers {
		require.Equal(t, string(again), string(one))
	}
	require.Equal(t, builderHash, hashOf(again))
	require.Equal(t, 1, r.counter(`rollup_boost_rpc_blocks_created{source="builder"}`))
}

// #306: the same block is never returned for two ids, even if the builder says so.
func TestNoBlockForTwoIDs(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	require.Equal(t, builderHash, hashOf(r.payload()))

	otherLocal, otherBuilder := engine.PayloadID{0x03, 9}, engine.PayloadID{0x04, 9}
	r.l2.on(forkchoiceMethod, forkchoice(engine.VALID, &otherLocal))
	r.builder.on(forkchoiceMethod, forkchoice(engine.VALID, &otherBuilder))
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", attributes(parent, nil)...).Error)
	resp := r.call("engine_getPayloadV4", otherLocal)
	require.Nil(t, resp.Error)
	require.Equal(t, localHash, hashOf(resp.Result))
}

// A failure is nobody's answer for good: op-node may try again.
func TestFailedAnswerIsNotKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.builder.on(getPayloadMethod, errInjected)
	r.l2.on(getPayloadMethod, &jsonrpc.Error{Code: -38001, Message: "Unknown payload"})
	resp := r.call("engine_getPayloadV4", localID)
	require.NotNil(t, resp.Error)
	require.Equal(t, -38001, resp.Error.Code)
	r.builder.on(getPayloadMethod, envelope(fbs(builderID, 3, false), nil))
	require.Equal(t, builderHash, hashOf(r.payload()))
}

// The local block is returned in dry-run, though the builder's was fetched and validated; nothing is
// published (F4).
func TestDryRun(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.modes.SetMode(params.ModeDryRun)
	r.begin()
	r.deliver(fbs(builderID, 3, false))
	require.Equal(t, localHash, hashOf(r.payload()))
	r.eventually("the builder's block is validated", func() bool { return len(r.l2.asked(newPayloadMethod)) == 1 })
	count, notices := r.published()
	require.Zero(t, count)
	require.Empty(t, notices)
}

// In mode disabled the builder hears nothing at all (F18).
func TestDisabled(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.deliver(fbs(builderID, 3, false))
	r.modes.SetMode(params.ModeDisabled)
	before := len(r.builder.asked(""))
	require.Equal(t, builderHash, hashOf(r.payload()), "what was published is kept all the same")
	r.call("engine_forkchoiceUpdatedV3", attributes(parent, nil)...)
	r.call("engine_newPayloadV4", map[string]any{"blockHash": localHash}, []any{}, beacon, []any{})
	r.l2.on("eth_sendRawTransaction", common.Hash{1})
	r.call("eth_sendRawTransaction", "0x02")
	r.l2.on("miner_setMaxDASize", true)
	r.call("miner_setMaxDASize", "0x1", "0x2")
	require.Len(t, r.builder.asked(""), before)
	require.False(t, r.reorged())
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
			r.builder.on(getPayloadMethod, envelope(fbs(builderID, 3, false), gas(tc.builder)))
			r.l2.on(getPayloadMethod, envelope(fbs(localID, 1, false), gas(tc.local)))
			require.Equal(t, tc.wantLocal, hashOf(r.payload()) == hashOf(envelope(fbs(localID, 1, false), gas(tc.local))))
		})
	}
}

// A rebuild that comes late must never move the head back.
func TestRebuildNeverMovesTheHead(t *testing.T) {
	t.Parallel()
	r := newRig(t, externalRoot)
	r.begin()
	r.deliver(fbs(builderID, 3, false))
	r.builder.on(getPayloadMethod, errInjected)
	r.call("engine_forkchoiceUpdatedV3", state(common.Hash{0xaa}), nil)
	require.Equal(t, localHash, hashOf(r.payload()))
	for _, call := range r.l2.asked(forkchoiceMethod) {
		require.False(t, isRebuild(&call))
	}
}

// With the head as it was, a rebuild takes over what op-node said last of safe and finalized.
func TestRebuildKeepsTheSafeHead(t *testing.T) {
	t.Parallel()
	r := newRig(t, externalRoot)
	r.begin()
	r.deliver(fbs(builderID, 3, false))
	newer := state(parent)
	newer["safeBlockHash"] = common.Hash{0xbb}
	r.call("engine_forkchoiceUpdatedV3", newer, nil)
	require.Equal(t, builderHash, hashOf(r.payload()))
	calls := r.l2.asked(forkchoiceMethod)
	last := calls[len(calls)-1]
	require.True(t, isRebuild(&last))
	require.Contains(t, string(last.Params), common.Hash{0xbb}.Hex())
	require.Contains(t, string(last.Params), `"someday"`, "unknown keys go along")
}

// A rooted block that was found valid while it grew is not validated again.
func TestValidatedAhead(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.sidecar.asked.Store(4)
	live := r.begin()
	r.deliver(fbs(builderID, 3, true))
	r.eventually("the block is known to be valid", func() bool { return r.sidecar.known(builderHash) })
	require.Equal(t, 3, live.Peek().Count())
	asked := len(r.l2.asked(newPayloadMethod))
	require.Equal(t, builderHash, hashOf(r.payload()))
	require.Len(t, r.l2.asked(newPayloadMethod), asked)
}
