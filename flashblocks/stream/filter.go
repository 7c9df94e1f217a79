// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import "time"

// Filter decides which flashblocks one client gets. Notices, which exist on v0 only, and control frames
// never pass through a filter.
type Filter interface {
	// Match is called from the goroutine that writes to the client, once for every message, and must not
	// change it or wait for anything. An error means that the stream does not carry what the filter asks for: it is the reason in
	// the close frame, of at most 123 bytes, and the end of the connection.
	Match(m *Message) (bool, error)
}

// noticesOnly leaves the flashblocks out of the v0 stream.
type noticesOnly struct{}

// Match implements Filter. It is asked about flashblocks only.
func (noticesOnly) Match(*Message) (bool, error) { return false, nil }

// maxCloseReason is what a close frame has room for, RFC 6455 §5.5.
const maxCloseReason = 123

// passes reports whether the client gets a message. An error means that its filter cannot be satisfied.
func (c *client) passes(m *Message) (bool, error) {
	if c.filter == nil || m.V1 == nil {
		return true, nil
	}
	ok, err := c.filter.Match(m)
	if err == nil && !ok {
		c.hub.m.filtered.Inc()
	}
	return ok, err
}

// aheadPatience bounds how long messages are kept from a client that was ahead of this hub, counted
// from the first one. A replay that fills the hub takes far less; and after an unsafe reorg to a lower
// block, when nothing will ever follow the client's position, this is how long it misses.
const aheadPatience = 5 * time.Second

// ahead is the position of a client that had seen more than this hub when it connected, because the
// hub was just restarted or its upstream is behind. What comes up to that position is known to it.
type ahead struct {
	after start
	since time.Time // of the first message left out
}

// skips reports whether a message is one the client has already seen elsewhere.
func (c *client) skips(m *Message) bool {
	if m.V1 == nil {
		return m.BlockNumber != 0 && m.BlockNumber < c.ahead.after.block
	}
	known := m.BlockNumber < c.ahead.after.block
	if p := c.ahead.after.payload; m.BlockNumber == c.ahead.after.block && (p == nil || *p == m.PayloadID) {
		known = m.Index <= c.ahead.after.index
	}
	if !known {
		c.ahead = nil
		return false
	}
	now := time.Now()
	if c.ahead.since.IsZero() {
		c.ahead.since = now
	}
	if now.Sub(c.ahead.since) > aheadPatience {
		c.ahead = nil
		return false
	}
	return true
}
