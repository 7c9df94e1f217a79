// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// F1: what the local node says reaches op-node as it was said: INVALID, error codes, unknown fields.
func TestLocalAnswersAreUntouched(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		method string
		args   []any
		reply  any
		want   string
	}{
		"newPayload INVALID":      {"engine_newPayloadV4", []any{map[string]any{}, []any{}, beacon, []any{}}, payloadStatusOf(engine.INVALID), `"status":"INVALID"`},
		"unknown fields":          {"engine_newPayloadV3", []any{map[string]any{}, []any{}, beacon}, payloadStatusOf(engine.VALID), `"unheard":"of"`},
		"forkchoice INVALID":      {"engine_forkchoiceUpdatedV3", []any{state(parent), nil}, forkchoice(engine.INVALID, nil), `"status":"INVALID"`},
		"bad forkchoice state":    {"engine_forkchoiceUpdatedV3", []any{state(parent), nil}, &jsonrpc.Error{Code: -38002, Message: "Invalid forkchoice state", Data: json.RawMessage(`{"err":"x"}`)}, `-38002`},
		"bad attributes":          {"engine_forkchoiceUpdatedV3", attributes(parent, nil), &jsonrpc.Error{Code: -38003, Message: "Invalid payload attributes"}, `-38003`},
		"unknown payload":         {"engine_getPayloadV4", []any{localID}, &jsonrpc.Error{Code: -38001, Message: "Unknown payload"}, `-38001`},
		"a version yet to come":   {"engine_newPayloadV5", []any{map[string]any{"tomorrow": 1}}, payloadStatusOf(engine.VALID), `"status":"VALID"`},
		"an engine method (F15)":  {"engine_getPayloadBodiesByHashV1", []any{[]any{}}, []any{}, `"result":[]`},
		"a superchain signal":     {"engine_signalSuperchainV1", []any{map[string]any{}}, map[string]any{"required": "v1"}, `"required":"v1"`},
		"anything else":           {"eth_chainId", nil, "0x385", `"0x385"`},
		"a method nobody knows":   {"foo_bar", nil, &jsonrpc.Error{Code: -32601, Message: "the method foo_bar does not exist/is not available"}, `-32601`},
		"capabilities, unchanged": {"engine_exchangeCapabilities", []any{[]string{"engine_x"}}, []string{"engine_newPayloadV9"}, `["engine_newPayloadV9"]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.l2.on(tc.method, tc.reply)
			resp := r.call(tc.method, tc.args...)
			require.Contains(t, string(resp.Raw), tc.want)
			if rejected, ok := tc.reply.(*jsonrpc.Error); ok {
				require.Equal(t, rejected, resp.Error)
			}
		})
	}
}

// Requests reach the local node byte for byte (F14), and the builder too.
func TestRequestsAreUntouched(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	body := []byte(` {"id" : "odd id", "jsonrpc":"2.0","method":"engine_newPayloadV4", "params":[{"blockHash":"0x1","unheard" : [ 1 ]},[],null] } `)
	status, answer := r.post(body)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, string(answer), `"odd id"`)
	require.Equal(t, string(bytes.TrimSpace(body)), string(r.l2.asked(newPayloadMethod)[0].Raw))
	r.eventually("the builder has it", func() bool { return len(r.builder.asked(newPayloadMethod)) == 1 })
	require.Equal(t, string(bytes.TrimSpace(body)), string(r.builder.asked(newPayloadMethod)[0].Raw))
}

// F10: op-node gets the local node's answer at once, however the builder is.
func TestHungBuilderDelaysNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, method := range []string{forkchoiceMethod, newPayloadMethod, getPayloadMethod} {
		r.builder.hang(method)
	}
	r.builder.timeout = time.Millisecond // or the queue would hold up the end of the test
	require.Nil(t, r.call("engine_newPayloadV4", map[string]any{}, []any{}, beacon, []any{}).Error)
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", state(parent), nil).Error)
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", attributes(parent, nil)...).Error)
	require.Equal(t, localHash, hashOf(r.payload()))
}

// F12: the builder hears of a block before it is asked to build on it.
func TestBuilderHearsInOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	release := make(chan struct{})
	r.builder.on(newPayloadMethod, handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return payloadStatusOf(engine.VALID), nil
	}))
	r.call("engine_newPayloadV4", map[string]any{}, []any{}, beacon, []any{})
	r.call("engine_forkchoiceUpdatedV3", attributes(parent, nil)...)
	require.Empty(t, r.builder.asked(forkchoiceMethod))
	close(release)
	r.eventually("the build follows", func() bool { return len(r.builder.asked(forkchoiceMethod)) == 1 })
}

// noTxPool blocks are the local node's alone, and say nothing of the builder's health (F5).
func TestNoTxPool(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	args := attributes(parent, func(attrs map[string]any) { attrs["noTxPool"] = true })
	r.l2.on(forkchoiceMethod, forkchoice(engine.VALID, &localID))
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", args...).Error)
	require.Equal(t, localHash, hashOf(r.payload()))
	require.Empty(t, r.builder.asked("engine_"))
	r.watch.mu.Lock()
	defer r.watch.mu.Unlock()
	require.Empty(t, r.watch.builds)
	require.Empty(t, r.watch.calls[health.Builder])
}

// When op-node has the local node build on the same head alone, what the builder streams is no promise any
// more, and subscribers are told.
func TestLocalBuildEndsTheStream(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*rig) []any{
		"noTxPool": func(*rig) []any {
			return attributes(parent, func(attrs map[string]any) { attrs["noTxPool"] = true })
		},
		"withheld": func(r *rig) []any {
			r.watch.mu.Lock()
			defer r.watch.mu.Unlock()
			r.watch.withhold = true
			return attributes(parent, func(attrs map[string]any) { attrs["gasLimit"] = "0x1c9c381" })
		},
		"disabled": func(r *rig) []any {
			r.modes.SetMode(params.ModeDisabled)
			return attributes(parent, func(attrs map[string]any) { attrs["gasLimit"] = "0x1c9c381" })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.begin()
			list := fbs(builderID, 3, false)
			r.deliver(list[:2])
			r.l2.on(forkchoiceMethod, forkchoice(engine.VALID, &engine.PayloadID{0x03, 8}))
			require.Nil(t, r.call("engine_forkchoiceUpdatedV3", change(r)...).Error)
			r.deliver(list[2:])
			count, notices := r.published()
			require.Equal(t, 2, count)
			require.Contains(t, strings.Join(notices, ""), `"reorg":true`)
		})
	}
}

// A builder that says SYNCING but gives an id is asked for its block; one that fails is not waited for.
func TestBuilderAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reply any
		want  common.Hash
	}{
		"syncing with an id":    {forkchoice(engine.SYNCING, &builderID), builderHash},
		"syncing without an id": {forkchoice(engine.SYNCING, nil), localHash},
		"an error":              {&jsonrpc.Error{Code: -38003, Message: "no"}, localHash},
		"garbage":               {"garbage", localHash},
		"no answer":             {errInjected, localHash},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.builder.on(forkchoiceMethod, tc.reply)
			r.call("engine_forkchoiceUpdatedV3", attributes(parent, nil)...)
			require.Equal(t, tc.want, hashOf(r.payload()))
		})
	}
}

// F6: an unhealthy builder gets no builds, but everything that it needs to catch up.
func TestWithheldBuild(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.watch.withhold = true
	r.call("engine_forkchoiceUpdatedV3", attributes(parent, nil)...)
	r.call("engine_newPayloadV4", map[string]any{}, []any{}, beacon, []any{})
	r.eventually("the builder is kept up to date", func() bool { return len(r.builder.asked("engine_")) == 2 })
	for _, call := range r.builder.asked(forkchoiceMethod) {
		require.False(t, hasAttributes(&call))
	}
	require.Equal(t, localHash, hashOf(r.payload()))
}

// Transactions and limits reach both; whatever else only the local node.
func TestCopies(t *testing.T) {
	t.Parallel()
	for method, copied := range map[string]bool{
		"eth_sendRawTransaction": true, "eth_sendRawTransactionConditional": true, "miner_setExtra": true, "miner_setGasPrice": true,
		"miner_setGasLimit": true, "miner_setMaxDASize": true, "eth_chainId": false, "miner_start": false,
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.l2.on(method, true)
			r.builder.on(method, &jsonrpc.Error{Code: -1, Message: "nobody hears this"})
			resp := r.call(method, "0x1", "0x2")
			require.JSONEq(t, "true", string(resp.Result))
			require.Len(t, r.l2.asked(method), 1)
			if !copied {
				require.Empty(t, r.builder.asked(method))
				return
			}
			r.eventually("the builder has it", func() bool { return len(r.builder.asked(method)) == 1 })
			require.Equal(t, string(r.l2.asked(method)[0].Params), string(r.builder.asked(method)[0].Params))
		})
	}
}

// F15: every element of a batch is routed by its own rule, and answered in order.
func TestBatch(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.l2.on("eth_chainId", "0x385")
	r.l2.on("eth_sendRawTransaction", common.Hash{1})
	attrs, err := json.Marshal(attributes(parent, nil))
	require.NoError(t, err)
	body := fmt.Sprintf(`[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},
		{"jsonrpc":"2.0","id":"two","method":"engine_forkchoiceUpdatedV3","params":%s},
		{"jsonrpc":"2.0","method":"eth_chainId"}, 5, {"jsonrpc":"2.0","id":3,"method":"eth_sendRawTransaction","params":["0x02"]},
		{"jsonrpc":"2.0","id":4,"method":"engine_newPayloadV4","params":[{},[],null,[]]}]`, attrs)
	status, answer := r.post([]byte(body))
	require.Equal(t, http.StatusOK, status)
	var list []struct {
		ID     any             `json:"id"`
		Result json.RawMessage `json:"result"`
		Error  *jsonrpc.Error  `json:"error"`
	}
	require.NoError(t, json.Unmarshal(answer, &list), "%s", answer)
	require.Len(t, list, 5, "a notification has no answer")
	require.EqualValues(t, 1, list[0].ID)
	require.Equal(t, "two", list[1].ID)
	require.Contains(t, string(list[1].Result), localID.String())
	require.Equal(t, jsonrpc.CodeInvalidRequest, list[2].Error.Code)
	require.EqualValues(t, 3, list[3].ID)
	require.EqualValues(t, 4, list[4].ID)
	require.NotNil(t, r.store.Lookup(localID), "a round began")
	r.eventually("the transaction is copied", func() bool { return len(r.builder.asked("eth_sendRawTransaction")) == 1 })

	status, answer = r.post([]byte(`[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},{"jsonrpc":"2.0","id":2,"method":"eth_chainId"}]`))
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, 2, strings.Count(string(answer), "0x385"))
}

// A local node that does not answer is a passing failure in op-node's eyes; once it is back, so is the sidecar.
func TestLocalOutage(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.l2.on("eth_chainId", errInjected)
	r.l2.on(newPayloadMethod, errInjected)
	for _, method := range []string{"eth_chainId", "engine_newPayloadV4"} {
		resp := r.call(method)
		require.NotNil(t, resp.Error)
		require.Equal(t, jsonrpc.CodeInternal, resp.Error.Code)
	}
	r.l2.on("eth_chainId", "0x1")
	require.Nil(t, r.call("eth_chainId").Error)
}

// Without a builder the sidecar is a transparent proxy.
func TestNoBuilder(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Builder, c.Rounds = nil, nil })
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", attributes(parent, nil)...).Error)
	require.Equal(t, localHash, hashOf(r.payload()))
	require.Nil(t, r.call("engine_newPayloadV4", map[string]any{}, []any{}, beacon, []any{}).Error)
	r.l2.on("miner_setMaxDASize", true)
	require.Nil(t, r.call("miner_setMaxDASize", "0x1", "0x2").Error)
}

// F21: what is in progress when the sidecar is told to stop is answered.
func TestStopDrains(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	var (
		entered = make(chan struct{})
		release = make(chan struct{})
	)
	r.l2.on(newPayloadMethod, handler(func(context.Context, *jsonrpc.Request) (any, error) {
		close(entered)
		<-release
		return payloadStatusOf(engine.VALID), nil
	}))
	answers := make(chan []byte, 1)
	go func() {
		_, answer := r.post([]byte(`{"jsonrpc":"2.0","id":1,"method":"engine_newPayloadV4","params":[{}]}`))
		answers <- answer
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- r.sidecar.Stop(context.WithoutCancel(t.Context())) }()
	r.eventually("nobody is let in any more", func() bool {
		resp, err := http.DefaultClient.Get("http://" + r.sidecar.Addr().String())
		return err != nil || resp.Body.Close() != nil
	})
	close(release)
	require.Contains(t, string(<-answers), engine.VALID)
	require.NoError(t, <-stopped)
}

// 5,000 forkchoice updates at once are all answered, and the builder is asked a handful of times (#347).
func TestBurst(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	release := make(chan struct{})
	r.builder.on(forkchoiceMethod, handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return forkchoice(engine.VALID, nil), nil
	}))
	const burst = 5000
	for i := range burst {
		resp := r.call("engine_forkchoiceUpdatedV3", state(common.BigToHash(common.Big1)), nil)
		require.Nil(t, resp.Error, "call %d", i)
	}
	close(release)
	r.eventually("the builder has the last one", func() bool { return r.sidecar.builder.Len() == 0 })
	require.Less(t, len(r.builder.asked(forkchoiceMethod)), burst/10)
}

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
