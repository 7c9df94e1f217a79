// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package operator

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"
)

// get asks a running endpoint.
func get(t *testing.T, e *Endpoint, method, path string) (code int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+e.Addr().String()+path, http.NoBody)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(text)
}

func started(t *testing.T, handler http.Handler) *Endpoint {
	t.Helper()
	e := NewEndpoint("test", "127.0.0.1:0", handler)
	require.Nil(t, e.Addr())
	require.NoError(t, e.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, e.Stop(context.Background())) })
	return e
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	set := metrics.NewSet()
	set.NewCounter(`some_total{a="b"}`).Add(7)
	e := started(t, Metrics(set))
	code, body := get(t, e, http.MethodGet, "/metrics")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, "some_total{a=\"b\"} 7\n")
	require.Contains(t, body, "go_goroutines ")
	for _, path := range []string{"/", "/metrics/x", "/debug/pprof/"} {
		code, _ = get(t, e, http.MethodGet, path)
		require.Equal(t, http.StatusNotFound, code, path)
	}
	code, _ = get(t, e, http.MethodPost, "/metrics")
	require.Equal(t, http.StatusMethodNotAllowed, code)
}

func TestPprof(t *testing.T) {
	t.Parallel()
	code, body := get(t, started(t, Pprof()), http.MethodGet, "/debug/pprof/goroutine?debug=1")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, "goroutine profile")
}

// TestATakenPortIsAnError: rollup-boost goes on without (F21).
func TestATakenPortIsAnError(t *testing.T) {
	t.Parallel()
	e := started(t, http.NotFoundHandler())
	second := NewEndpoint("metrics", e.Addr().String(), http.NotFoundHandler())
	err := second.Start(t.Context())
	require.ErrorContains(t, err, "the metrics endpoint cannot listen on "+e.Addr().String())
	require.NoError(t, second.Stop(t.Context()))
}

// TestStop lets a request in progress end.
func TestStop(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	e := NewEndpoint("test", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		_, _ = w.Write([]byte("done"))
	}))
	require.NoError(t, e.Start(t.Context()))
	answers := make(chan string, 1)
	go func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+e.Addr().String(), http.NoBody)
		if err != nil {
			answers <- err.Error()
			return
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			answers <- err.Error()
			return
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		answers <- string(text)
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- e.Stop(t.Context()) }()
	close(leave)
	require.NoError(t, <-stopped)
	require.Equal(t, "done", <-answers)
}
