// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"
)

// Timeouts of the Prometheus endpoint. A scrape is one short request; nobody may hold a connection open
// for longer than it takes.
const (
	scrapeReadTimeout  = 5 * time.Second
	scrapeWriteTimeout = 10 * time.Second
	scrapeIdleTimeout  = 2 * time.Minute // longer than the usual scrape interval
	scrapeStopTimeout  = 2 * time.Second // a scrape in progress may finish
)

// metricsServer serves a metrics set at /metrics in the Prometheus text format, and the health of the node.
type metricsServer struct {
	addr   string
	server *http.Server
	done   chan struct{} // closed when serving has ended

	mu  sync.Mutex
	lis net.Listener // set by start
}

func newMetricsServer(addr string, set *metrics.Set, h *health) *metricsServer {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", h.healthz)
	mux.HandleFunc("GET /readyz", h.readyz)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		set.WritePrometheus(w)
		metrics.WriteProcessMetrics(w)
	})
	return &metricsServer{
		addr: addr,
		done: make(chan struct{}),
		server: &http.Server{
			Handler:           mux,
			ReadHeaderTimeout: scrapeReadTimeout,
			ReadTimeout:       scrapeReadTimeout,
			WriteTimeout:      scrapeWriteTimeout,
			IdleTimeout:       scrapeIdleTimeout,
		},
	}
}

// start listens and serves. An address that cannot be listened on is an error here, not in a log later.
func (s *metricsServer) start(ctx context.Context) error {
	var lc net.ListenConfig
	lis, err := lc.Listen(ctx, "tcp", s.addr)
	if err != nil {
		return fmt.Errorf("flashblocks metrics cannot be served on %s: %w", s.addr, err)
	}
	s.mu.Lock()
	s.lis = lis
	s.mu.Unlock()
	go func() {
		defer close(s.done)
		if err := s.server.Serve(lis); !errors.Is(err, http.ErrServerClosed) {
			log.Error("Flashblocks metrics endpoint failed", "addr", lis.Addr(), "err", err)
		}
	}()
	log.Info("Serving flashblocks metrics", "url", "http://"+lis.Addr().String()+"/metrics")
	return nil
}

// address returns the address served on, nil before start.
func (s *metricsServer) address() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lis == nil {
		return nil
	}
	return s.lis.Addr()
}

// stop ends serving and waits for it.
func (s *metricsServer) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeStopTimeout)
	defer cancel()

	err := s.server.Shutdown(ctx)
	if err != nil {
		err = s.server.Close() // a stuck scraper does not keep the node from stopping
	}
	<-s.done
	return err
}
