// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"
)

const (
	// defaultRingMessages holds ten blocks of 2 s at the shortest usual interval of 20 ms (100
	// flashblocks and one sealed notification each): 20 s for a client to reconnect and resume in, and
	// over three minutes at 200 ms.
	defaultRingMessages = 1024

	// defaultRingBytes bounds the ring where messages are large: about a dozen full blocks of 5 MiB.
	// Each form that clients really use holds one further copy of a message while it is in the ring.
	defaultRingBytes = 64 << 20

	// defaultLimit is op-rbuilder's number of subscribers.
	defaultLimit = 256

	// defaultPingInterval and defaultReadTimeout: a silent peer is given up after two unanswered pings.
	// Middleboxes drop idle connections after 30 s at the earliest, so one ping falls before that.
	defaultPingInterval = 15 * time.Second
	defaultReadTimeout  = 40 * time.Second

	// defaultWriteTimeout is for one message. A client that cannot take a single message for this long
	// is twenty-five flashblocks late and better off reconnecting.
	defaultWriteTimeout = 5 * time.Second

	// defaultDrain bounds how long Stop lets clients take what is already published if its context
	// carries no deadline.
	defaultDrain = 5 * time.Second

	// defaultCloseGrace is how long a peer may take to answer a close frame before the socket closes.
	defaultCloseGrace = time.Second

	// inboundReadLimit is the largest message a client may send. Clients have nothing to say to the
	// hub, so this only has to hold what a library might send by itself.
	inboundReadLimit = 512

	// inboundFrameRate is how many messages and control frames a client may send per second. The
	// busiest known subscriber pings twice a second.
	inboundFrameRate = 100

	// rejectLimit bounds the connections that are at the moment being told that the hub is full. Over
	// it they get a plain HTTP 503, which needs no lingering.
	rejectLimit = 128
)

// HubConfig configures a Hub. Every zero value means its default.
type HubConfig struct {
	RingMessages int // Messages kept for slow and resuming clients, default 1024
	RingBytes    int // Bytes of V1 text kept, default 64 MiB; the newest message is kept whatever its size

	Limit int // Most clients at a time, default 256; more are accepted and closed with 1013

	// FromCurrent has clients that give no position begin as with ?from=current: with index 0 of the block in
	// progress, without which they could use nothing of it. Who reconnects without a position sees part of
	// the block a second time.
	FromCurrent bool

	// MaxLag is how many messages a client that had caught up may be behind for a second and longer; more
	// is answered with 1013. Clients that replay the ring are exempt until they have caught up. 0 stands
	// for as many as the ring holds.
	MaxLag int

	PingInterval time.Duration // Time between two pings to one client, default 15 s, jittered
	ReadTimeout  time.Duration // A client silent for this long is dropped, default 40 s
	WriteTimeout time.Duration // Time for a client to take one message, default 5 s
	DrainTimeout time.Duration // Bound of Stop without a deadline of its own, default 5 s
	CloseGrace   time.Duration // Wait for a peer's answer to a close frame, default 1 s

	// Deflate offers permessage-deflate to clients that ask for it. Off by default: it costs both ends
	// far more than the brotli form does, and is compressed per message and form once at best.
	Deflate bool

	// Direct is with up to how many clients Publish itself writes to those that have everything before the
	// message and get it as it is, one write each that never waits. It is for publishers to whom some tens
	// of microseconds do not matter but the latency of few clients does. 0 leaves all to the hub.
	Direct int

	// NoPing leaves pings out, and then never drops a client for being silent: who has nothing to answer
	// says nothing. Dead peers are found by writing to them, and by TCP's own keep-alive.
	NoPing bool

	// SendBuffer is the size of a client's kernel send buffer in bytes, 0 for the kernel's own choice.
	// The kernel lets it grow to several MiB per client that does not read; a fan-out to many unknown
	// clients should set it.
	SendBuffer int

	// CheckOrigin decides about an upgrade by its Origin header. Nil admits every origin: the stream is
	// public and carries no credentials a browser would add.
	CheckOrigin func(*http.Request) bool

	// SendTime takes the seconds of one write to a client, sampled. Nil for a histogram in Metrics.
	SendTime *metrics.Histogram

	// Error answers a request that is turned away before the upgrade. Nil stands for http.Error.
	Error func(w http.ResponseWriter, sentence string, status int)

	Metrics *metrics.Set // Nil for a private set
	Log     log.Logger   // Nil for the root logger

	// portable has every client served by a goroutine of its own, as where sockets cannot be tried.
	portable bool

	now func() time.Time // what MaxLag goes by, time.Now outside of tests
}

// withDefaults returns c with every zero value replaced.
func (c HubConfig) withDefaults() HubConfig {
	setDefault(&c.RingMessages, defaultRingMessages)
	setDefault(&c.RingBytes, defaultRingBytes)
	setDefault(&c.Limit, defaultLimit)
	setDefault(&c.PingInterval, defaultPingInterval)
	setDefault(&c.ReadTimeout, defaultReadTimeout)
	setDefault(&c.WriteTimeout, defaultWriteTimeout)
	setDefault(&c.DrainTimeout, defaultDrain)
	setDefault(&c.CloseGrace, defaultCloseGrace)
	if c.CheckOrigin == nil {
		c.CheckOrigin = func(*http.Request) bool { return true }
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.Error == nil {
		c.Error = http.Error
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
func setDefault[T int | int64 | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}
