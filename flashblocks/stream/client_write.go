// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"time"

	"github.com/gorilla/websocket"
)

// state is where a client stands after it was written to.
type state uint8

const (
	caughtUp state = iota // it has everything there is
	behind                // there is more
	stuck                 // its socket has no room for what it is owed
	over                  // nothing more will be written
)

// debt is the rest of a frame that a socket had no room for.
type debt struct {
	rest    []byte
	message *frame    // nil for a control frame
	since   time.Time // of the first attempt, if it is timed
	last    *parting  // the connection ends after it
}

// pen writes to a client's socket.
type pen interface {
	// put writes b and returns what of it is left, if it does not wait until nothing is.
	put(c *client, b []byte, timeout time.Duration) (rest []byte, err error)
}

// patientPen waits. It belongs to one client.
type patientPen struct {
	deadline time.Time // that the socket has
}

// put implements pen.
func (p *patientPen) put(c *client, b []byte, timeout time.Duration) ([]byte, error) {
	now := time.Now()
	if left := p.deadline.Sub(now); left < timeout || left > 2*timeout {
		// Half as much again, so that a busy stream does not set a timer for every message.
		p.deadline = now.Add(timeout + timeout/2)
		_ = c.conn.SetWriteDeadline(p.deadline)
	}
	_, err := c.conn.Write(b)
	return nil, err
}

// run writes to a client from a goroutine of its own: until it has caught up, or to its end if it has
// no walker.
func (c *client) run(owed debt) {
	defer c.hub.wg.Done()
	pen := new(patientPen)
	if owed.rest != nil && !c.repay(pen, owed) {
		c.left()
		return
	}
	for {
		// The channel before the ring: see Hub.wakeAll.
		wake := *c.hub.wake.Load()
		switch state, _ := c.pump(pen); {
		case state == over:
			c.left()
			return
		case state == behind:
		case c.walker != nil:
			// A deadline that has passed would fail the walker's attempts.
			_ = c.conn.SetWriteDeadline(time.Time{})
			c.walker.tell(call{client: c, joins: true})
			return
		default:
			select {
			case <-wake:
			case <-c.kick:
			}
		}
	}
}

// left tells the walker that a client is over.
func (c *client) left() {
	if c.walker != nil {
		c.walker.leave()
	}
}

// repay writes what a client is owed, and reports false when the connection is over.
func (c *client) repay(pen pen, owed debt) bool {
	timeout := c.hub.cfg.WriteTimeout
	if owed.message == nil {
		timeout = controlTimeout
	}
	if _, err := pen.put(c, owed.rest, timeout); err != nil {
		c.writeFailed(err)
		return false
	}
	if owed.last != nil {
		c.parted(owed.last)
		return false
	}
	if owed.message != nil {
		c.sent(&owed)
	}
	return true
}

// pump writes some of what the client has not got. What is owed is set when it is stuck.
func (c *client) pump(pen pen) (state, debt) {
	for range visitMessages {
		if state, owed := c.control(pen); state != caughtUp {
			return state, owed
		}
		stopping := c.hub.closing.Load()
		e, evicted := c.hub.ring.get(c.cursor)
		switch {
		case evicted:
			c.hub.log.Debug("Dropping slow flashblocks client", "client", c.conn.RemoteAddr(), "cursor", c.cursor)
			return c.finish(pen, causeLagged, websocket.CloseTryAgainLater, "too slow: the client fell behind the last messages kept")
		case e == nil && stopping:
			return c.finish(pen, causeShutdown, websocket.CloseGoingAway, "the server is shutting down")
		case e == nil:
			c.lag.level()
			return caughtUp, debt{}
		}
		if behind := c.lag.excess(c); behind > 0 {
			c.hub.log.Debug("Dropping slow flashblocks client", "client", c.conn.RemoteAddr(), "behind", behind)
			return c.finish(pen, causeLagged, websocket.CloseTryAgainLater, lagReason(behind))
		}
		c.cursor++
		if c.ahead != nil && c.skips(&e.msg) {
			continue
		}
		ok, err := c.passes(&e.msg)
		if err != nil {
			reason := err.Error()
			return c.finish(pen, causeRefused, websocket.ClosePolicyViolation, reason[:min(len(reason), maxCloseReason)])
		}
		if !ok {
			continue
		}
		if state, owed := c.send(pen, e); state != caughtUp {
			return state, owed
		}
	}
	return behind, debt{}
}

// send writes one message.
func (c *client) send(pen pen, e *entry) (state, debt) {
	f := e.frame(c.form, c.hub.encodeFailed)
	if f.wire == nil {
		return caughtUp, debt{}
	}
	wire := f.wire
	if c.deflate {
		var err error
		if wire, err = f.deflated(); err != nil {
			c.hub.encodeFailed(err)
			wire = f.wire
		}
	}
	owed := debt{message: f}
	if (e.seq+uint64(c.shard))%sendSample == 0 {
		owed.since = time.Now()
	}
	if c.raw == nil {
		c.lag.full(c) // it may take until this is written to know
	}
	var err error
	if owed.rest, err = pen.put(c, wire, c.hub.cfg.WriteTimeout); err != nil {
		c.writeFailed(err)
		return over, debt{}
	}
	if len(owed.rest) > 0 {
		c.lag.full(c)
		return stuck, owed
	}
	c.sent(&owed)
	return caughtUp, debt{}
}

// sent counts a message that was written.
func (c *client) sent(d *debt) {
	c.hub.m.delivered.Inc()
	c.hub.m.sentBytes.Add(d.message.size)
	if c.form == FormBrotli {
		c.hub.m.compressed.Add(d.message.size)
	}
	if !d.since.IsZero() {
		c.hub.m.sendTime.UpdateDuration(d.since)
	}
}

// control does what the signals ask for.
func (c *client) control(pen pen) (state, debt) {
	if c.signals.Load() == 0 {
		return caughtUp, debt{}
	}
	bits := c.signals.Swap(0)
	switch {
	case bits&signalGone != 0:
		return over, debt{}
	case bits&signalBye != 0:
		return c.part(pen, c.bye.Load())
	}
	var frames []byte
	if bits&signalPong != 0 {
		if pong := c.pong.Swap(nil); pong != nil {
			frames = *pong
		}
	}
	if bits&signalPing != 0 {
		frames = append(frames, wireFrame(opPing, nil)...)
	}
	if len(frames) == 0 {
		return caughtUp, debt{}
	}
	rest, err := pen.put(c, frames, controlTimeout)
	if err != nil {
		if bits&signalPing != 0 {
			c.hub.m.pingFailed.Inc()
		}
		c.writeFailed(err)
		return over, debt{}
	}
	if bits&signalPing != 0 {
		c.hub.m.pings.Inc()
	}
	if len(rest) > 0 {
		return stuck, debt{rest: rest}
	}
	return caughtUp, debt{}
}

// finish ends the connection with a close frame.
func (c *client) finish(pen pen, cause closeCause, code int, reason string) (state, debt) {
	c.because(cause)
	return c.part(pen, &parting{frame: closeFrame(code, reason), wait: true})
}

// part writes a close frame.
func (c *client) part(pen pen, p *parting) (state, debt) {
	c.closing.Store(true)
	rest, err := pen.put(c, p.frame, controlTimeout)
	switch {
	case err != nil:
		_ = c.conn.Close()
	case len(rest) > 0:
		return stuck, debt{rest: rest, last: p}
	default:
		c.parted(p)
	}
	return over, debt{}
}
