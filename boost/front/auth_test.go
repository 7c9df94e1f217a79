// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package front

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/route"
)

// Callers need a token if the operator says so.
func TestInboundToken(t *testing.T) {
	t.Parallel()
	var (
		secret = bytes.Repeat([]byte{7}, 32)
		now    = time.Unix(eltest.BlockTime, 0)
		sign   = func(secret []byte, issued time.Time) string {
			token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{IssuedAt: jwt.NewNumericDate(issued)}).SignedString(secret)
			require.NoError(t, err)
			return "Bearer " + token
		}
	)
	r := newRig(t, func(c *Config) { c.Secret = secret })
	r.routes.forward = func(context.Context, *route.Body) (*backend.Reply, error) {
		return &backend.Reply{Status: http.StatusOK}, nil
	}
	for name, tc := range map[string]struct {
		header string
		want   int
	}{
		"none":         {"", http.StatusUnauthorized},
		"not a token":  {"Bearer x", http.StatusUnauthorized},
		"other secret": {sign(bytes.Repeat([]byte{8}, 32), now), http.StatusUnauthorized},
		"stale":        {sign(secret, now.Add(-2*time.Minute)), http.StatusUnauthorized},
		"early":        {sign(secret, now.Add(2*time.Minute)), http.StatusUnauthorized},
		"no scheme":    {strings.TrimPrefix(sign(secret, now), "Bearer "), http.StatusUnauthorized},
		"another":      {strings.Replace(sign(secret, now), "Bearer", "Basic", 1), http.StatusUnauthorized},
		"good":         {sign(secret, now), http.StatusOK},
		"lower case":   {strings.Replace(sign(secret, now), "Bearer", "bearer", 1), http.StatusOK},
		"upper case":   {strings.Replace(sign(secret, now), "Bearer ", "BEARER   ", 1), http.StatusOK},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url(), strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}`))
		require.NoError(t, err)
		if tc.header != "" {
			req.Header.Set("Authorization", tc.header)
		}
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, tc.want, resp.StatusCode, name)
	}
	require.Equal(t, 7, r.counter("rollup_boost_unauthorized_requests_total"))
	require.Len(t, r.routes.made(), 3, "nobody else gets through")
}

// A page in somebody's browser must not reach the Engine API, for which the sidecar has the secret.
func TestBrowsersAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, header := range []http.Header{{"Origin": {"http://elsewhere.example"}}, {"Sec-Fetch-Site": {"cross-site"}}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url(),
			bytes.NewReader(eltest.Encode("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...)))
		require.NoError(t, err)
		req.Header = header
		req.Header.Set("Content-Type", "text/plain")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusForbidden, resp.StatusCode)
	}
	require.Empty(t, r.routes.made())
}
