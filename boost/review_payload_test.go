// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// reorged reports whether subscribers were told that what they saw is void.
func (r *rig) reorged() bool {
	_, notices := r.published()
	return strings.Contains(strings.Join(notices, ""), `"reorg":true`)
}

// A builder that names its answer after a block known to be valid does not get it past the local node.
func TestClaimedHashIsNoJudgement(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.sidecar.asked.Store(4)
	r.begin()
	r.deliver(fbs(builderID, 3, true))
	r.eventually("the block is known to be valid", func() bool { return r.sidecar.known(builderHash) })
	r.deliver(fbs(builderID, 4, false)[3:]) // without roots: the builder is asked for them
	r.builder.on(getPayloadMethod, envelope(fbs(builderID, 4, false), func(d *engine.ExecutableData) { d.BlockHash = builderHash }))
	r.l2.on(newPayloadMethod, payloadStatusOf(engine.INVALID))
	r.refuseRebuild()
	require.Equal(t, localHash, hashOf(r.payload()))
	require.True(t, r.reorged())
}

// A local node that takes long to judge a heavy block is not helped by having to build it as well, and it is not
// the builder who is slow.
func TestSlowJudgementIsNoSilence(t *testing.T) {
	t.Parallel()
	newMeters(metrics.NewSet(), NewModes(params.ModeEnabled)) // the goroutine of the summaries is not the bubble's
	synctest.Test(t, func(t *testing.T) {
		l2, builder := newFakeEL(), newFakeEL()
		builder.on(getPayloadMethod, envelope(fbs(builderID, 3, false), nil))
		l2.on(newPayloadMethod, handler(func(context.Context, *jsonrpc.Request) (any, error) {
			<-time.After(4 * defaultRescueAfter) // of the bubble
			return payloadStatusOf(engine.VALID), nil
		}))
		rig := &rig{t: t, store: round.NewStore(round.Config{}), set: metrics.NewSet()}
		s, err := New(Config{L2: l2, Builder: builder, Rounds: rig.store, Metrics: rig.set})
		require.NoError(t, err)
		args, err := json.Marshal(attributes(parent, nil))
		require.NoError(t, err)
		var list []json.RawMessage
		require.NoError(t, json.Unmarshal(args, &list))
		req, err := round.ParseRequest("engine_forkchoiceUpdatedV3", list)
		require.NoError(t, err)
		r := rig.store.Begin(req)
		r.BindLocal(localID)
		r.BindBuilder(builderID)
		rig.deliver(fbs(builderID, 3, false))
		prefix := r.Freeze()
		require.Equal(t, 3, prefix.Published())

		c := s.hedged(t.Context(), flightKey{localID, 4}, r, prefix)
		require.NoError(t, c.err)
		require.NoError(t, c.blame)
		require.Equal(t, builderHash, c.block.BlockHash)
		require.Zero(t, rig.counter("rollup_boost_rescued_rounds_total"))
		s.end()
		s.wg.Wait()
	})
}

// The local answer is returned as it is even if it cannot be read, and then the round is lost all the same.
func TestUnreadableLocalBlockIsABlock(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.deliver(fbs(builderID, 3, false))
	r.builder.on(getPayloadMethod, errInjected)
	r.refuseRebuild()
	r.l2.on(getPayloadMethod, map[string]any{"executionPayload": map[string]any{"ofAnotherFork": 1}})
	require.JSONEq(t, `{"executionPayload":{"ofAnotherFork":1}}`, string(r.payload()))
	require.True(t, r.reorged())
}

// Both sides fail, and op-node begins another build: what was published is void, and that is told.
func TestNeitherSideHasABlock(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.deliver(fbs(builderID, 3, false))
	r.builder.on(getPayloadMethod, errInjected)
	r.refuseRebuild()
	r.l2.on(getPayloadMethod, &jsonrpc.Error{Code: -38001, Message: "Unknown payload"})
	require.NotNil(t, r.call("engine_getPayloadV4", localID).Error)
	require.False(t, r.reorged(), "op-node may ask again")
	other := engine.PayloadID{0x03, 9}
	r.l2.on(forkchoiceMethod, forkchoice(engine.VALID, &other))
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", attributes(parent, func(a map[string]any) { a["timestamp"] = "0x1" })...).Error)
	require.True(t, r.reorged())
}

