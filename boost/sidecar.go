// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"errors"
	"net"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/chain"
	"github.com/ethereum/go-ethereum/flashgeth/boost/copies"
	"github.com/ethereum/go-ethereum/flashgeth/boost/decision"
	"github.com/ethereum/go-ethereum/flashgeth/boost/front"
	"github.com/ethereum/go-ethereum/flashgeth/boost/local"
	"github.com/ethereum/go-ethereum/flashgeth/boost/route"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// localJobs bounds the calls that wait for the local execution layer. Somebody waits for each of them over a
// connection, so there are as many as callers; op-node makes one at a time.
const localJobs = 8192

// Sidecar serves the Engine API: it puts the parts together, starts and stops them. A Sidecar is used once: it cannot
// be started again after Stop.
type Sidecar struct {
	cfg Config
	log log.Logger

	front    *front.Server
	payloads *decision.Maker
	copies   *copies.Copier
	l2       *backend.Queue
	builder  *backend.Queue // nil without a builder
}

// New returns a sidecar that does not listen yet.
func New(cfg Config) (*Sidecar, error) {
	cfg, err := cfg.sanitize()
	if err != nil {
		return nil, err
	}
	cfg.Metrics.GetOrCreateGauge("rollup_boost_rollup_boost_execution_mode", cfg.Modes.gauge)
	s := &Sidecar{cfg: cfg, log: cfg.Log}
	s.l2 = backend.NewQueue(backend.QueueConfig{
		Name: "l2", Caller: cfg.L2, Coalesce: backend.CoalesceIdentical, Size: localJobs, Metrics: cfg.Metrics, Log: cfg.Log,
	})
	var moved func(common.Hash)
	if cfg.Rounds != nil {
		moved = cfg.Rounds.Head // ends what was being built on another
	}
	order := local.NewQueue(s.l2, moved)
	s.payloads = decision.New(decision.Config{
		L2: cfg.L2, Builder: cfg.Builder, Rebuilds: order, Rounds: cfg.Rounds,
		Mode: cfg.Modes.Mode, Selection: cfg.Selection, ExternalStateRoot: cfg.ExternalStateRoot, RescueAfter: cfg.RescueAfter, Budget: cfg.Budget,
		Observer: cfg.Observer, Metrics: cfg.Metrics, Log: cfg.Log, Now: cfg.Now,
	})
	s.copies = copies.New(copies.Config{
		Builder: cfg.Builder, AsksBuilder: s.asksBuilder, Wait: cfg.CopyWait, Metrics: cfg.Metrics, Log: cfg.Log,
	})
	calls := s.chain(order)
	routes := route.New(route.Config{
		L2: cfg.L2, Chain: calls, Payloads: s.payloads, Copies: s.copies, Proxied: cfg.Proxied, Metrics: cfg.Metrics, Log: cfg.Log, Now: cfg.Now,
	})
	s.front = front.New(front.Config{
		Addr: cfg.Addr, Routes: routes, Hold: calls, Probes: cfg.Probes, Secret: cfg.Secret, MaxBody: cfg.MaxBody, MaxBatch: cfg.MaxBatch,
		Metrics: cfg.Metrics, Log: cfg.Log, Now: cfg.Now,
	})
	return s, nil
}

// chain makes who answers the calls that move the chain, and the builder's queue.
func (s *Sidecar) chain(order *local.Queue) *chain.Handler {
	cfg := chain.Config{
		Local: order, Rounds: s.cfg.Rounds, AsksBuilder: s.asksBuilder, Publishing: s.cfg.Modes.Publishing,
		Payloads: s.payloads, Observer: s.cfg.Observer, Metrics: s.cfg.Metrics, Log: s.cfg.Log, Now: s.cfg.Now,
	}
	if s.cfg.Builder != nil {
		s.builder = backend.NewQueue(backend.QueueConfig{
			Name: "builder", Caller: s.cfg.Builder, Coalesce: backend.CoalesceNewest, Metrics: s.cfg.Metrics, Log: s.cfg.Log,
		})
		cfg.Builder = s.builder
	}
	return chain.New(cfg)
}

// asksBuilder reports whether the builder takes part at the moment.
func (s *Sidecar) asksBuilder() bool {
	return s.cfg.Builder != nil && s.cfg.Modes.Mode() != params.ModeDisabled
}

// Start listens and serves until Stop. ctx is for listening alone: what is in progress when a process is told
// to end is drained by Stop.
func (s *Sidecar) Start(ctx context.Context) error {
	if err := s.startAll(ctx); err != nil {
		return errors.Join(err, s.Stop(ctx))
	}
	s.log.Info("Engine API can be reached", "addr", s.Addr(), "builder", s.builder != nil, "mode", s.cfg.Modes.Mode())
	return nil
}

// startAll starts the parts, the front last.
func (s *Sidecar) startAll(ctx context.Context) error {
	if err := s.l2.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	if s.builder != nil {
		if err := s.builder.Start(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
	s.copies.Start(ctx)
	return s.front.Start(ctx)
}

// Addr is the address listened on, nil before Start.
func (s *Sidecar) Addr() net.Addr { return s.front.Addr() }

// Stop takes no new requests, lets those in progress be answered until ctx ends, and waits for every
// goroutine.
func (s *Sidecar) Stop(ctx context.Context) error {
	err := s.front.Stop(ctx)
	if s.builder != nil {
		err = errors.Join(err, s.builder.Stop(ctx))
	}
	err = errors.Join(err, s.l2.Stop(ctx))
	s.front.Wait()
	s.payloads.Stop()
	s.copies.Stop()
	return err
}
