// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package operator serves what is for the operator of a process and not for its users: metrics, profiles,
// debug APIs. Each has a port of its own, and a port that cannot be had is an error at the start.
package operator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"
)

// timeout bounds a request. A CPU profile takes 30 s by default.
const timeout = 2 * time.Minute

// Metrics serves a set in the Prometheus text format at /metrics, and the figures of the Go process
// beside it. Every other path is 404.
func Metrics(set *metrics.Set) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		set.WritePrometheus(w)
		metrics.WriteProcessMetrics(w)
	})
	return mux
}

// Pprof serves the profiles of net/http/pprof under /debug/pprof/.
func Pprof() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// Endpoint serves one handler.
type Endpoint struct {
	name   string
	addr   string
	server *http.Server

	mu       sync.Mutex
	listener net.Listener
	served   chan struct{}
}

// NewEndpoint returns an endpoint that does not listen yet. The name is for errors and logs.
func NewEndpoint(name, addr string, handler http.Handler) *Endpoint {
	return &Endpoint{name: name, addr: addr, served: make(chan struct{}), server: &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: timeout,
		ReadTimeout:       timeout,
		WriteTimeout:      timeout,
		ErrorLog:          slog.NewLogLogger(log.Root().Handler(), slog.LevelDebug),
	}}
}

// Name is the name given.
func (e *Endpoint) Name() string { return e.name }

// Start listens and serves. The error names the endpoint and its address.
func (e *Endpoint) Start(ctx context.Context) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", e.addr)
	if err != nil {
		return fmt.Errorf("the %s endpoint cannot listen on %s: %w", e.name, e.addr, err)
	}
	e.mu.Lock()
	e.listener = listener
	e.mu.Unlock()
	go func() {
		defer close(e.served)
		if err := e.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("Operator's endpoint stopped", "endpoint", e.name, "err", err)
		}
	}()
	return nil
}

// Addr is the address listened on, nil before Start.
func (e *Endpoint) Addr() net.Addr {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.listener == nil {
		return nil
	}
	return e.listener.Addr()
}

// Stop closes the endpoint, waits for requests in progress until ctx ends, cuts off the rest and returns
// when it has ended. Without Start it does nothing.
func (e *Endpoint) Stop(ctx context.Context) error {
	if e.Addr() == nil {
		return nil
	}
	err := e.server.Shutdown(ctx)
	if err != nil {
		err = e.server.Close() // a profile, or a client that does not read
	}
	<-e.served
	return err
}
