// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// Signals from other goroutines to a client's writer.
const (
	signalPing uint32 = 1 << iota // send a ping
	signalPong                    // answer the ping in client.pong
	signalGone                    // the reader ended
)

// controlTimeout bounds the write of a ping, pong or close frame, which is small enough for any
// socket that still takes data.
const controlTimeout = time.Second

// sendSample is of how many messages to a client one is timed: enough to see a slow network, and rare
// enough that ten thousand writers do not meet at the histogram's lock.
const sendSample = pingShards

// client is one connection: a cursor into the ring, a goroutine that writes and one that reads. Nobody
// else touches the socket, so a peer that does not read makes nobody else wait for its lock. The
// reader writes only to end the connection: gorilla's close frames for what breaks the protocol.
type client struct {
	hub     *Hub
	ws      *websocket.Conn
	conn    net.Conn  // below ws; the writer alone sends messages, and whole frames
	patient time.Time // write deadline that conn has
	deflate bool      // permessage-deflate may have been negotiated
	form    Form
	filter  Filter // nil for everything
	ahead   *ahead // set while the client is ahead of this hub
	cursor  uint64
	shard   int
	opened  time.Time
	onClose func()

	kick    chan struct{} // capacity 1: signals are bits, one wake-up covers all
	signals atomic.Uint32
	pong    atomic.Pointer[string] // only the last ping is answered, RFC 6455 §5.5.3
	cause   atomic.Pointer[closeCause]
	closing atomic.Bool // a close frame was sent: no more read deadlines
	hungUp  atomic.Bool // the peer sent a close frame: no more messages

	inboundSecond int64 // unix second that inbound counts
	inbound       int
}

func (c *client) signal(bit uint32) {
	c.signals.Or(bit)
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// because records why the connection ends; the first reason stands.
func (c *client) because(cause closeCause) { c.cause.CompareAndSwap(nil, &cause) }

// cut ends the connection without a word. Both goroutines notice.
func (c *client) cut() {
	c.because(causeShutdown)
	_ = c.ws.Close()
}

// write is the writer goroutine.
func (c *client) write() {
	defer c.hub.wg.Done()
	for {
		// The channel before the ring: see Hub.wakeAll.
		wake := *c.hub.wake.Load()
		if !c.pump() {
			return
		}
		select {
		case <-wake:
		case <-c.kick:
		}
	}
}

// pump writes everything there is, and reports false when the connection is over.
func (c *client) pump() bool {
	for {
		if !c.control() {
			return false
		}
		stopping := c.hub.closing.Load()
		e, evicted := c.hub.ring.get(c.cursor)
		switch {
		case evicted:
			c.hub.log.Debug("Dropping slow flashblocks client", "client", c.ws.RemoteAddr(), "cursor", c.cursor)
			c.finish(causeLagged, websocket.CloseTryAgainLater, "too slow: the client fell behind the last messages kept")
			return false
		case e == nil && stopping:
			c.finish(causeShutdown, websocket.CloseGoingAway, "the server is shutting down")
			return false
		case e == nil:
			return true
		}
		c.cursor++
		if c.ahead != nil && c.skips(&e.msg) {
			continue
		}
		if !c.passes(&e.msg) {
			if c.refused() {
				return false
			}
			continue
		}
		if !c.send(e) {
			return false
		}
	}
}

// send writes one message.
func (c *client) send(e *entry) bool {
	f := e.frame(c.form, c.hub.encodeFailed)
	if f.wire == nil {
		return true
	}
	started := time.Now()
	if err := c.deliver(f, started); err != nil {
		c.writeFailed(err)
		return false
	}
	c.hub.m.delivered.Inc()
	c.hub.m.sentBytes.Add(f.size)
	if c.form == FormBrotli {
		c.hub.m.compressed.Add(f.size)
	}
	if (e.seq+uint64(c.shard))%sendSample == 0 {
		c.hub.m.sendTime.UpdateDuration(started)
	}
	return true
}

// deliver writes a frame. Without permessage-deflate it goes straight to the socket: what gorilla does
// for every message, a lock, a look-up and a new deadline, is a quarter of the cost of ten thousand
// writes. Whole frames of two goroutines do not mix, because every Write of a net.Conn is atomic.
func (c *client) deliver(f *frame, now time.Time) error {
	timeout := c.hub.cfg.WriteTimeout
	if c.deflate {
		prepared, err := f.deflated()
		if err != nil {
			return err
		}
		_ = c.ws.SetWriteDeadline(now.Add(timeout))
		return c.ws.WritePreparedMessage(prepared)
	}
	if c.hungUp.Load() {
		return websocket.ErrCloseSent
	}
	if c.patient.Sub(now) < timeout {
		// Half as much again, so that a busy stream does not set a timer for every message.
		c.patient = now.Add(timeout + timeout/2)
		_ = c.conn.SetWriteDeadline(c.patient)
	}
	_, err := c.conn.Write(f.wire)
	return err
}

// control does what the signals ask for.
func (c *client) control() bool {
	bits := c.signals.Swap(0)
	if bits == 0 {
		return true
	}
	if bits&signalGone != 0 {
		return false
	}
	deadline := time.Now().Add(controlTimeout)
	c.patient = time.Time{} // gorilla sets the deadline of control frames
	if bits&signalPong != 0 {
		if data := c.pong.Swap(nil); data != nil {
			if err := c.ws.WriteControl(websocket.PongMessage, []byte(*data), deadline); err != nil {
				c.writeFailed(err)
				return false
			}
		}
	}
	if bits&signalPing != 0 {
		if err := c.ws.WriteControl(websocket.PingMessage, nil, deadline); err != nil {
			c.hub.m.pingFailed.Inc()
			c.writeFailed(err)
			return false
		}
		c.hub.m.pings.Inc()
	}
	return true
}

// writeFailed ends a connection that no longer takes data. No close frame can be sent: part of
// another frame may be on the wire.
func (c *client) writeFailed(err error) {
	if timedOut(err) {
		c.because(causeWrite)
	} else {
		c.because(causePeer)
	}
	_ = c.ws.Close()
}

// finish sends a close frame and leaves the socket to the reader, which waits for the peer's answer.
// Closing at once could make the peer's kernel throw away what it has not read yet.
func (c *client) finish(cause closeCause, code int, reason string) {
	c.because(cause)
	c.closing.Store(true)
	frame := websocket.FormatCloseMessage(code, reason)
	if err := c.ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(controlTimeout)); err != nil {
		_ = c.ws.Close()
		return
	}
	time.AfterFunc(c.hub.cfg.CloseGrace, func() { _ = c.ws.Close() })
}

