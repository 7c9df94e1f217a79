// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"
)

const (
	// defaultHandshakeTimeout is for the whole upgrade request, TLS included, from accept to answer.
	defaultHandshakeTimeout = 10 * time.Second

	// defaultHandshakes bounds the connections that are connecting at the same time, which is what a
	// peer can hold without being a subscriber. A reconnect storm of a full hub fits several times.
	defaultHandshakes = 1024

	// defaultHeaderBytes holds an upgrade request with long keys, cookies and proxy headers.
	defaultHeaderBytes = 8 << 10

	// stopGrace is how long Stop lets requests be answered: an upgrade takes a fraction of it, and who sends
	// the body of a request slowly must not use up the time in which subscribers are drained.
	stopGrace = time.Second
)

// ServerConfig configures a Server. Every zero value but Addr and Handler means its default.
type ServerConfig struct {
	Addr    string       // TCP address to listen on; port 0 takes a free one
	Handler http.Handler // Usually Hub.Handler
	TLS     *tls.Config  // Nil for plain TCP

	HandshakeTimeout time.Duration // From accept to the answer of the upgrade, default 10 s
	Handshakes       int           // Most connections that are not upgraded yet, default 1024; more are closed at once
	HeaderBytes      int           // Longest request header, default 8 KiB

	Metrics *metrics.Set // Nil for a private set
	Log     log.Logger   // Nil for the root logger
}

// Server listens for stream clients. Each handshake runs in its own goroutine under a timeout, so a
// slow one holds up nobody. Upgraded connections belong to the handler: the hub is stopped after the
// server, or at the same time.
type Server struct {
	cfg  ServerConfig
	http *http.Server
	m    *serverMetrics

	pending   atomic.Int64 // accepted, neither upgraded nor closed
	newcomers Newcomers

	mu       sync.Mutex
	state    lifecycle
	listener net.Listener
	served   chan struct{} // closed when the accept loop ended
}

// serverMetrics are the listener's figures.
type serverMetrics struct {
	connected *metrics.Counter // accepted by the listener
	refused   *metrics.Counter // closed at once because too many were connecting
}

// NewServer returns a server that does not listen yet.
func NewServer(cfg ServerConfig) *Server {
	setDefault(&cfg.HandshakeTimeout, defaultHandshakeTimeout)
	setDefault(&cfg.Handshakes, defaultHandshakes)
	setDefault(&cfg.HeaderBytes, defaultHeaderBytes)
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewSet()
	}
	if cfg.Log == nil {
		cfg.Log = log.Root()
	}
	s := &Server{cfg: cfg, served: make(chan struct{}), m: &serverMetrics{
		connected: cfg.Metrics.GetOrCreateCounter("flashblocks_stream_accept_total"),
		refused:   cfg.Metrics.GetOrCreateCounter("flashblocks_stream_accept_refused_total"),
	}}
	s.http = &http.Server{
		Handler:           cfg.Handler,
		ReadHeaderTimeout: cfg.HandshakeTimeout,
		ReadTimeout:       cfg.HandshakeTimeout,
		WriteTimeout:      cfg.HandshakeTimeout,
		MaxHeaderBytes:    cfg.HeaderBytes,
		ConnState:         s.track,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
		// An upgrade needs HTTP/1.1; HTTP/2 would be negotiated over TLS otherwise.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	// A connection serves one upgrade; nothing is left to do on it after a refusal.
	s.http.SetKeepAlivesEnabled(false)
	return s
}

// Start listens and serves until Stop or the end of ctx. The error names the address.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.state {
	case stateRunning:
		return ErrStarted
	case stateStopped:
		return ErrStopped
	}
	var lc net.ListenConfig
	inner, err := lc.Listen(ctx, "tcp", s.cfg.Addr)
	if err != nil {
		return fmt.Errorf("flashblocks stream cannot listen on %s: %w", s.cfg.Addr, err)
	}
	s.listener = inner
	s.state = stateRunning

	var listener net.Listener = &gate{Listener: inner, server: s}
	if s.cfg.TLS != nil {
		listener = tls.NewListener(listener, s.cfg.TLS)
	}
	unwatch := context.AfterFunc(ctx, func() { _ = s.http.Close() })
	go func() {
		defer close(s.served)
		defer unwatch()
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Log.Error("Flashblocks stream stopped accepting", "addr", inner.Addr(), "err", err)
		}
	}()
	return nil
}

// Addr returns the address listened on, nil before Start.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Stop closes the listener and every connection that has not brought a request yet, lets those requests be
// answered that can be within a second, cuts off the rest, and returns when nothing is accepted any more.
// Upgraded connections are not touched. The error is that of ctx, if it ends before.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	was := s.state
	s.state = stateStopped
	s.mu.Unlock()
	if was != stateRunning {
		return nil
	}
	s.newcomers.Cut()
	grace, cancel := context.WithTimeout(ctx, stopGrace)
	defer cancel()
	err := s.http.Shutdown(grace)
	if err != nil {
		if late := s.http.Close(); ctx.Err() != nil {
			err = errors.Join(fmt.Errorf("stop of the flashblocks stream: %w", err), late)
		} else {
			err = late
		}
	}
	<-s.served
	return err
}

// track counts the connections that are still connecting.
func (s *Server) track(conn net.Conn, state http.ConnState) {
	s.newcomers.Track(conn, state)
	switch state {
	case http.StateNew:
		s.pending.Add(1)
	case http.StateHijacked, http.StateClosed:
		s.pending.Add(-1)
	case http.StateActive, http.StateIdle:
	}
}

// gate is a listener that closes connections while too many are connecting. Leaving them in the
// kernel's queue would make honest clients wait behind the ones that stall.
type gate struct {
	net.Listener
	server *Server
}

// Accept returns the next connection that may connect.
func (g *gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g.server.m.connected.Inc()
		if g.server.pending.Load() < int64(g.server.cfg.Handshakes) {
			return conn, nil
		}
		g.server.m.refused.Inc()
		_ = conn.Close()
	}
}
