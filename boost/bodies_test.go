// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// What is no request gets a JSON-RPC error, and harms nobody.
func TestBadBodies(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.MaxBody = 1 << 10 })
	for body, code := range map[string]int{
		"":                           jsonrpc.CodeParse,
		"{":                          jsonrpc.CodeParse,
		"[]":                         jsonrpc.CodeInvalidRequest,
		`{"id":1}`:                   jsonrpc.CodeInvalidRequest,
		`{"method":"a","method":""}`: jsonrpc.CodeInvalidRequest,
		strings.Repeat("[", 900):     jsonrpc.CodeParse,
		`{"jsonrpc":"2.0","id":1,"method":"engine_forkchoiceUpdatedV3","params":{"a":1}}`: jsonrpc.CodeInvalidParams,
	} {
		status, answer := r.post([]byte(body))
		require.Equal(t, http.StatusOK, status)
		resp, err := jsonrpc.ParseResponse(answer)
		require.NoError(t, err, "%q: %s", body, answer)
		require.NotNil(t, resp.Error, "%q: %s", body, answer)
		require.Equal(t, code, resp.Error.Code, "%q", body)
	}
	status, answer := r.post(bytes.Repeat([]byte(" "), 2<<10))
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
	require.Contains(t, string(answer), "too large")
	require.Empty(t, r.l2.Asked(""))

	resp, err := http.Get("http://" + r.sidecar.Addr().String())
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
}

// F16: a body of 50 MB is refused by the limit, one of 20 MB is not.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	body := func(size int) []byte {
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"engine_newPayloadV4","params":["%s"]}`, bytes.Repeat([]byte("a"), size))
	}
	status, _ := r.post(body(50 << 20))
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
	status, answer := r.post(body(20 << 20))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, string(answer), engine.VALID)
}

// The answers to a batch are bounded like any other.
func TestBatchAnswerIsBounded(t *testing.T) {
	t.Parallel()
	const most = 4 << 10
	r := newRig(t, func(c *Config) { c.MaxBatch = most })
	r.l2.On("eth_getLogs", string(bytes.Repeat([]byte("a"), most/2)))
	status, answer := r.post([]byte(`[{"jsonrpc":"2.0","id":1,"method":"eth_getLogs"},{"jsonrpc":"2.0","id":2,"method":"eth_getLogs"},{"jsonrpc":"2.0","id":3,"method":"engine_newPayloadV4"}]`))
	require.Equal(t, http.StatusOK, status)
	require.Less(t, len(answer), most)
	require.Contains(t, string(answer[most/2:]), `"id":2,"error":{"code":-32003`)
	require.Contains(t, string(answer[most/2:]), `"id":3,"result"`)
}

// FuzzBody gives the sidecar any body at all: it answers, and goes on.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"engine_getPayloadV4","params":["0x0301000000000000"]}`))
	f.Add([]byte(`[{"jsonrpc":"2.0","id":1,"method":"engine_forkchoiceUpdatedV3","params":[{},{}]},{"method":"x"}]`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":null,"method":"engine_newPayloadV4"}`))
	r := newRig(f, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.sidecar.Addr().String(), bytes.NewReader(body))
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
	})
}
