// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// rollup-boost's defaults for the connection to the builder.
const (
	defaultPing       = 500 * time.Millisecond
	defaultPong       = 1500 * time.Millisecond
	defaultBackoffMin = 10 * time.Millisecond
	defaultBackoffMax = 5 * time.Second
)

// direct is with how many subscribers a flashblock is written to them where it is read: op-conductor's and
// those of a proxy or two, at a few microseconds each. The store is locked meanwhile.
const direct = 4

// RelayConfig configures a Relay. Upstream and Addr are required; every other zero value means its default.
type RelayConfig struct {
	Upstream string // ws:// or wss:// URL of the builder's stream
	Addr     string // TCP address to publish on

	// Publishing says whether the mode allows publishing now; nil for always. It must not block, and must
	// not call the relay's store.
	Publishing func() bool

	DialTimeout  time.Duration // Default 5 s
	PingInterval time.Duration // Default 500 ms
	PongTimeout  time.Duration // A builder silent for this long is given up, default 1.5 s
	BackoffMin   time.Duration // First pause before a reconnect, default 10 ms
	BackoffMax   time.Duration // Longest pause, default 5 s

	Limits flashblocks.Limits // Sizes of messages
	Limit  int                // Most subscribers at a time, default the hub's

	Metrics *metrics.Set // Nil for a private set
	Log     log.Logger   // Nil for the root logger

	handshake time.Duration // of subscribers, the server's default outside of tests
}

func (c RelayConfig) withDefaults() RelayConfig {
	for v, def := range map[*time.Duration]time.Duration{
		&c.PingInterval: defaultPing, &c.PongTimeout: defaultPong, &c.BackoffMin: defaultBackoffMin, &c.BackoffMax: defaultBackoffMax,
	} {
		if *v <= 0 {
			*v = def
		}
	}
	if c.Metrics == nil {
		c.Metrics = metrics.NewSet()
	}
	if c.Log == nil {
		c.Log = log.Root()
	}
	return c
}

// Relay follows the builder's stream, keeps the rounds, and publishes what belongs to the live one: on
// /v0 as notifications, on every other path with the builder's own bytes. A Relay is used once.
type Relay struct {
	store  *Store
	hub    *stream.Hub
	server *stream.Server
	sub    *stream.Subscriber
	m      *relayMetrics

	mu        sync.Mutex
	published flashblocks.FlashblockID // last one
	connected bool
}

// NewRelay returns a relay that is not running.
func NewRelay(cfg RelayConfig) *Relay {
	cfg = cfg.withDefaults()
	r := &Relay{m: newRelayMetrics(cfg.Metrics)}
	// The follower of a conductor keeps a connection that it does not read, so that it answers no ping.
	// Subscribers of rollup-boost's port give no position, and have no use for a block without its base. Those that
	// reconnect within a block see its beginning again: what takes that for a gap, as Base's nodes do, has
	// missed something in between anyway, and goes on with the next block.
	r.hub = stream.NewHub(stream.HubConfig{
		Limit: cfg.Limit, FromCurrent: true, Direct: direct, NoPing: true, Metrics: cfg.Metrics, Log: cfg.Log,
	})
	r.server = stream.NewServer(stream.ServerConfig{
		Addr: cfg.Addr, Handler: r.hub.Handler(), HandshakeTimeout: cfg.handshake, Metrics: cfg.Metrics, Log: cfg.Log,
	})
	r.store = NewStore(Config{
		Publish:    r.publish,
		Publishing: cfg.Publishing,
		Gap:        func() { r.sub.Resume() },
		Metrics:    cfg.Metrics,
		Log:        cfg.Log,
	})
	r.sub = stream.NewSubscriber(stream.SubscriberConfig{
		URL:          joinInProgress(cfg.Upstream),
		Name:         "builder",
		Decode:       r.decode,
		Repeats:      true, // what was refused for a gap comes again; the store tells what is new
		Position:     r.position,
		Handler:      r.store.Add,
		OnState:      r.changed,
		Inline:       true, // the store never waits
		Limits:       cfg.Limits,
		DialTimeout:  cfg.DialTimeout,
		PingInterval: cfg.PingInterval,
		ReadTimeout:  cfg.PongTimeout,
		BackoffMin:   cfg.BackoffMin,
		BackoffMax:   cfg.BackoffMax,
		Metrics:      cfg.Metrics,
		Log:          cfg.Log,
	})
	return r
}

// joinInProgress asks a builder that knows how to for the block in progress from its beginning when there is
// no position to resume from. Others ignore the parameter. A malformed URL is left to the subscriber.
func joinInProgress(upstream string) string {
	target, err := url.Parse(upstream)
	if err != nil {
		return upstream
	}
	query := target.Query()
	if query.Has("from") || query.Has("block_number") {
		return upstream // the operator knows better
	}
	query.Set("from", "current")
	target.RawQuery = query.Encode()
	return target.String()
}

// Store holds the rounds. It may be used before Start.
func (r *Relay) Store() *Store { return r.store }

// Start listens for subscribers and begins to connect to the builder, which may be down. The end of ctx has
// the effect of Stop, except that nothing waits.
func (r *Relay) Start(ctx context.Context) error {
	if err := r.hub.Start(ctx); err != nil {
		return fmt.Errorf("flashblocks relay: %w", err)
	}
	err := r.server.Start(ctx)
	if err == nil {
		err = r.sub.Start(ctx)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("flashblocks relay: %w", err), r.Stop(ctx))
	}
	return nil
}

// Addr is the address listened on, nil before Start.
func (r *Relay) Addr() net.Addr { return r.server.Addr() }

// Stop leaves the builder, lets subscribers take what is published, and waits for every goroutine.
func (r *Relay) Stop(ctx context.Context) error {
	err := r.sub.Stop(ctx)
	served := make(chan error, 1)
	// At the same time: who is connecting must not use up what subscribers have left.
	go func() { served <- r.server.Stop(ctx) }()
	return errors.Join(err, r.hub.Stop(ctx), <-served)
}

// publish is called with the store locked.
func (r *Relay) publish(m stream.Message) {
	r.hub.Publish(m)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.published = flashblocks.FlashblockID{BlockNumber: m.BlockNumber, Index: m.Index}
}

// decode counts what comes before it is understood.
func (r *Relay) decode(frame []byte, lim flashblocks.Limits) (flashblocks.Header, []byte, error) {
	r.m.received.Inc()
	return flashblocks.DecodeHeader(frame, lim)
}

// position is asked before every attempt to connect.
func (r *Relay) position() (flashblocks.Header, bool) {
	if r.m.dials.Add(1) > 1 {
		r.m.reconnects.Inc()
	}
	return r.store.Position()
}

// changed takes in that the builder was found or lost.
func (r *Relay) changed(state stream.State) {
	r.mu.Lock()
	lost := r.connected && !state.Connected
	r.connected = state.Connected
	last := r.published
	r.mu.Unlock()
	if state.Connected {
		r.m.connected.Set(1)
		return
	}
	r.m.connected.Set(0)
	if !lost || last.BlockNumber == 0 {
		return // v0 has nothing to lose
	}
	text := flashblocks.NewDisconnectNotification(last).AppendJSON(nil)
	r.hub.Publish(stream.Message{BlockNumber: last.BlockNumber, Index: last.Index, V0: func() []byte { return text }})
}
