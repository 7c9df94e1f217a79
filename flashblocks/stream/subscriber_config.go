// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

const (
	// defaultQueue is how many messages may wait for the handler: some ten seconds at 200 ms. When it
	// is full the subscriber stops reading, so that the server sees a slow client; what it drops us for
	// is replayed after the reconnect.
	defaultQueue = 64

	// defaultDialTimeout covers name resolution, TCP, TLS and the upgrade.
	defaultDialTimeout = 5 * time.Second

	// Base's proxy pings its upstream every 2 s and waits 4 s for the answer.
	defaultUpstreamPing = 2 * time.Second
	defaultUpstreamRead = 6 * time.Second

	// The pause before a reconnect doubles between these two. The first is short because a restarted
	// builder is back within a block, the last because a lost one must be found again within a few.
	defaultBackoffMin = 250 * time.Millisecond
	defaultBackoffMax = 10 * time.Second

	// readBuffer has a usual message read from the socket at once, its frame header included.
	readBuffer = 32 << 10

	// firstBuffer holds most messages, keptBuffer the largest of busy chains. What a larger one needed is
	// given back before the next.
	firstBuffer = 64 << 10
	keptBuffer  = 2 << 20

	// dedupeMemory is how many messages are remembered to recognise a replay: as many as a hub keeps.
	dedupeMemory = defaultRingMessages
)

// Delivery is one flashblock as it arrived.
type Delivery struct {
	flashblocks.Header

	// JSON is the message text with the sender's own bytes, decompressed if it was compressed. It
	// belongs to the receiver.
	JSON []byte

	// Arrived is when the message had been read completely.
	Arrived time.Time
}

// State is a change of the connection to the upstream.
type State struct {
	Connected bool
	Reason    error // why there is no connection, nil when connected
}

// SubscriberConfig configures a Subscriber. URL and Handler are required; every other zero value means
// its default.
type SubscriberConfig struct {
	// URL is the upstream, ws:// or wss://. Its query is kept on every connect, except that the resume
	// parameters are replaced once there is a position to resume from.
	URL    string
	Name   string      // Label of the upstream in metrics and logs, default its host
	Header http.Header // Sent with every upgrade
	TLS    *tls.Config // Nil for the system's roots

	// Decode reads a frame: its header, and the text to deliver. A header without payload id is not
	// recognised as a repetition, and resumed from by position alone. Default flashblocks.DecodeHeader,
	// whose errors it shares. It is for streams in another form than v1.
	Decode func(frame []byte, lim flashblocks.Limits) (flashblocks.Header, []byte, error)

	// Repeats delivers also what was delivered before, so that the receiver can compare.
	Repeats bool

	// Position, if not nil, is asked before every connect for the message to resume after, instead of
	// the last one read here. Block 0 asks the upstream for all it has kept; without ok the upstream
	// begins where it wants.
	Position func() (last flashblocks.Header, ok bool)

	Handler func(Delivery) // Called from one goroutine, in order
	OnState func(State)    // Called from the same goroutine, in order with the messages; may be nil

	// Inline calls Handler and OnState from the goroutine that reads the connection, without a queue: a
	// message is handled one change of goroutine sooner. It is for handlers that never wait, as the
	// connection's pongs wait with them.
	Inline bool

	Limits flashblocks.Limits // Sizes of messages
	Queue  int                // Messages that may wait for Handler unless it is called inline, default 64

	DialTimeout  time.Duration // Default 5 s
	PingInterval time.Duration // Default 2 s
	ReadTimeout  time.Duration // An upstream silent for this long is given up, default 6 s
	BackoffMin   time.Duration // First pause before a reconnect, default 250 ms, jittered by half
	BackoffMax   time.Duration // Longest pause, default 10 s, jittered by half

	Metrics *metrics.Set // Nil for a private set
	Log     log.Logger   // Nil for the root logger
}

func (c SubscriberConfig) withDefaults() SubscriberConfig {
	setDefault(&c.Queue, defaultQueue)
	setDefault(&c.DialTimeout, defaultDialTimeout)
	setDefault(&c.PingInterval, defaultUpstreamPing)
	setDefault(&c.ReadTimeout, defaultUpstreamRead)
	setDefault(&c.BackoffMin, defaultBackoffMin)
	setDefault(&c.BackoffMax, defaultBackoffMax)
	if c.Decode == nil {
		c.Decode = flashblocks.DecodeHeader
	}
	if c.OnState == nil {
		c.OnState = func(State) {}
	}
	if c.Metrics == nil {
		c.Metrics = metrics.NewSet()
	}
	if c.Log == nil {
		c.Log = log.Root()
	}
	return c
}

// subscriberMetrics are the figures of one upstream. All of them exist, at zero, from the start.
type subscriberMetrics struct {
	connected   *metrics.Gauge   // 1 while connected
	connects    *metrics.Counter // connections made
	dialErrors  *metrics.Counter // attempts that failed
	disconnects *metrics.Counter // connections lost
	messages    *metrics.Counter // delivered
	bytes       *metrics.Counter // received, as they were on the wire
	duplicates  *metrics.Counter // seen before and left out
	undecodable *metrics.Counter // not a flashblock
}

func newSubscriberMetrics(set *metrics.Set, name string) *subscriberMetrics {
	full := func(metric string) string {
		return "flashblocks_subscriber_" + metric + `{upstream="` + escapeLabel(name) + `"}`
	}
	return &subscriberMetrics{
		connected:   set.GetOrCreateGauge(full("connected"), nil),
		connects:    set.GetOrCreateCounter(full("connects_total")),
		dialErrors:  set.GetOrCreateCounter(full("dial_errors_total")),
		disconnects: set.GetOrCreateCounter(full("disconnects_total")),
		messages:    set.GetOrCreateCounter(full("messages_total")),
		bytes:       set.GetOrCreateCounter(full("bytes_total")),
		duplicates:  set.GetOrCreateCounter(full("duplicates_total")),
		undecodable: set.GetOrCreateCounter(full("undecodable_total")),
	}
}

// escapeLabel leaves only characters that need no quoting in a label's value.
func escapeLabel(s string) string {
	out := []byte(s)
	for i, b := range out {
		if b < ' ' || b >= 0x7f || b == '"' || b == '\\' {
			out[i] = '_'
		}
	}
	return string(out)
}
