// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"
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
	require.Empty(t, r.l2.asked(""))

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

// Callers need a token if the operator says so.
func TestInboundToken(t *testing.T) {
	t.Parallel()
	var (
		secret = bytes.Repeat([]byte{7}, 32)
		now    = time.Unix(blockTime, 0)
		sign   = func(secret []byte, issued time.Time) string {
			token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{IssuedAt: jwt.NewNumericDate(issued)}).SignedString(secret)
			require.NoError(t, err)
			return "Bearer " + token
		}
	)
	r := newRig(t, func(c *Config) { c.Secret = secret })
	r.l2.on("eth_chainId", "0x1")
	for name, tc := range map[string]struct {
		header string
		want   int
	}{
		"none":         {"", http.StatusUnauthorized},
		"not a token":  {"Bearer x", http.StatusUnauthorized},
		"other secret": {sign(bytes.Repeat([]byte{8}, 32), now), http.StatusUnauthorized},
		"stale":        {sign(secret, now.Add(-2*time.Minute)), http.StatusUnauthorized},
		"early":        {sign(secret, now.Add(2*time.Minute)), http.StatusUnauthorized},
		"good":         {sign(secret, now), http.StatusOK},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.sidecar.Addr().String(), strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}`))
		require.NoError(t, err)
		if tc.header != "" {
			req.Header.Set("Authorization", tc.header)
		}
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, tc.want, resp.StatusCode, name)
	}
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
