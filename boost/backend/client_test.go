// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

func TestCallPassesBytes(t *testing.T) {
	t.Parallel()
	const answer = `{"jsonrpc":"2.0", "id":1,"result":{"status" : "INVALID","later fork":[1]},"extra":0}`
	e := newEL(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
	c := newClient(t, e.URL+"/engine?a=b", func(cfg *Config) { cfg.UserAgent = "flashboost/v1.2.3" })
	reqs, _, err := jsonrpc.ParseBody([]byte(` {"id":1, "method":"engine_newPayloadV4","params":[{"new": 1}],"x":2} `))
	require.NoError(t, err)
	res, err := c.Call(t.Context(), &reqs[0])
	require.NoError(t, err)
	requireBytes(t, answer, string(res.Raw))
	got := e.requests()[0]
	requireBytes(t, `{"id":1, "method":"engine_newPayloadV4","params":[{"new": 1}],"x":2}`, got.body)
	require.Equal(t, "flashboost/v1.2.3", got.header.Get("User-Agent"))
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.NotContains(t, got.header, "Idempotency-Key", "the mark is for net/http only")
	require.Empty(t, got.header.Get("Accept-Encoding"))
}

func TestCallErrorObject(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusInternalServerError} {
		e := newEL(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"id":1,"error":{"code":-38003,"message":"bad attributes"}}`)
		})
		res, err := newClient(t, e.URL, nil).Call(t.Context(), request("engine_forkchoiceUpdatedV3"))
		require.NoError(t, err)
		require.Equal(t, -38003, res.Error.Code)
	}
}

func TestCallFails(t *testing.T) {
	t.Parallel()
	const ok = `{"id":1,"result":1}`
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		want    error
		text    string
	}{
		"plain 401": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "missing token", http.StatusUnauthorized)
		}, ErrAuth, `builder: engine_newPayloadV4: the JWT was refused; check that both sides hold the same secret`},
		"403": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, ErrAuth, "403"},
		"web page": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html>")
		}, ErrMalformed, `"<html>"`},
		"another id of nothing": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"id":1}`) }, ErrMalformed, "neither"},
		"empty":                 {func(http.ResponseWriter, *http.Request) {}, ErrMalformed, "engine"},
		"bad gateway": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "upstream down", http.StatusBadGateway)
		}, ErrStatus, "502"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, ErrStatus, "307"},
		"result with a bad status": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, ok)
		}, ErrStatus, "418"},
		"too large": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"id":1,"result":"`+strings.Repeat("x", 2000)+`"}`)
		}, ErrTooLarge, "1000"},
		"too large without a length": {func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, `{"id":1,"result":"`+strings.Repeat("x", 2000)+`"}`)
		}, ErrTooLarge, "1000"},
		"bomb": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			zip := gzip.NewWriter(w)
			_, _ = io.WriteString(zip, strings.Repeat(" ", 1<<20))
			_ = zip.Close()
		}, ErrTooLarge, "1000"},
		"not gzip": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, ok)
		}, ErrMalformed, "gzip"},
		"unknown encoding": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = io.WriteString(w, ok)
		}, ErrMalformed, "br"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			_, _ = io.WriteString(w, ok)
		}, ErrTransport, "EOF"},
		"connection closed": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ErrTransport, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEL(t, tc.handler)
			c := newClient(t, e.URL, func(cfg *Config) { cfg.MaxResponse = 1000 })
			_, err := c.Call(t.Context(), request("engine_newPayloadV4"))
			require.ErrorIs(t, err, tc.want)
			require.ErrorContains(t, err, tc.text)
			var call *CallError
			require.ErrorAs(t, err, &call)
			require.Equal(t, "builder", call.Backend)
			require.Equal(t, "engine_newPayloadV4", call.Method)
			require.Contains(t, exposition(c.cfg.Metrics), `method="engine_newPayloadV4",status="`+Reason(tc.want)+`"`)
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	e := newEL(t, nil)
	e.Close()
	_, err := newClient(t, e.URL, nil).Call(t.Context(), request("engine_newPayloadV4"))
	require.ErrorIs(t, err, ErrUnreachable)
	require.Equal(t, "unreachable", Reason(err))
}

func TestGzip(t *testing.T) {
	t.Parallel()
	e := newEL(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		_, _ = io.WriteString(zip, `{"id":1,"result":"packed"}`)
		_ = zip.Close()
	})
	res, err := newClient(t, e.URL, nil).Call(t.Context(), request("engine_getPayloadV4"))
	require.NoError(t, err)
	require.Equal(t, `"packed"`, string(res.Result))
}

func TestNotification(t *testing.T) {
	t.Parallel()
	e := newEL(t, func(http.ResponseWriter, *http.Request) {})
	req := jsonrpc.NewRequest(nil, "eth_call")
	res, err := newClient(t, e.URL, nil).Call(t.Context(), &req)
	require.NoError(t, err)
	require.Empty(t, res.Raw)
}

// TestTimeouts: a backend that accepts and never answers costs a call its own limit.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	e := newEL(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	c := newClient(t, e.URL, func(cfg *Config) {
		cfg.Timeout = 10 * time.Millisecond
		cfg.Timeouts = map[string]time.Duration{"engine_": 30 * time.Millisecond, "engine_newPayload": 20 * time.Millisecond, "eth_call": long}
	})
	for method, want := range map[string]time.Duration{
		"miner_setExtra":       10 * time.Millisecond,
		"engine_getPayloadV3":  30 * time.Millisecond,
		"engine_newPayloadV4":  20 * time.Millisecond,
		"eth_call":             long,
		"engine_newPayload":    20 * time.Millisecond,
		"engine_newPayloa":     30 * time.Millisecond,
		"ENGINE_newPayloadV4":  10 * time.Millisecond,
		"eth_getBlockByNumber": 10 * time.Millisecond,
	} {
		require.Equal(t, want, c.Timeout(method), method)
		if want == long {
			continue
		}
		_, err := c.Call(t.Context(), request(method))
		require.ErrorIs(t, err, ErrTimeout)
		require.ErrorContains(t, err, want.String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := c.Call(ctx, request("eth_call"))
		gone <- err
	}()
	require.Eventually(t, func() bool { return strings.Contains(strings.Join(e.methods(), " "), "eth_call") }, long, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-gone, ErrCanceled)
}

func TestJWT(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	now.Store(1_800_000_000_000)
	e := newEL(t, nil)
	c := newClient(t, e.URL, func(cfg *Config) {
		cfg.Now = func() time.Time { return time.UnixMilli(now.Load()) }
	})
	for _, at := range []int64{1_800_000_000_000, 1_800_000_000_999, 1_800_000_001_000} {
		now.Store(at)
		_, err := c.Call(t.Context(), request("eth_chainId"))
		require.NoError(t, err)
	}
	var headers []string
	for i, s := range e.requests() {
		raw, ok := strings.CutPrefix(s.header.Get("Authorization"), "Bearer ")
		require.True(t, ok)
		headers = append(headers, raw)
		claims := jwt.MapClaims{}
		parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithoutClaimsValidation())
		_, err := parser.ParseWithClaims(raw, claims, func(*jwt.Token) (any, error) { return secret, nil })
		require.NoError(t, err)
		require.Equal(t, jwt.MapClaims{"iat": float64(1_800_000_000 + i/2)}, claims)
	}
	require.Equal(t, headers[0], headers[1], "one token serves its second")
	require.NotEqual(t, headers[1], headers[2])

	bare := newClient(t, e.URL, func(cfg *Config) { cfg.Secret = nil })
	_, err := bare.Call(t.Context(), request("eth_chainId"))
	require.NoError(t, err)
	require.NotContains(t, e.requests()[3].header, "Authorization")
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*Config)
		text   string
	}{
		"no scheme":   {func(c *Config) { c.URL = "127.0.0.1:8551" }, "backend"},
		"websocket":   {func(c *Config) { c.URL = "ws://127.0.0.1:8551" }, "http://host:port"},
		"no host":     {func(c *Config) { c.URL = "http://" }, "http://host:port"},
		"no secrets":  {func(c *Config) { c.URL = "ftp://user:hidden@host" }, "user:xxxxx@host"},
		"short":       {func(c *Config) { c.Secret = []byte("short") }, "5 bytes instead of 32"},
		"empty":       {func(c *Config) { c.Secret = []byte{} }, "0 bytes instead of 32"},
		"no name":     {func(c *Config) { c.Name = "" }, "label"},
		"no duration": {func(c *Config) { c.Timeouts = map[string]time.Duration{"engine_": 0} }, "not positive"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{Name: "l2", URL: "http://localhost:8551"}
			tc.change(&cfg)
			_, err := New(cfg)
			require.ErrorContains(t, err, tc.text)
		})
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	e := newEL(t, nil)
	c := newClient(t, e.URL, nil)
	_, err := c.Call(t.Context(), request("eth_chainId"))
	require.NoError(t, err)
	c.Close()
	_, err = c.Call(t.Context(), request("eth_chainId"))
	require.ErrorIs(t, err, ErrClosed)
	_, err = c.Forward(t.Context(), nil, nil)
	require.ErrorIs(t, err, ErrClosed)
}

// TestMethodLabels: a client that invents methods does not grow the metrics.
func TestMethodLabels(t *testing.T) {
	t.Parallel()
	c := newClient(t, newEL(t, nil).URL, nil)
	for _, method := range []string{"a", "b", "engine_newPayloadV99", `evil"}`, "engine_newPayloadV4"} {
		_, err := c.Call(t.Context(), request(method))
		require.NoError(t, err)
	}
	out := exposition(c.cfg.Metrics)
	require.Contains(t, out, `rollup_boost_backend_request_duration_seconds_count{backend="builder",method="other",status="ok"} 4`)
	require.Contains(t, out, `rollup_boost_backend_request_duration_seconds_count{backend="builder",method="engine_newPayloadV4",status="ok"} 1`)
	require.NotContains(t, out, "evil")
}

func TestReason(t *testing.T) {
	t.Parallel()
	for _, r := range reasons {
		require.Equal(t, r.label, Reason(&CallError{Err: r.err}))
	}
	require.Equal(t, "superseded", Reason(errors.Join(ErrCanceled, ErrSuperseded)))
	require.Equal(t, "other", Reason(io.EOF))
}