// read is the reader goroutine. It only serves control frames; data is discarded.
func (c *client) read() {
	defer c.hub.wg.Done()
	c.ws.SetReadLimit(inboundReadLimit)
	c.ws.SetPongHandler(func(string) error { return c.heard() })
	answer := c.ws.CloseHandler()
	c.ws.SetCloseHandler(func(code int, text string) error {
		c.hungUp.Store(true)
		return answer(code, text)
	})
	c.ws.SetPingHandler(func(data string) error {
		c.pong.Store(&data)
		c.signal(signalPong)
		return c.heard()
	})
	err := c.heard()
	for err == nil {
		if _, _, err = c.ws.NextReader(); err == nil {
			err = c.heard()
		}
	}
	c.because(readCause(err))
	_ = c.ws.Close()
	c.signal(signalGone)
	c.hub.departed(c)
}

// errChatty ends a client that sends more than anything it could have to say.
var errChatty = errors.New("too many inbound frames")

// heard extends the read deadline, and ends a client that floods.
func (c *client) heard() error {
	now := time.Now()
	if second := now.Unix(); second != c.inboundSecond {
		c.inboundSecond, c.inbound = second, 0
	}
	if c.inbound++; c.inbound > inboundFrameRate {
		frame := websocket.FormatCloseMessage(websocket.ClosePolicyViolation, errChatty.Error())
		_ = c.ws.WriteControl(websocket.CloseMessage, frame, now.Add(controlTimeout))
		return errChatty
	}
	if c.closing.Load() || c.hub.cfg.NoPing {
		return nil
	}
	return c.ws.SetReadDeadline(now.Add(c.hub.cfg.ReadTimeout))
}

// readCause tells why reading ended.
func readCause(err error) closeCause {
	var closed *websocket.CloseError
	var netErr net.Error
	switch {
	case timedOut(err):
		return causeSilent
	case errors.As(err, &closed), errors.As(err, &netErr):
		return causePeer
	default:
		return causeProtocol
	}
}

// timedOut reports a passed deadline. gorilla wraps write errors so that only the method is left.
func timedOut(err error) bool {
	var netErr net.Error
	return errors.As(err, &netErr) && netErr.Timeout()
}
