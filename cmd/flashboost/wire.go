// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"net"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/flashgeth/boost"
	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/debugapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/operator"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// pollMethod is what health asks the backends; its limit is that of a poll.
const pollMethod = "eth_getBlockByNumber"

// part is something that runs.
type part struct {
	name  string
	start func(context.Context) error
	stop  func(context.Context) error
	addr  func() net.Addr // nil for what does not listen
}

// service is everything that runs, in the order of starting.
type service struct {
	cfg     *params.Boost
	parts   []part
	started int
	clients []*backend.Client
}

// newService wires the parts. It starts nothing.
func newService(cfg *params.Boost) (*service, error) {
	l2Secret, builderSecret, rpcSecret, err := cfg.Secrets()
	if err != nil {
		return nil, err
	}
	w := &wiring{service: &service{cfg: cfg}, set: metrics.NewSet(), modes: boost.NewModes(cfg.Mode)}
	registerFigures(w.set)
	l2, err := w.client("l2", &cfg.L2, l2Secret)
	if err != nil {
		return nil, err
	}
	config := boost.Config{
		Addr: cfg.RPCAddr(), L2: l2, Modes: w.modes, Selection: cfg.Selection, ExternalStateRoot: cfg.ExternalStateRoot,
		Secret: rpcSecret, MaxBody: int64(cfg.MaxBodyBytes), Metrics: w.set,
	}
	if cfg.HasBuilder() {
		builder, err := w.client("builder", &cfg.Builder, builderSecret)
		if err != nil {
			return nil, err
		}
		config.Builder = builder
	}
	poller, err := w.health(&config, l2Secret, builderSecret)
	if err != nil {
		return nil, err
	}
	w.endpoints()
	w.add(part{"health", poller.Start, func(context.Context) error { poller.Stop(); return nil }, nil})
	config.Rounds = w.stream()
	sidecar, err := boost.New(config)
	if err != nil {
		return nil, err
	}
	w.add(part{partRPC, sidecar.Start, sidecar.Stop, sidecar.Addr})
	return w.service, nil
}

// Names of the parts that listen, for the log, and for tests that ask for their addresses.
const (
	partRPC     = "rpc"
	partDebug   = "debug"
	partMetrics = "metrics"
	partPprof   = "pprof"
	partStream  = "flashblocks"
)

// wiring is a service being put together.
type wiring struct {
	*service
	set     *metrics.Set
	modes   *boost.Modes
	tracker *health.Tracker
}

func (w *wiring) add(p part) { w.parts = append(w.parts, p) }

// client makes a client of a backend with connections of its own.
func (w *wiring) client(name string, cfg *params.BoostBackend, secret []byte) (*backend.Client, error) {
	client, err := backend.New(backend.Config{
		Name: name, URL: cfg.URL, Secret: secret, Timeout: cfg.Timeout, Timeouts: cfg.MethodTimeouts,
		MaxResponse: int64(w.cfg.MaxReplyBytes), UserAgent: "flashboost/" + version(), Metrics: w.set,
	})
	if err == nil {
		w.clients = append(w.clients, client)
	}
	return client, err
}

// health makes the tracker, the poller and the probes. Polls have clients of their own: they measure the
// backends, not the queue of what is passed on.
func (w *wiring) health(config *boost.Config, l2Secret, builderSecret []byte) (*health.Poller, error) {
	cfg := w.cfg
	w.tracker = health.NewTracker(health.TrackerConfig{
		Config:          health.Config{MaxAge: cfg.MaxUnsafeInterval, Interval: cfg.HealthInterval, BuildFailures: cfg.HealthBuilderFailures},
		BuilderUsed:     func() bool { return cfg.HasBuilder() && w.modes.Mode() != params.ModeDisabled },
		IgnoreUnhealthy: cfg.IgnoreUnhealthyBuilders,
		Metrics:         w.set,
	})
	l2, err := w.client("l2", &cfg.L2, l2Secret)
	if err != nil {
		return nil, err
	}
	poller := health.PollerConfig{Tracker: w.tracker, L2: health.LatestBlock(l2), L2Timeout: l2.Timeout(pollMethod)}
	if cfg.HasBuilder() {
		builder, err := w.client("builder", &cfg.Builder, builderSecret)
		if err != nil {
			return nil, err
		}
		poller.Builder, poller.BuilderTimeout = health.LatestBlock(builder), builder.Timeout(pollMethod)
	}
	config.Observer = w.tracker
	config.Probes = health.NewHandler(health.HandlerConfig{
		Tracker: w.tracker, Version: version(), JSON: cfg.HealthJSON, StartWait: max(poller.L2Timeout, poller.BuilderTimeout),
	})
	return health.NewPoller(poller), nil
}

// switches is the mode as the debug API changes it.
type switches struct {
	*boost.Modes
	tracker *health.Tracker
}

// SetMode has a builder that was left alone looked at before the health considers it again.
func (s switches) SetMode(mode params.ExecutionMode) {
	s.Modes.SetMode(mode)
	s.tracker.Poke(health.Builder)
}

// endpoints makes what is for the operator.
func (w *wiring) endpoints() {
	cfg := w.cfg
	list := []*operator.Endpoint{operator.NewEndpoint(partDebug, cfg.DebugAddr(), debugapi.NewHandler(switches{w.modes, w.tracker}))}
	if cfg.Metrics {
		list = append(list, operator.NewEndpoint(partMetrics, cfg.MetricsAddr(), operator.Metrics(w.set)))
	}
	if cfg.Pprof {
		list = append(list, operator.NewEndpoint(partPprof, cfg.PprofAddr, operator.Pprof()))
	}
	for _, e := range list {
		w.add(part{e.Name(), e.Start, e.Stop, e.Addr})
	}
}

// stream makes the way of the flashblocks, and returns the rounds that they belong to.
func (w *wiring) stream() *round.Store {
	f := &w.cfg.Flashblocks
	switch {
	case !w.cfg.HasBuilder():
		if f.Enabled {
			quiet := newQuietStream(f.Addr(), f.SubscriberLimit, w.set)
			w.add(part{partStream, quiet.Start, quiet.Stop, quiet.Addr})
		}
		return round.NewStore(round.Config{Metrics: w.set})
	case !f.Enabled:
		return round.NewStore(round.Config{Publishing: w.modes.Publishing, Metrics: w.set})
	}
	relay := round.NewRelay(round.RelayConfig{
		Upstream: f.BuilderURL, Addr: f.Addr(), Publishing: w.modes.Publishing, Limit: f.SubscriberLimit,
		Limits:      flashblocks.Limits{MaxCompressed: f.MaxMessageBytes, MaxDecoded: f.MaxMessageBytes},
		DialTimeout: f.ConnectTimeout, PingInterval: f.PingInterval, PongTimeout: f.PongTimeout,
		BackoffMin: f.BackoffMin, BackoffMax: f.BackoffMax, Metrics: w.set,
	})
	w.add(part{partStream, relay.Start, relay.Stop, relay.Addr})
	return relay.Store()
}

// addr is where a part listens.
func (s *service) addr(name string) (net.Addr, error) {
	for _, p := range s.parts {
		if p.name == name && p.addr != nil {
			return p.addr(), nil
		}
	}
	return nil, fmt.Errorf("nothing listens for %s", name)
}
