// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"context"
	"net/http"
	"net/netip"
	"sync/atomic"
)

// Gatekeeper admits connections. Its methods may be called concurrently.
type Gatekeeper struct {
	cfg    Config
	ips    ipResolver
	local  *localLimits
	shared *sharedLimits // nil without Redis
	m      *figures
}

// New returns a gatekeeper. It starts nothing and does not touch Redis; a configuration that makes no
// sense is an error.
func New(cfg Config) (*Gatekeeper, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	cfg.Keys = cfg.Keys.fresh()
	g := &Gatekeeper{
		cfg:   cfg,
		ips:   ipResolver{header: cfg.IPHeader, trusted: cfg.TrustedProxies},
		local: newLocalLimits(cfg),
		m:     newFigures(cfg.Metrics, cfg.Keys),
	}
	if cfg.Redis == nil {
		return g, nil
	}
	store, err := newRedisStore(cfg)
	if err != nil {
		return nil, err
	}
	g.shared = newSharedLimits(*cfg.Redis, store, g.m, cfg.Log)
	return g, nil
}

// Start joins the instances that count together, if Redis is configured. It waits for the first answer
// of Redis, at most the configured timeout, but a Redis that is down is no error: it is tried again in
// the background until ctx ends or Stop is called. Without Redis there is nothing to start.
func (g *Gatekeeper) Start(ctx context.Context) error {
	if g.shared == nil {
		return nil
	}
	return g.shared.start(ctx)
}

// Stop removes this instance's counts from Redis and waits for the background work to end; call it
// when the connections are gone. Tickets stay valid, and Admit goes on with the local limits.
func (g *Gatekeeper) Stop(ctx context.Context) error {
	if g.shared == nil {
		return nil
	}
	return g.shared.stop(ctx)
}

// Admit decides about a request that wants to become a connection. The key is what the request brought
// as its API key, in its path or a header; "" for none. Without configured keys it is not looked at;
// with them a wrong key is refused even where public access is allowed.
//
// Exactly one of the results is nil. A ticket must be released when the connection has ended or did
// not come about. Admit blocks no longer than the timeout of Redis.
func (g *Gatekeeper) Admit(r *http.Request, key string) (*Ticket, *Refusal) {
	var app *application
	if g.cfg.Keys != nil && (key != "" || !g.cfg.PublicAccess) {
		if app = g.cfg.Keys.find(key); app == nil {
			return nil, g.refuse(ReasonUnauthorized, nil)
		}
	}
	ip := g.ips.client(r)
	group := clientGroup(ip)
	if reason := g.local.acquire(group, app); reason != "" {
		return nil, g.refuse(reason, app)
	}
	if g.shared != nil {
		if reason := g.shared.acquire(g.claim(group, app)); reason != "" {
			g.local.release(group, app)
			return nil, g.refuse(reason, app)
		}
	}
	g.m.admitted(app)
	return &Ticket{keeper: g, ip: ip, app: app}, nil
}

func (g *Gatekeeper) refuse(reason Reason, app *application) *Refusal {
	g.m.refused(reason, app)
	return newRefusal(reason)
}

// claim names the shared counters of one connection. Those without a limit are not kept.
func (g *Gatekeeper) claim(group netip.Addr, app *application) claim {
	var c claim
	if g.cfg.PerIPLimit > 0 {
		c.ip = ipField(group)
	}
	if app != nil && app.limit > 0 {
		c.app, c.appLimit = appField(app.name), app.limit
	}
	return c
}

// Ticket is the place of one connection under the limits.
type Ticket struct {
	keeper   *Gatekeeper
	ip       netip.Addr
	app      *application
	released atomic.Bool
}

// App returns the name of the application that the key belongs to, "" for a connection without a key.
func (t *Ticket) App() string {
	if t.app == nil {
		return ""
	}
	return t.app.name
}

// ClientIP returns the client's address, as told by trusted proxies. It is the zero Addr for a peer
// that has none.
func (t *Ticket) ClientIP() netip.Addr { return t.ip }

// Release gives the place back. Calls after the first do nothing. It does not block on Redis.
func (t *Ticket) Release() {
	if !t.released.CompareAndSwap(false, true) {
		return
	}
	g, group := t.keeper, clientGroup(t.ip)
	if g.shared != nil {
		g.shared.release(g.claim(group, t.app))
	}
	g.local.release(group, t.app)
	g.m.released(t.app)
}