// A local node that hangs over a rebuild leaves no time to ask the builder: that is not the builder's failure.
func TestHungRebuildBlamesNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { externalRoot(c); c.Budget = 10 * time.Millisecond })
	r.begin()
	r.deliver(fbs(builderID, 3, false))
	before := r.l2.handler(forkchoiceMethod)
	r.l2.on(forkchoiceMethod, handler(func(ctx context.Context, req *jsonrpc.Request) (any, error) {
		if isRebuild(req) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return before(ctx, req)
	}))
	r.l2.mu.Lock()
	r.l2.timeout = time.Second // for the queue to end
	r.l2.mu.Unlock()
	r.builder.hang(getPayloadMethod)
	require.Equal(t, localHash, hashOf(r.payload()))
	r.watch.mu.Lock()
	defer r.watch.mu.Unlock()
	require.Empty(t, r.watch.builds)
}

// The call that ends the local node's own building is not cut off by the builder's block coming first.
func TestLocalPayloadIsNotCutOff(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	gate, ended := make(chan struct{}), make(chan error, 1)
	r.l2.on(getPayloadMethod, handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
		<-gate
		ended <- ctx.Err()
		return envelope(fbs(localID, 1, false), nil), nil
	}))
	require.Equal(t, builderHash, hashOf(r.payload()))
	require.Equal(t, builderHash, hashOf(r.payload()), "the flight has landed")
	close(gate)
	require.NoError(t, <-ended)
}

// A block that reads differently to op-node, or that op-node cannot use, is none, however valid it is.
func TestTrickyBuilderAnswers(t *testing.T) {
	t.Parallel()
	good := string(envelope(fbs(builderID, 3, false), nil))
	block, err := json.Marshal(sealed(fbs(builderID, 3, false)))
	require.NoError(t, err)
	for name, answer := range map[string]string{
		"another recipient under another case": strings.Replace(good, `"feeRecipient"`, `"feeRecipient":"`+strings.ToLower(fees.Hex())+`","FeeRecipient"`, 1),
		"a payload that is taken away again":   good[:len(good)-1] + `,"executionPayload":null}`,
		"no envelope":                          string(block),
		"no beacon root":                       `{"executionPayload":` + string(block) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.begin()
			r.builder.on(getPayloadMethod, json.RawMessage(answer))
			require.Equal(t, localHash, hashOf(r.payload()))
		})
	}
}

// What waits for a builder that takes nothing is bounded in bytes, too, and holds on to no larger body.
func TestCopiesAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.MaxBody = 64 << 20 })
	r.builder.hang("eth_sendRawTransaction")
	r.l2.on("eth_sendRawTransaction", common.Hash{1})
	r.l2.on("eth_chainId", "0x1")
	body, err := json.Marshal([]any{
		map[string]any{"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": []any{"0x" + strings.Repeat("00", 1<<20)}},
		map[string]any{"jsonrpc": "2.0", "id": 2, "method": "eth_chainId", "params": []any{strings.Repeat("x", 1<<20)}},
	})
	require.NoError(t, err)
	reqs, _, err := jsonrpc.ParseBody(body)
	require.NoError(t, err)
	const count = 4 * copyBytes >> 21
	for range count {
		r.sidecar.copyToBuilder(&reqs[0])
	}
	require.LessOrEqual(t, len(r.sidecar.copies)*2<<20, copyBytes+2<<20)
	require.GreaterOrEqual(t, r.counter("rollup_boost_copied_calls_dropped_total"), count/2)
	r.builder.mu.Lock()
	calls := r.builder.calls
	r.builder.mu.Unlock()
	for _, call := range calls {
		require.LessOrEqual(t, cap(call.Raw), len(reqs[0].Raw)+len(reqs[0].Raw)/4)
	}
}
