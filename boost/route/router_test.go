// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package route

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// Each engine call goes to who has a part in it, any version of it; everything else is passed on.
func TestCall(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{
		"engine_forkchoiceUpdatedV3":      "forkchoice",
		"engine_newPayloadV9":             "newPayload",
		"engine_getPayloadV4":             "getPayload 4",
		"engine_getPayloadBodiesByHashV1": "passed on",
		"engine_newPayloadV10":            "passed on",
		"eth_chainId":                     "passed on",
	} {
		r := newRig(t, 0)
		r.l2.On("", "passed on")
		require.Contains(t, string(r.call(method)), `"result":"`+want+`"`, method)
		passed := want == "passed on"
		require.Equal(t, passed, r.router.PassesOn(eltest.Request(method)), method)
		require.Equal(t, passed, len(r.l2.Asked(method)) == 1, method)
		require.Equal(t, passed, len(r.parts.calls) == 0, method)
		require.Equal(t, passed, len(r.parts.copied) == 1, "whoever copies looks at it: %s", method)
	}
}

// What is no request is answered with what is wrong with it, and a notification not at all.
func TestCallsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	wrong := &jsonrpc.Request{Err: &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: "no"}}
	require.False(t, r.router.PassesOn(wrong))
	require.Contains(t, string(r.router.Call(t.Context(), nil, wrong)), `"message":"no"`)
	for _, method := range []string{"engine_newPayloadV4", "eth_chainId"} {
		require.Empty(t, r.router.Call(t.Context(), nil, &jsonrpc.Request{Method: method, Raw: []byte(`{"jsonrpc":"2.0","method":"eth_chainId"}`)}))
	}
	require.Equal(t, []string{"newPayload"}, r.parts.calls)
	require.Len(t, r.l2.Asked("eth_chainId"), 1)
}
