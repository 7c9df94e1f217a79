// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// Signals from other goroutines to the one that writes to a client.
const (
	signalPing   uint32 = 1 << iota // send a ping
	signalPong                      // answer the ping in client.pong
	signalBye                       // send client.bye and end
	signalGone                      // the reader ended
	signalQueued                    // the walker has been called
)

// controlTimeout bounds the write of a ping, pong or close frame, which is small enough for any
// socket that still takes data.
const controlTimeout = time.Second

// sendSample is of how many messages to a client one is timed: enough to see a slow network, and rare
// enough that ten thousand clients do not make the histogram a bottleneck.
const sendSample = pingShards

// client is one connection: a cursor into the ring and a goroutine that reads. Messages and control
// frames are written by the client's walker or, while the socket has no room, by a goroutine of its
// own; and always by that where a write cannot be tried without waiting.
type client struct {
	hub     *Hub
	conn    net.Conn
	raw     syscall.RawConn // of conn, nil where a write cannot be tried
	walker  *walker         // nil without raw
	slot    int             // in the walker's list, negative while the client is not there
	deflate bool            // messages are sent compressed with permessage-deflate
	form    Form
	filter  Filter // nil for everything
	ahead   *ahead // set while the client is ahead of this hub
	cursor  uint64
	lag     lag
	shard   int
	opened  time.Time
	onClose func()

	kick    chan struct{} // without raw: capacity 1, signals are bits and one wake-up covers all
	signals atomic.Uint32
	pong    atomic.Pointer[[]byte] // frame; only the last ping is answered, RFC 6455 §5.5.3
	bye     atomic.Pointer[parting]
	cause   atomic.Pointer[closeCause]
	closing atomic.Bool // a close frame was sent: no more read deadlines

	in            inbound
	inboundSecond int64 // unix second that inbound counts
	inbound       int
}

// parting is a close frame and what to do once it is written.
type parting struct {
	frame []byte
	wait  bool // for the peer's answer; without, the peer has closed already
}

// signal has the client's writer look at it.
func (c *client) signal(bit uint32) {
	if c.walker != nil {
		if c.signals.Or(bit|signalQueued)&signalQueued == 0 {
			c.walker.tell(call{client: c})
		}
		return
	}
	c.signals.Or(bit)
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// because records why the connection ends; the first reason stands.
func (c *client) because(cause closeCause) { c.cause.CompareAndSwap(nil, &cause) }

// cut ends the connection without a word. Reader and writer notice.
func (c *client) cut() {
	c.because(causeShutdown)
	_ = c.conn.Close()
}

// writeFailed ends a connection that no longer takes data. No close frame can be sent: part of
// another frame may be on the wire.
func (c *client) writeFailed(err error) {
	if timedOut(err) {
		c.because(causeWrite)
	} else {
		c.because(causePeer)
	}
	_ = c.conn.Close()
}

// parted ends a connection after a close frame has been written. While the peer's answer is awaited,
// the socket is the reader's: closing at once could make the peer's kernel throw away what it has not
// read yet.
func (c *client) parted(p *parting) {
	if !p.wait {
		_ = c.conn.Close()
		return
	}
	time.AfterFunc(c.hub.cfg.CloseGrace, func() { _ = c.conn.Close() })
}
