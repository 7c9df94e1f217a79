// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"errors"
	"net"
	"time"
)

// partingLimit is how much more of a client that did something wrong is read, so that it can read why
// before the connection is reset.
const partingLimit = 64 << 10

// read is the reader goroutine. It serves control frames; data is discarded. Read in this way an idle client holds
// 4.2 KB, 1.2 of them on the heap, and 7.1 and 1.9 KB where gorilla/websocket reads (make bench-proxy).
func (c *client) read() {
	defer c.hub.wg.Done()
	p, err := c.follow()
	var wrong *violation
	switch {
	case errors.As(err, &wrong):
		c.because(causeProtocol)
		c.takeLeave(&parting{frame: closeFrame(wrong.code, wrong.reason), wait: true})
	case err == nil:
		c.because(causePeer)
		c.takeLeave(p)
	case timedOut(err):
		c.because(causeSilent)
	default:
		c.because(causePeer)
	}
	_ = c.conn.Close()
	c.signal(signalGone)
	c.hub.departed(c)
}

// follow reads until something is wrong or, without an error, the peer closes with a close frame, which
// is to be answered.
func (c *client) follow() (*parting, error) {
	if err := c.heard(); err != nil {
		return nil, err
	}
	for {
		op, payload, err := c.in.next(c.conn)
		if err != nil {
			return nil, err
		}
		switch op {
		case opPing:
			pong := wireFrame(opPong, payload)
			c.pong.Store(&pong)
			c.signal(signalPong)
		case opClose:
			answer, err := answerTo(payload)
			return &parting{frame: answer}, err
		}
		if err := c.heard(); err != nil {
			return nil, err
		}
	}
}

// takeLeave has a close frame written, if none was, and waits for the end of the connection. Reading goes
// on meanwhile: a socket that is closed with unread data resets the connection, and the peer may never
// see the close frame.
func (c *client) takeLeave(p *parting) {
	if c.closing.Load() {
		return
	}
	c.bye.Store(p)
	c.signal(signalBye)
	// The writer ends the connection; the deadline is for one that cannot.
	_ = c.conn.SetReadDeadline(time.Now().Add(c.hub.cfg.WriteTimeout + controlTimeout + c.hub.cfg.CloseGrace))
	for left := partingLimit; left > 0; {
		n, err := c.conn.Read(c.in.buf[:])
		if err != nil {
			return
		}
		left -= n
	}
}

// heard extends the read deadline, and ends a client that floods.
func (c *client) heard() error {
	now := time.Now()
	if second := now.Unix(); second != c.inboundSecond {
		c.inboundSecond, c.inbound = second, 0
	}
	if c.inbound++; c.inbound > inboundFrameRate {
		return errChatty
	}
	if c.closing.Load() || c.hub.cfg.NoPing {
		return nil
	}
	return c.conn.SetReadDeadline(now.Add(c.hub.cfg.ReadTimeout))
}

// timedOut reports a passed deadline.
func timedOut(err error) bool {
	var netErr net.Error
	return errors.As(err, &netErr) && netErr.Timeout()
}
