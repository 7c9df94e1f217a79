// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// A local node that gives a payload id for a head it has not found valid gets no round.
func TestLocalHeadMustBeValid(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.l2.On(engineapi.ForkchoiceUpdated, eltest.Forkchoice(engine.SYNCING, &eltest.LocalID))
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...).Error)
	require.Nil(t, r.rounds.Lookup(eltest.LocalID))
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false))
	count, _ := r.rounds.Published()
	require.Zero(t, count)
	require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
}

// F3: a caller who hangs up before the local node has answered leaves nothing behind: the repeated call gets
// the round, and its flashblocks.
func TestHungUpForkchoice(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	gate, reached := make(chan struct{}), make(chan struct{}, 1)
	before := r.l2.Handler(engineapi.ForkchoiceUpdated)
	r.l2.On(engineapi.ForkchoiceUpdated, eltest.Handler(func(ctx context.Context, req *jsonrpc.Request) (any, error) {
		reached <- struct{}{}
		<-gate
		return before(ctx, req)
	}))
	hungUp, hangUp := context.WithCancel(t.Context())
	told := make(chan error, 1)
	go func() {
		_, err := r.send(hungUp, eltest.Encode("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...))
		told <- err
	}()
	<-reached
	hangUp()
	require.Error(t, <-told)
	close(gate)
	r.l2.On(engineapi.ForkchoiceUpdated, before)
	r.begin()
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false))
	count, _ := r.rounds.Published()
	require.Equal(t, 3, count)
	require.Equal(t, eltest.BuilderHash, eltest.HashOf(r.payload()))
}

// Whoever asked for the block has hung up when it is found. It is the block all the same.
func TestHungUpGetPayload(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false))
	reached, gate := make(chan struct{}, 1), make(chan struct{})
	r.builder.On(engineapi.GetPayload, eltest.Handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
		reached <- struct{}{}
		select {
		case <-gate:
			return eltest.Envelope(eltest.Flashblocks(eltest.BuilderID, 3, false), nil), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}))
	hungUp, hangUp := context.WithCancel(t.Context())
	told := make(chan error, 1)
	go func() {
		_, err := r.send(hungUp, eltest.Encode("engine_getPayloadV4", eltest.LocalID))
		told <- err
	}()
	<-reached
	hangUp()
	require.Error(t, <-told)
	close(gate)
	require.Equal(t, eltest.BuilderHash, eltest.HashOf(r.payload()))
	require.Len(t, r.builder.Asked(engineapi.GetPayload), 1)
}

// Once it is known which version of engine_getPayload op-node uses, a block whose roots are streamed is judged while it
// comes, and not again.
func TestBlocksAreJudgedAhead(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.call("engine_getPayloadV4", engine.PayloadID{0x03, 0xff})
	r.begin()
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, true)[:1])
	judged := func() int { return r.counter("rollup_boost_prefixes_validated_ahead_total") }
	r.eventually("the first flashblock is judged", func() bool { return judged() == 1 })
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, true)[1:])
	var asked int
	r.eventually("the last one is", func() bool {
		calls := r.l2.Asked(engineapi.NewPayload)
		asked = len(calls)
		return judged() == asked && strings.Contains(string(calls[asked-1].Params), eltest.BuilderHash.Hex())
	})
	require.Equal(t, eltest.BuilderHash, eltest.HashOf(r.payload()))
	require.Len(t, r.l2.Asked(engineapi.NewPayload), asked)
}

// However many proxied calls hang, engine calls get through; more than may wait are refused.
func TestEngineCallsPassProxiedOnes(t *testing.T) {
	t.Parallel()
	const slots = 2
	r := newRig(t, func(c *Config) { c.Proxied = slots })
	gate := make(chan struct{})
	r.l2.On("eth_call", eltest.Handler(func(context.Context, *jsonrpc.Request) (any, error) {
		<-gate
		return "0x", nil
	}))
	const most = slots * (1 + 16) // pass on or wait for that
	var wg sync.WaitGroup
	answers := make(chan []byte, most+1)
	for range most + 1 {
		wg.Go(func() {
			answer, err := r.send(t.Context(), eltest.Encode("eth_call"))
			if err == nil {
				answers <- answer
			}
		})
	}
	// One is refused, and that as soon as all others wait.
	refused, err := jsonrpc.ParseResponse(<-answers)
	require.NoError(t, err)
	require.NotNil(t, refused.Error)
	require.Equal(t, -32005, refused.Error.Code)
	r.eventually("the slots are taken", func() bool { return len(r.l2.Asked("eth_call")) == slots })

	r.begin()
	require.Equal(t, eltest.BuilderHash, eltest.HashOf(r.payload()))
	resp := r.call("engine_newPayloadV4", map[string]any{}, []any{}, eltest.Beacon, []any{})
	require.Nil(t, resp.Error)

	close(gate)
	wg.Wait()
	close(answers)
	count := 0
	for answer := range answers {
		require.Contains(t, string(answer), `"result":"0x"`)
		count++
	}
	require.Equal(t, most, count)
	require.Len(t, r.l2.Asked("eth_call"), most)
	require.Contains(t, string(r.call("eth_call").Raw), `"result":"0x"`, "all have left")
}
