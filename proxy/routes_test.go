// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/proxy/admission"
)

// TestRoutesAndKeys: which paths exist with and without keys, and what an unknown key gets.
func TestRoutesAndKeys(t *testing.T) {
	t.Parallel()
	const bad = `{"message":"Invalid API key"}`
	up := newUpstream(t)
	open := newHarness(t, Config{}, up.URL("/"))
	keyed := newHarness(t, Config{KeyRoutes: true, Admission: keys(t, "a:one,b:two", false)}, up.URL("/"))
	both := newHarness(t, Config{KeyRoutes: true, Admission: keys(t, "a:one", true)}, up.URL("/"))
	header := func(name, value string) http.Header { return http.Header{name: {value}} }
	filter := "?addresses=0x4200000000000000000000000000000000000006"
	for _, tc := range []struct {
		h      *harness
		path   string
		header http.Header
		status int
		body   string
	}{
		{open, "/ws", nil, 101, ""},
		{open, "/ws/filter" + filter, nil, 101, ""},
		{open, "/ws/one", nil, 404, ""},
		{open, "/ws/one/filter", nil, 404, ""},
		{open, "/v0", nil, 101, ""},
		{open, "/", nil, 404, ""},
		{keyed, "/ws", nil, 401, bad},
		{keyed, "/ws/filter", nil, 401, bad},
		{keyed, "/v0", nil, 401, bad},
		{keyed, "/ws/one", nil, 101, ""},
		{keyed, "/ws/two", nil, 101, ""},
		{keyed, "/v0/two", nil, 101, ""},
		{keyed, "/ws/three", nil, 401, bad},
		{keyed, "/ws/One", nil, 401, bad},
		{keyed, "/ws/three/filter" + filter, nil, 401, bad},
		{keyed, "/ws/three/filter?match=nonsense", nil, 401, bad},
		{keyed, "/ws/one/filter" + filter, nil, 101, ""},
		{keyed, "/ws/one/more/parts", nil, 404, ""},
		{keyed, "/ws", header("X-Api-Key", "one"), 101, ""},
		{keyed, "/ws", header("Authorization", "Bearer two"), 101, ""},
		{keyed, "/ws", header("Authorization", "bearer one"), 101, ""},
		{keyed, "/ws", header("Authorization", "Basic one"), 401, bad},
		{keyed, "/ws", header("X-Api-Key", "three"), 401, bad},
		{keyed, "/ws/filter" + filter, header("X-Api-Key", "one"), 101, ""},
		{both, "/ws", nil, 101, ""},
		{both, "/ws/filter" + filter, nil, 101, ""},
		{both, "/ws/one", nil, 101, ""},
		{both, "/ws/three", nil, 401, bad},
	} {
		status, body := tc.h.refusal(tc.path, tc.header)
		require.Equal(t, tc.status, status, "%s %v", tc.path, tc.header)
		if tc.body != "" {
			require.Equal(t, tc.body, body, tc.path)
		}
	}
}

func TestBadQueriesAreRefusedWithASentence(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	h := newHarness(t, Config{}, up.URL("/"))
	for path, word := range map[string]string{
		"/ws?block_number=1":                     "together",
		"/ws?flashblock_index=1":                 "together",
		"/ws?block_number=x&flashblock_index=1":  "decimal",
		"/ws?from=genesis":                       "current",
		"/v0?block_number=-1&flashblock_index=1": "decimal",
		"/v0?notices=some":                       "only",
		"/ws?format=xml":                         "format",
		"/ws?format=text&format=text":            "2 times",
		"/ws?format=brotli":                      "does not compress",
		"/ws/filter?match=some":                  "match",
		"/ws/filter?match=any&match=all":         "2 times",
		"/ws/filter?addresses=0x12":              "40 hex",
		"/ws/filter?topics=0x12":                 "64 hex",
		"/ws/filter?addresses=%zz":               "malformed",
		"/ws/filter?block_number=1":              "together",
		"/v0/filter?addresses=nonsense":          "40 hex",
	} {
		status, body := h.refusal(path, nil)
		require.Equal(t, http.StatusBadRequest, status, path)
		require.Contains(t, body, `{"message":"`, path)
		require.Contains(t, body, word, path)
	}
	status, body := h.get("/ws", nil)
	require.Equal(t, http.StatusUpgradeRequired, status)
	require.Contains(t, body, "websocket")
	require.Positive(t, h.figure("websocket_proxy_bad_requests"))
}

