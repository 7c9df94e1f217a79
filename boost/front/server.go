// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package front

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// headerTimeout bounds the time a caller may take for the header of a request.
const headerTimeout = 10 * time.Second

// Server answers HTTP requests. It is used once.
type Server struct {
	cfg          Config
	unauthorized *metrics.Counter
	tooLarge     *metrics.Counter

	server   *http.Server
	listener net.Listener // nil before Start
	serving  sync.WaitGroup
	requests sync.WaitGroup

	doorMu sync.Mutex
	shut   bool // no request may begin
}

// New returns a server that does not listen yet.
func New(cfg Config) *Server {
	cfg = cfg.withDefaults()
	s := &Server{
		cfg:          cfg,
		unauthorized: cfg.Metrics.GetOrCreateCounter("rollup_boost_unauthorized_requests_total"),
		tooLarge:     cfg.Metrics.GetOrCreateCounter("rollup_boost_oversized_requests_total"),
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	newcomers := new(stream.Newcomers) // HTTP clients dial some connections in reserve
	s.server = &http.Server{
		Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: headerTimeout, Protocols: protocols, ConnState: newcomers.Track,
	}
	s.server.RegisterOnShutdown(newcomers.Cut)
	return s
}

// Start listens and serves until Stop. ctx is for listening alone.
func (s *Server) Start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Addr)
	if err != nil {
		return err
	}
	s.listener = listener
	s.serving.Go(func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Log.Error("Engine API ended", "err", err)
		}
	})
	return nil
}

// Addr is the address listened on, nil before Start.
func (s *Server) Addr() net.Addr {
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Stop takes no new requests and lets those in progress be answered until ctx ends. Those that it has not waited for
// because of that end soon after their connections: see Wait.
func (s *Server) Stop(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.server.Close())
	}
	return err
}

// Wait shuts the door behind Stop and waits until the last request is gone. What the requests wait for must have
// ended before.
func (s *Server) Wait() {
	s.doorMu.Lock()
	s.shut = true
	s.doorMu.Unlock()
	s.requests.Wait()
	s.serving.Wait()
}

// enter admits a request, which Wait waits for.
func (s *Server) enter() bool {
	s.doorMu.Lock()
	defer s.doorMu.Unlock()
	if !s.shut {
		s.requests.Add(1)
	}
	return !s.shut
}

// foreign finds requests that a page of another site makes in somebody's browser. The execution layer would
// refuse them, but it sees the sidecar's own calls, with the sidecar's token.
var foreign = http.NewCrossOriginProtection()

// serve answers one HTTP request.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		return // the connection is closed already
	}
	defer s.requests.Done()
	if health.Serves(r.URL.Path) {
		if s.cfg.Probes == nil {
			http.NotFound(w, r)
			return
		}
		s.cfg.Probes.ServeHTTP(w, r)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "this is a JSON-RPC endpoint: send a POST request", http.StatusMethodNotAllowed)
		return
	}
	if err := foreign.Check(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	if err := s.authorize(r); err != nil {
		s.unauthorized.Inc()
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	body, lent, err := s.readBody(w, r)
	if err != nil {
		s.refuseBody(w, err)
		return
	}
	s.dispatch(w, r, body, lent)
}
