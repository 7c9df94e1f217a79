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

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
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
		"newPayload INVALID":      {"engine_newPayloadV4", []any{map[string]any{}, []any{}, eltest.Beacon, []any{}}, eltest.PayloadStatus(engine.INVALID), `"status":"INVALID"`},
		"unknown fields":          {"engine_newPayloadV3", []any{map[string]any{}, []any{}, eltest.Beacon}, eltest.PayloadStatus(engine.VALID), `"unheard":"of"`},
		"forkchoice INVALID":      {"engine_forkchoiceUpdatedV3", []any{eltest.State(eltest.Parent), nil}, eltest.Forkchoice(engine.INVALID, nil), `"status":"INVALID"`},
		"bad forkchoice state":    {"engine_forkchoiceUpdatedV3", []any{eltest.State(eltest.Parent), nil}, &jsonrpc.Error{Code: -38002, Message: "Invalid forkchoice state", Data: json.RawMessage(`{"err":"x"}`)}, `-38002`},
		"bad attributes":          {"engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil), &jsonrpc.Error{Code: -38003, Message: "Invalid payload attributes"}, `-38003`},
		"unknown payload":         {"engine_getPayloadV4", []any{eltest.LocalID}, &jsonrpc.Error{Code: -38001, Message: "Unknown payload"}, `-38001`},
		"a version yet to come":   {"engine_newPayloadV5", []any{map[string]any{"tomorrow": 1}}, eltest.PayloadStatus(engine.VALID), `"status":"VALID"`},
		"an engine method (F15)":  {"engine_getPayloadBodiesByHashV1", []any{[]any{}}, []any{}, `"result":[]`},
		"a superchain signal":     {"engine_signalSuperchainV1", []any{map[string]any{}}, map[string]any{"required": "v1"}, `"required":"v1"`},
		"anything else":           {"eth_chainId", nil, "0x385", `"0x385"`},
		"a method nobody knows":   {"foo_bar", nil, &jsonrpc.Error{Code: -32601, Message: "the method foo_bar does not exist/is not available"}, `-32601`},
		"capabilities, unchanged": {"engine_exchangeCapabilities", []any{[]string{"engine_x"}}, []string{"engine_newPayloadV9"}, `["engine_newPayloadV9"]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.l2.On(tc.method, tc.reply)
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
	require.Equal(t, string(bytes.TrimSpace(body)), string(r.l2.Asked(engineapi.NewPayload)[0].Raw))
	r.eventually("the builder has it", func() bool { return len(r.builder.Asked(engineapi.NewPayload)) == 1 })
	require.Equal(t, string(bytes.TrimSpace(body)), string(r.builder.Asked(engineapi.NewPayload)[0].Raw))
}

// F10: op-node gets the local node's answer at once, however the builder is.
func TestHungBuilderDelaysNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, method := range []string{engineapi.ForkchoiceUpdated, engineapi.NewPayload, engineapi.GetPayload} {
		r.builder.Hang(method)
	}
	r.builder.SetTimeout(time.Millisecond) // or the queue would hold up the end of the test
	require.Nil(t, r.call("engine_newPayloadV4", map[string]any{}, []any{}, eltest.Beacon, []any{}).Error)
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", eltest.State(eltest.Parent), nil).Error)
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...).Error)
	require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
}

// noTxPool blocks are the local node's alone, and say nothing of the builder's health (F5).
func TestNoTxPool(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	args := eltest.Attributes(eltest.Parent, func(attrs map[string]any) { attrs["noTxPool"] = true })
	r.l2.On(engineapi.ForkchoiceUpdated, eltest.Forkchoice(engine.VALID, &eltest.LocalID))
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", args...).Error)
	require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
	require.Empty(t, r.builder.Asked("engine_"))
	require.Empty(t, r.watch.Builds())
	require.Empty(t, r.watch.Calls(health.Builder))
}

// A builder that says SYNCING but gives an id is asked for its block; one that fails is not waited for.
func TestBuilderAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reply any
		want  common.Hash
	}{
		"syncing with an id":    {eltest.Forkchoice(engine.SYNCING, &eltest.BuilderID), eltest.BuilderHash},
		"syncing without an id": {eltest.Forkchoice(engine.SYNCING, nil), eltest.LocalHash},
		"an error":              {&jsonrpc.Error{Code: -38003, Message: "no"}, eltest.LocalHash},
		"garbage":               {"garbage", eltest.LocalHash},
		"no answer":             {eltest.ErrInjected, eltest.LocalHash},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.builder.On(engineapi.ForkchoiceUpdated, tc.reply)
			r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...)
			require.Equal(t, tc.want, eltest.HashOf(r.payload()))
		})
	}
}

// F6: an unhealthy builder gets no builds, but everything that it needs to catch up.
func TestWithheldBuild(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.watch.Withhold()
	r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...)
	r.call("engine_newPayloadV4", map[string]any{}, []any{}, eltest.Beacon, []any{})
	r.eventually("the builder is kept up to date", func() bool { return len(r.builder.Asked("engine_")) == 2 })
	for _, call := range r.builder.Asked(engineapi.ForkchoiceUpdated) {
		require.False(t, eltest.HasAttributes(&call))
	}
	require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
}

// F15: every element of a batch is routed by its own rule, and answered in order.
func TestBatch(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.l2.On("eth_chainId", "0x385")
	r.l2.On("eth_sendRawTransaction", common.Hash{1})
	attrs, err := json.Marshal(eltest.Attributes(eltest.Parent, nil))
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
	require.Contains(t, string(list[1].Result), eltest.LocalID.String())
	require.Equal(t, jsonrpc.CodeInvalidRequest, list[2].Error.Code)
	require.EqualValues(t, 3, list[3].ID)
	require.EqualValues(t, 4, list[4].ID)
	require.NotNil(t, r.rounds.Lookup(eltest.LocalID), "a round began")
	r.eventually("the transaction is copied", func() bool { return len(r.builder.Asked("eth_sendRawTransaction")) == 1 })

	status, answer = r.post([]byte(`[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},{"jsonrpc":"2.0","id":2,"method":"eth_chainId"}]`))
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, 2, strings.Count(string(answer), "0x385"))
}

// A local node that does not answer is a passing failure in op-node's eyes; once it is back, so is the sidecar.
func TestLocalOutage(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.l2.On("eth_chainId", eltest.ErrInjected)
	r.l2.On(engineapi.NewPayload, eltest.ErrInjected)
	for _, method := range []string{"eth_chainId", "engine_newPayloadV4"} {
		resp := r.call(method)
		require.NotNil(t, resp.Error)
		require.Equal(t, jsonrpc.CodeInternal, resp.Error.Code)
	}
	r.l2.On("eth_chainId", "0x1")
	require.Nil(t, r.call("eth_chainId").Error)
}

// Without a builder the sidecar is a transparent proxy.
func TestNoBuilder(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Builder, c.Rounds = nil, nil })
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...).Error)
	require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
	require.Nil(t, r.call("engine_newPayloadV4", map[string]any{}, []any{}, eltest.Beacon, []any{}).Error)
	r.l2.On("miner_setMaxDASize", true)
	require.Nil(t, r.call("miner_setMaxDASize", "0x1", "0x2").Error)
}

// 5,000 forkchoice updates at once are all answered, and the builder is asked a handful of times (#347).
func TestBurst(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	release := make(chan struct{})
	r.builder.On(engineapi.ForkchoiceUpdated, eltest.Handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return eltest.Forkchoice(engine.VALID, nil), nil
	}))
	const burst = 5000
	for i := range burst {
		resp := r.call("engine_forkchoiceUpdatedV3", eltest.State(common.BigToHash(common.Big1)), nil)
		require.Nil(t, resp.Error, "call %d", i)
	}
	close(release)
	r.eventually("the builder has the last one", func() bool { return r.sidecar.builder.Len() == 0 })
	require.Less(t, len(r.builder.Asked(engineapi.ForkchoiceUpdated)), burst/10)
}