// TestLimits: the surplus client is refused with the sentence of the limit that fired, and a departed
// one frees its place.
func TestLimits(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	for name, tc := range map[string]struct {
		cfg    admission.Config
		metric string
	}{
		"instance": {admission.Config{InstanceLimit: 2, PerIPLimit: 9}, "websocket_proxy_instance_rate_limited_requests"},
		"per IP":   {admission.Config{InstanceLimit: 9, PerIPLimit: 2}, "websocket_proxy_per_ip_rate_limited_requests"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keeper, err := admission.New(tc.cfg)
			require.NoError(t, err)
			h := newHarness(t, Config{Admission: keeper}, up.URL("/"))
			first := h.dial("/ws")
			h.dial("/v0")
			h.clients(2)
			status, body := h.refusal("/ws", nil)
			require.Equal(t, http.StatusTooManyRequests, status)
			require.Contains(t, body, `{"message":"`)
			// A place is not lost to requests that come to nothing.
			require.NoError(t, first.Close())
			h.clients(1)
			for range 5 {
				status, _ = h.refusal("/ws?from=nowhere", nil)
				require.Equal(t, http.StatusBadRequest, status)
				status, _ = h.refusal("/ws/filter?match=x", nil)
				require.Equal(t, http.StatusBadRequest, status)
				status, _ = h.get("/ws", nil)
				require.Equal(t, http.StatusUpgradeRequired, status)
			}
			h.dial("/ws")
			h.clients(2)
		})
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	for _, tc := range []struct {
		origins []string
		origin  string
		status  int
	}{
		{nil, "https://anywhere", 101},
		{[]string{"*"}, "https://anywhere", 101},
		{[]string{"https://app.example"}, "", 101},
		{[]string{"https://app.example/"}, "https://APP.example", 101},
		{[]string{"https://app.example"}, "http://app.example", 403},
		{[]string{"https://app.example"}, "https://app.example.evil", 403},
		{[]string{"https://a", "https://b"}, "https://b", 101},
	} {
		h := newHarness(t, Config{Origins: tc.origins}, up.URL("/"))
		header := http.Header{}
		if tc.origin != "" {
			header.Set("Origin", tc.origin)
		}
		status, _ := h.refusal("/ws", header)
		require.Equal(t, tc.status, status, "%v", tc)
		h.stop()
	}
}

// TestHealth: /healthz says that the process lives, /readyz whether it has something to serve.
func TestHealth(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	h := newHarness(t, Config{ReadyMaxAge: 500 * time.Millisecond}, up.URL("/"))
	h.connected(1)
	status, body := h.get("/readyz", nil)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, "no message has arrived")
	next := uint64(0)
	h.eventually("ready", func() bool {
		up.PublishBlock(1, next, next) // again, in case the machine took longer than the age allowed
		next++
		status, _ := h.get("/readyz", nil)
		return status == http.StatusOK
	})
	h.eventually("stale", func() bool {
		status, body := h.get("/readyz", nil)
		return status == http.StatusServiceUnavailable && strings.Contains(body, "older than")
	})
	require.NoError(t, up.Stop())
	h.eventually("no upstream", func() bool {
		_, body := h.get("/readyz", nil)
		return strings.Contains(body, "no upstream is connected")
	})
	status, _ = h.get("/healthz", nil)
	require.Equal(t, http.StatusOK, status)
}

func TestReadyBounds(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	for _, tc := range []struct {
		age       time.Duration
		connected int
		want      bool
	}{
		{0, 1, true}, {time.Second, 2, true}, {time.Second + 1, 1, false}, {0, 0, false},
	} {
		require.Equal(t, tc.want, ready(now, now.Add(-tc.age), tc.connected, time.Second).Ready, "%v", tc)
	}
	require.Nil(t, ready(now, time.Time{}, 1, time.Second).AgeMS)
}
