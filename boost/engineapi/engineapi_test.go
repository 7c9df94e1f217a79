// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engineapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// Every version of the three methods is known, and nothing else.
func TestParseMethod(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Method{
		"engine_forkchoiceUpdatedV3":  {KindForkchoiceUpdated, 3},
		"engine_newPayloadV1":         {KindNewPayload, 1},
		"engine_getPayloadV9":         {KindGetPayload, 9},
		"engine_getPayloadV0":         {},
		"engine_getPayloadV":          {},
		"engine_getPayloadV10":        {},
		"engine_getPayloadBodiesByV1": {},
		"xengine_newPayloadV1":        {},
		"":                            {},
	} {
		require.Equal(t, want, ParseMethod(name), name)
	}
}

// The builder's id counts whatever it says of the head, the local one only for a head that is valid.
func TestAnswersToBuilds(t *testing.T) {
	t.Parallel()
	rejected := &jsonrpc.Error{Code: -38003, Message: "no", Data: json.RawMessage("1")}
	for name, tc := range map[string]struct {
		resp           *jsonrpc.Response
		err            error
		builder, local bool // there is an id
		noID           bool // the error says so
	}{
		"valid":       {resp: result(`{"payloadStatus":{"status":"VALID"},"payloadId":"0x0300000000000001"}`), builder: true, local: true},
		"syncing":     {resp: result(`{"payloadStatus":{"status":"SYNCING"},"payloadId":"0x0300000000000001"}`), builder: true, noID: true},
		"without one": {resp: result(`{"payloadStatus":{"status":"VALID"},"payloadId":null}`), noID: true},
		"garbage":     {resp: result(`[]`)},
		"an error":    {resp: &jsonrpc.Response{Error: rejected}},
		"no answer":   {err: errors.New("gone")},
	} {
		id, err := BuildAnswer(tc.resp, tc.err)
		require.Equal(t, tc.builder, err == nil, name)
		require.Equal(t, tc.builder, id == engine.PayloadID{3, 7: 1}, name)
		own, ownErr := LocalAnswer(tc.resp, tc.err)
		require.Equal(t, tc.local, ownErr == nil, name)
		require.Equal(t, tc.local, own == engine.PayloadID{3, 7: 1}, name)
		require.Equal(t, tc.noID, errors.Is(ownErr, ErrNoPayloadID), name)
	}
	_, err := BuildAnswer(&jsonrpc.Response{Error: rejected}, nil)
	var kept *jsonrpc.Error
	require.ErrorAs(t, err, &kept)
	require.Empty(t, kept.Data, "what is kept for long holds on to no answer")
}

func result(raw string) *jsonrpc.Response { return &jsonrpc.Response{Result: json.RawMessage(raw)} }

// Answers have the id of their requests, and what failed is a passing failure to op-node unless it was said otherwise.
func TestAnswer(t *testing.T) {
	t.Parallel()
	req := PayloadRequest(4, engine.PayloadID{3, 7: 1})
	require.Equal(t, "engine_getPayloadV4", req.Method)
	require.Equal(t, `["0x0300000000000001"]`, string(req.Params))
	resp, err := jsonrpc.ParseResponse([]byte(`{"jsonrpc":"2.0","id":1,"result":{"unheard":"of"}}`))
	require.NoError(t, err)
	require.Equal(t, string(resp.Raw), string(Answer(req, resp, nil)))
	want := `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"gone"}}`
	require.Equal(t, want, string(Answer(req, nil, errors.New("gone"))))
	busy := &jsonrpc.Error{Code: -32005, Message: "busy"}
	require.Same(t, busy, Failure(fmt.Errorf("wrapped: %w", busy)))
}

// Spans have rollup-boost's names.
func TestSpans(t *testing.T) {
	t.Parallel()
	set := metrics.NewSet()
	at := time.Unix(1, 0)
	ForkchoiceSpan("engine_forkchoiceUpdatedV3").Observe(set, at, at.Add(time.Second), new(jsonrpc.Response), nil)
	NewPayloadSpan("engine_newPayloadV4").Observe(set, at, at.Add(time.Second), nil, errors.New("gone"))
	Span{Name: "x", Labels: `,a="b"`}.Observe(set, at, at.Add(time.Second), &jsonrpc.Response{Error: &jsonrpc.Error{Code: -1}}, nil)
	var out strings.Builder
	set.WritePrometheus(&out)
	for _, want := range []string{
		`rollup_boost_fork_choice_updated_v3_duration_sum{span_kind="Server",status="ok"} 1`,
		`rollup_boost_new_payload_v4_duration_sum{span_kind="Server",status="error"} 1`,
		`rollup_boost_x_duration_sum{span_kind="Server",status="error",code="-1",a="b"} 1`,
	} {
		require.Contains(t, out.String(), want)
	}
}
