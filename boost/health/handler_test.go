// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func ask(t *testing.T, h http.Handler, method, path string) (code int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
	return w.Code, w.Body.String()
}

// TestProbes holds what op-conductor's two clients and Kubernetes read, byte for byte.
func TestProbes(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	plain := NewHandler(HandlerConfig{Tracker: h.Tracker, Version: "1.2"})
	next := NewHandler(HandlerConfig{Tracker: h.Tracker, Version: "1.2", JSON: true})
	for _, tc := range []struct {
		age  time.Duration // of the builder's and the local block
		l2   time.Duration
		code int
		body string
		name string
	}{
		{0, 0, 200, "OK", "Healthy"},
		{time.Minute, 0, 206, "Partial Content", "PartialContent"},
		{time.Minute, time.Minute, 503, "Service Unavailable", "ServiceUnavailable"},
	} {
		h.ObserveHead(Builder, h.now.Add(-tc.age))
		h.ObserveHead(L2, h.now.Add(-tc.l2))
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
			code, body := ask(t, plain, method, "/healthz")
			require.Equal(t, tc.code, code)
			require.Equal(t, tc.body, body)
		}
		want := `{"version":"1.2","rollup_boost_health":"` + tc.name + `"}`
		for _, form := range []struct {
			handler http.Handler
			path    string
		}{{plain, "/healthz/json"}, {next, "/healthz"}, {next, "/healthz/json"}} {
			code, body := ask(t, form.handler, http.MethodGet, form.path)
			require.Equal(t, 200, code)
			require.JSONEq(t, want, body)
		}
		for _, path := range []string{"/readyz", "/livez"} {
			code, body := ask(t, plain, http.MethodGet, path)
			require.Equal(t, 200, code)
			require.Equal(t, "OK", body)
		}
	}
	for path, want := range map[string]bool{"/healthz": true, "/healthz/json": true, "/readyz": true, "/livez": true, "/": false, "/healthz/x": false} {
		require.Equal(t, want, Serves(path), path)
		if code, _ := ask(t, plain, http.MethodGet, path); want {
			require.NotEqual(t, 404, code, path)
		} else {
			require.Equal(t, 404, code, path)
		}
	}
}

// conductorStatus reads an answer as op-conductor v1.19's two clients do: the plain one knows three codes,
// the next one takes nothing but 200 and three names. The empty string is a lost connection.
func conductorStatus(code int, body string, next bool) string {
	if !next {
		return map[int]string{200: "healthy", 206: "partial", 503: "unhealthy"}[code]
	}
	var payload struct {
		Version string `json:"version"`
		Health  string `json:"rollup_boost_health"`
	}
	if code != 200 || json.Unmarshal([]byte(body), &payload) != nil {
		return ""
	}
	return map[string]string{"Healthy": "healthy", "PartialContent": "partial", "ServiceUnavailable": "unhealthy"}[payload.Health]
}

// TestTheStartIsMeasured (F8): who asks a process that has just started waits for the first polls and is
// told what they found; neither an assumed Healthy nor a 503 that the next question takes back.
func TestTheStartIsMeasured(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(p *polled){
		"healthy":   func(*polled) {},
		"partial":   func(p *polled) { p.builder.hangs.Store(true) },
		"unhealthy": func(p *polled) { p.l2.hangs.Store(true) },
	} {
		synctest.Test(t, func(t *testing.T) {
			p := startPolled(t, time.Minute, change)
			h := NewHandler(HandlerConfig{Tracker: p.Tracker, StartWait: 2 * time.Second})
			for range 5 {
				for path, next := range map[string]bool{"/healthz": false, "/healthz/json": true} {
					code, body := ask(t, h, http.MethodGet, path)
					require.Equal(t, want, conductorStatus(code, body, next))
				}
			}
		})
	}
}

// TestTheStartIsNotWaitedForForEver: nor longer than whoever asks does.
func TestTheStartIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tracker := NewTracker(TrackerConfig{Config: config, BuilderUsed: func() bool { return false }})
		h := NewHandler(HandlerConfig{Tracker: tracker, StartWait: 2 * time.Second})
		before := time.Now()
		code, body := ask(t, h, http.MethodGet, "/healthz")
		require.Equal(t, "unhealthy", conductorStatus(code, body, false))
		require.Equal(t, 2*time.Second, time.Since(before))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/healthz", http.NoBody))
		require.Equal(t, 503, w.Code)
		require.Equal(t, 3*time.Second, time.Since(before))
	})
}
