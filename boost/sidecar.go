// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/lru"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
)

const (
	// keptAnswers is how many payload ids are answered again with what they were answered before: as many
	// as there are rounds.
	keptAnswers = 8

	// keptHashes is for how many blocks is known under which payload id they were returned.
	keptHashes = 64

	// localJobs bounds the calls that wait for the local execution layer. Somebody waits for each of them over a
	// connection, so there are as many as callers; op-node makes one at a time.
	localJobs = 8192

	// headerTimeout bounds the time a caller may take for the header of a request.
	headerTimeout = 10 * time.Second
)

// Sidecar serves the Engine API. A Sidecar is used once: it cannot be started again after Stop.
type Sidecar struct {
	cfg Config
	log log.Logger
	m   *meters

	l2      *backend.Queue
	builder *backend.Queue // nil without a builder
	copies  chan copied
	copying atomic.Int64  // bytes of the calls that are copied or wait for that
	syncing atomic.Int64  // bodies passed on that are answered when their transactions are in a block
	slots   chan struct{} // taken by proxied requests
	waiting atomic.Int64  // requests that have a slot or wait for one

	head   head
	given  *lru.Cache[common.Hash, engine.PayloadID] // blocks returned
	blocks *lru.Cache[common.Hash, uint64]           // numbers of blocks seen
	valid  *lru.Cache[common.Hash, struct{}]         // blocks found valid before they were asked for
	asked  atomic.Int64                              // version of engine_getPayload that op-node uses, 0 if it has not yet

	flightMu sync.Mutex
	flights  map[flightKey]*flight
	order    []flightKey // oldest first

	doorMu sync.Mutex
	shut   bool // no request may begin

	server   *http.Server
	listener net.Listener
	life     context.Context //nolint:containedctx // ends the work that outlives the calls that start it
	end      context.CancelFunc
	wg       sync.WaitGroup
}

// New returns a sidecar that does not listen yet.
func New(cfg Config) (*Sidecar, error) {
	cfg, err := cfg.sanitize()
	if err != nil {
		return nil, err
	}
	s := &Sidecar{
		cfg:     cfg,
		log:     cfg.Log,
		m:       newMeters(cfg.Metrics, cfg.Modes),
		slots:   make(chan struct{}, cfg.Proxied),
		copies:  make(chan copied, cfg.CopyWait),
		given:   lru.NewCache[common.Hash, engine.PayloadID](keptHashes),
		blocks:  lru.NewCache[common.Hash, uint64](keptHashes),
		valid:   lru.NewCache[common.Hash, struct{}](keptHashes),
		flights: make(map[flightKey]*flight),
	}
	s.l2 = backend.NewQueue(backend.QueueConfig{
		Name: "l2", Caller: cfg.L2, Coalesce: backend.CoalesceIdentical, Size: localJobs, Metrics: cfg.Metrics, Log: cfg.Log,
	})
	if cfg.Builder != nil {
		s.builder = backend.NewQueue(backend.QueueConfig{
			Name: "builder", Caller: cfg.Builder, Coalesce: backend.CoalesceNewest, Metrics: cfg.Metrics, Log: cfg.Log,
		})
	}
	s.server = s.newServer()
	s.life, s.end = context.WithCancel(context.Background())
	return s, nil
}

// Start listens and serves until Stop. ctx is for listening alone: what is in progress when a process is told
// to end is drained by Stop.
func (s *Sidecar) Start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Addr)
	if err != nil {
		return err
	}
	s.listener = listener
	if err := s.l2.Start(context.WithoutCancel(ctx)); err != nil {
		return errors.Join(err, listener.Close())
	}
	if s.builder != nil {
		if err := s.builder.Start(context.WithoutCancel(ctx)); err != nil {
			return errors.Join(err, listener.Close())
		}
		for range copiers {
			s.wg.Go(s.copyLoop)
		}
	}
	s.wg.Go(func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("Engine API ended", "err", err)
		}
	})
	s.log.Info("Engine API can be reached", "addr", listener.Addr(), "builder", s.builder != nil, "mode", s.cfg.Modes.Mode())
	return nil
}

// Addr is the address listened on, nil before Start.
func (s *Sidecar) Addr() net.Addr {
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Stop takes no new requests, lets those in progress be answered until ctx ends, and waits for every
// goroutine.
func (s *Sidecar) Stop(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.server.Close())
	}
	if s.builder != nil {
		err = errors.Join(err, s.builder.Stop(ctx))
	}
	err = errors.Join(err, s.l2.Stop(ctx))
	s.end()
	s.doorMu.Lock()
	s.shut = true
	s.doorMu.Unlock()
	s.wg.Wait()
	return err
}

// enter admits a request, which s.wg waits for. Those that Shutdown has not waited for, because its time was over,
// end soon after their connections.
func (s *Sidecar) enter() bool {
	s.doorMu.Lock()
	defer s.doorMu.Unlock()
	if !s.shut {
		s.wg.Add(1)
	}
	return !s.shut
}
