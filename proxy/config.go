// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/proxy/admission"
)

const (
	// defaultReadyMaxAge is five blocks of 2 s: longer than any slot a healthy sequencer skips.
	defaultReadyMaxAge = 10 * time.Second

	// defaultSettle bounds how long clients wait in the handshake while a proxy that has just started
	// fills its ring from upstream.
	defaultSettle = 2 * time.Second

	// defaultConductorPoll finds a new leader well within the slot in which leadership moves.
	defaultConductorPoll = 500 * time.Millisecond

	// defaultSendBuffer holds dozens of usual messages, and of the largest what a link of 50 Mbit/s takes in
	// 40 ms. The kernel's own choice grows to 4 MiB for every client that does not read.
	defaultSendBuffer = 256 << 10

	// defaultDrain bounds Stop.
	defaultDrain = 5 * time.Second
)

// Upstream is one stream to follow.
type Upstream struct {
	URL       string // ws:// or wss://; the query is kept
	Conductor string // JSON-RPC URL of the op-conductor beside it, empty for none
}

// Gatekeeper decides about keys and limits.
type Gatekeeper interface {
	// Admit returns either a ticket, which the proxy releases once, or a refusal. The key is empty if
	// the request has none.
	Admit(r *http.Request, key string) (*admission.Ticket, *admission.Refusal)
}

// Config configures a Proxy. Upstreams and Addr are required; other zero values mean their default.
type Config struct {
	Addr      string // host:port that clients connect to, port 0 for a free one
	Upstreams []Upstream

	Admission Gatekeeper // Nil admits everybody
	KeyRoutes bool       // API keys are configured: serve /ws/{key}

	Compression bool // Brotli is the default form, as with Base's --enable-compression
	TextFrames  bool // Text frames are the default form instead of Base's binary ones
	Deflate     bool // Offer permessage-deflate

	RingMessages int // Messages kept for slow and resuming clients, default 1024
	RingBytes    int // Bytes of these, default 64 MiB
	MaxLag       int // Messages a client that had caught up may be behind for a second and longer, 0 for all that are kept
	Clients      int // Most connections of the hub; admission has limits of its own. Default 1 << 20
	SendBuffer   int // Bytes the kernel keeps for a client that does not read, default 256 KiB; negative for its own choice

	ClientPing   bool          // Ping clients, and drop those that do not answer
	PingInterval time.Duration // Default 15 s
	PongTimeout  time.Duration // Silence after which a pinged client is dropped, default 30 s
	SendTimeout  time.Duration // Time for a client to take one message, default 1 s

	UpstreamPing    time.Duration // Default 2 s
	UpstreamPong    time.Duration // Default 4 s
	UpstreamBackoff time.Duration // Longest pause before a reconnect, default 20 s
	NoNotices       bool          // Do not follow /v0 of the upstreams for sealed and reorg notices
	NoBackfill      bool          // Do not ask the upstream for what it has kept when starting
	Limits          flashblocks.Limits

	ConductorPoll time.Duration // Default 500 ms
	ReadyMaxAge   time.Duration // Age of the newest message at which /readyz turns red, default 10 s
	Settle        time.Duration // Longest wait for the first replay, default 2 s
	DrainTimeout  time.Duration // Bound of Stop without a deadline of its own, default 5 s

	TLS              *tls.Config // Nil for plain TCP
	HandshakeTimeout time.Duration
	Handshakes       int      // Most connections in the handshake at a time
	HeaderBytes      int      // Longest request header
	Origins          []string // Admitted Origin headers; empty or "*" admits all

	Metrics *metrics.Set // Nil for a private set
	Log     log.Logger   // Nil for the root logger
}

func (c Config) withDefaults() Config {
	setDefault(&c.Clients, 1<<20)
	setDefault(&c.PingInterval, 15*time.Second)
	setDefault(&c.PongTimeout, 30*time.Second)
	setDefault(&c.SendTimeout, time.Second)
	setDefault(&c.UpstreamPing, 2*time.Second)
	setDefault(&c.UpstreamPong, 4*time.Second)
	setDefault(&c.UpstreamBackoff, 20*time.Second)
	setDefault(&c.ConductorPoll, defaultConductorPoll)
	setDefault(&c.ReadyMaxAge, defaultReadyMaxAge)
	setDefault(&c.Settle, defaultSettle)
	setDefault(&c.DrainTimeout, defaultDrain)
	if c.SendBuffer == 0 {
		c.SendBuffer = defaultSendBuffer
	}
	if c.Metrics == nil {
		c.Metrics = metrics.NewSet()
	}
	if c.Log == nil {
		c.Log = log.Root()
	}
	return c
}

// setDefault replaces a value that is not positive.
func setDefault[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}
