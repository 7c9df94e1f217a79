// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/proxy/admission"
)

// quiet is how long nothing may have come for the replay of an upstream to be over. Replayed messages
// follow each other at once, live ones at the interval of the builder.
const quiet = 100 * time.Millisecond

// Proxy is a running fan-out. It is used once: it cannot be started again after Stop.
type Proxy struct {
	cfg    Config
	m      *proxyMetrics
	hub    *stream.Hub
	relay  *relay
	server *stream.Server
	subs   []*stream.Subscriber

	settled chan struct{} // closed when clients may be admitted

	mu      sync.Mutex
	started bool
	stopped bool
	cancel  context.CancelFunc
	wg      sync.WaitGroup // conductors and settling
}

// New returns a proxy that is neither connected nor listening.
func New(cfg Config) (*Proxy, error) {
	if len(cfg.Upstreams) == 0 {
		return nil, ErrNoUpstream
	}
	cfg = cfg.withDefaults()
	if cfg.Admission == nil {
		open, err := admission.New(admission.Config{Metrics: cfg.Metrics, Log: cfg.Log})
		if err != nil {
			return nil, err
		}
		cfg.Admission = open
	}
	p := &Proxy{cfg: cfg, settled: make(chan struct{})}
	p.hub = stream.NewHub(stream.HubConfig{
		RingMessages: cfg.RingMessages,
		RingBytes:    cfg.RingBytes,
		MaxLag:       cfg.MaxLag,
		Limit:        cfg.Clients,
		SendBuffer:   max(cfg.SendBuffer, 0),
		NoPing:       !cfg.ClientPing,
		PingInterval: cfg.PingInterval,
		ReadTimeout:  cfg.PongTimeout,
		WriteTimeout: cfg.SendTimeout,
		DrainTimeout: cfg.DrainTimeout,
		Deflate:      cfg.Deflate,
		CheckOrigin:  originPolicy(cfg.Origins),
		SendTime:     cfg.Metrics.GetOrCreateHistogram(sendDuration),
		Error:        refuse,
		Metrics:      cfg.Metrics,
		Log:          cfg.Log,
	})
	p.m = newProxyMetrics(&cfg)
	p.relay = newRelay(&cfg, p.hub, p.m.relay)
	p.server = stream.NewServer(stream.ServerConfig{
		Addr:             cfg.Addr,
		Handler:          p.routes(),
		TLS:              cfg.TLS,
		HandshakeTimeout: cfg.HandshakeTimeout,
		Handshakes:       cfg.Handshakes,
		HeaderBytes:      cfg.HeaderBytes,
		Metrics:          cfg.Metrics,
		Log:              cfg.Log,
	})
	for i := range cfg.Upstreams {
		p.subs = append(p.subs, p.newSubscriber(i))
		if sub := p.newNotices(i); sub != nil {
			p.subs = append(p.subs, sub)
		}
	}
	return p, nil
}

// Start listens, connects to the upstreams and returns. Clients that come before the first replay is
// over wait for it in their handshake, at most Settle. The error is one sentence.
func (p *Proxy) Start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.stopped:
		return ErrStopped
	case p.started:
		return ErrStarted
	}
	p.started = true
	ctx, p.cancel = context.WithCancel(ctx)
	if err := p.hub.Start(ctx); err != nil {
		return err
	}
	if err := p.server.Start(ctx); err != nil {
		return errors.Join(err, p.hub.Stop(ctx))
	}
	for _, sub := range p.subs {
		if err := sub.Start(ctx); err != nil {
			return errors.Join(err, p.server.Stop(ctx), p.stopUpstreams(ctx), p.hub.Stop(ctx))
		}
	}
	p.wg.Go(func() { p.settle(ctx) })
	for i := range p.cfg.Upstreams {
		if p.cfg.Upstreams[i].Conductor != "" {
			p.wg.Go(func() { p.conductor(i).run(ctx) })
		}
	}
	return nil
}

// conductor returns the poller of upstream i.
func (p *Proxy) conductor(i int) *conductor {
	return &conductor{
		url:    p.cfg.Upstreams[i].Conductor,
		every:  p.cfg.ConductorPoll,
		client: &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}},
		tell:   func(lead leadership) { p.relay.setLeadership(i, lead) },
		failed: func(err error) {
			p.m.conductorErrors.Inc()
			p.cfg.Log.Debug("Could not ask a conductor for its leader", "upstream", upstreamName(&p.cfg, i), "err", err)
		},
	}
}

// settle ends the wait of the first clients when an upstream is connected and has nothing more to
// replay, or after Settle.
func (p *Proxy) settle(ctx context.Context) {
	defer close(p.settled)
	deadline := time.NewTimer(p.cfg.Settle)
	defer deadline.Stop()
	calm := time.NewTimer(quiet)
	defer calm.Stop()
	for {
		select {
		case <-p.relay.fresh:
			calm.Reset(quiet)
		case <-calm.C:
			if connected, _ := p.relay.freshness(); connected > 0 {
				return
			}
		case <-deadline.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Addr is the address listened on, nil before Start.
func (p *Proxy) Addr() net.Addr { return p.server.Addr() }

// Stop stops listening, cuts handshakes that stall, leaves the upstreams, lets the clients take what is
// published, closes them with 1001 and returns when every goroutine has ended. The error says what had to be cut off.
func (p *Proxy) Stop(ctx context.Context) error {
	p.mu.Lock()
	started := p.started && !p.stopped
	p.stopped = true
	p.mu.Unlock()
	if !started {
		return nil
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.cfg.DrainTimeout)
		defer cancel()
	}
	p.relay.stop()
	// At the same time: handshakes that stall and upstreams that do not let go take no time from the clients.
	var server, upstreams, hub error
	var parts sync.WaitGroup
	parts.Go(func() { server = p.server.Stop(ctx) })
	parts.Go(func() { upstreams = p.stopUpstreams(ctx) })
	parts.Go(func() { hub = p.hub.Stop(ctx) })
	parts.Wait()
	p.cancel()
	p.wg.Wait()
	return errors.Join(server, upstreams, hub)
}

func (p *Proxy) stopUpstreams(ctx context.Context) error {
	errs := make([]error, len(p.subs))
	var wg sync.WaitGroup
	for i, sub := range p.subs {
		wg.Go(func() { errs[i] = sub.Stop(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
