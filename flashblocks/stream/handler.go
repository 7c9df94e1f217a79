// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// Handler routes "/v0" to the v0 stream and every other path, "/" and "/ws" among them, to v1 in text
// frames: op-rbuilder and rollup-boost serve their stream on any path.
func (h *Hub) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", h.Endpoint(FormText))
	mux.Handle("/v0", h.Endpoint(FormV0))
	return mux
}

// Endpoint serves the stream in one form on whatever path it is mounted.
func (h *Hub) Endpoint(form Form) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.Serve(w, r, form, nil)
	})
}

// Subscription says what one client gets.
type Subscription struct {
	Form   Form
	Filter Filter // Nil for everything

	// OnClose, if not nil, is called exactly once, when the connection has ended or if the request is
	// turned away.
	OnClose func()
}

// Serve is ServeSubscription for a client that gets every message in one form.
func (h *Hub) Serve(w http.ResponseWriter, r *http.Request, form Form, onClose func()) {
	h.ServeSubscription(w, r, Subscription{Form: form, OnClose: onClose})
}

// ServeSubscription upgrades one request and returns; the connection then belongs to the hub.
//
// The upgrade URL says where the client starts: after ?block_number=N&flashblock_index=M (and
// payload_id, which tells attempts at one block apart), at index 0 of the block in progress with
// ?from=current or HubConfig.FromCurrent, otherwise at the next message. A position takes precedence; from=current then says
// what to do if nothing follows it. On v0, ?notices=only leaves out the flashblocks themselves.
// Malformed parameters are answered with 400.
func (h *Hub) ServeSubscription(w http.ResponseWriter, r *http.Request, sub Subscription) {
	if sub.OnClose == nil {
		sub.OnClose = func() {}
	}
	if !h.serve(w, r, sub) {
		sub.OnClose()
	}
}

// serve reports whether the connection was handed to the hub.
func (h *Hub) serve(w http.ResponseWriter, r *http.Request, sub Subscription) bool {
	if !websocket.IsWebSocketUpgrade(r) {
		w.Header().Set("Upgrade", "websocket")
		h.cfg.Error(w, "this is a websocket endpoint", http.StatusUpgradeRequired)
		return false
	}
	from, err := parseStart(r.URL.RawQuery)
	if err != nil {
		h.m.badResume.Inc()
		h.cfg.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	from.current = from.current || h.cfg.FromCurrent && !from.resume
	if from.notices && sub.Form == FormV0 {
		sub.Filter = noticesOnly{}
	}
	if !h.enter() {
		h.cfg.Error(w, "the stream is not running", http.StatusServiceUnavailable)
		return false
	}
	defer h.wg.Done()
	if h.active.Add(1) > int64(h.cfg.Limit) {
		h.active.Add(-1)
		h.reject(w, r)
		return false
	}
	// Before the client learns that it is connected: it misses nothing published from then on.
	cursor, found := h.ring.cursor(from)
	conn, deflate, err := h.upgrade(w, r)
	if err != nil {
		h.active.Add(-1)
		return false
	}
	c := &client{
		hub: h, conn: conn, slot: -1, form: sub.Form, filter: sub.Filter, cursor: cursor, opened: time.Now(), onClose: sub.OnClose,
		deflate: deflate && sub.Form != FormBrotli, // brotli would not shrink a second time
		in:      inbound{deflate: deflate},
		lag:     lag{live: !found}, // it begins with what comes next
	}
	if from.resume && !found {
		c.ahead = &ahead{after: from}
	}
	if !h.admit(c) {
		h.active.Add(-1)
		h.dismiss(conn, websocket.CloseGoingAway, "the server is shutting down")
		return false
	}
	return true
}

// admit hands a client to a walker or, where its socket cannot be tried, to a goroutine of its own. It
// reports false if the hub is not running.
func (h *Hub) admit(c *client) bool {
	if !h.cfg.portable {
		c.raw = rawOf(c.conn)
	}
	if c.raw == nil {
		c.kick = make(chan struct{}, 1)
	}
	if !h.register(c) {
		return false
	}
	h.m.accepted.Inc()
	h.m.connections.Inc()
	if c.walker != nil {
		c.walker.tell(call{client: c, joins: true})
	} else {
		go c.run(debt{})
	}
	go c.read()
	return true
}

// departed gives back what an admitted client held.
func (h *Hub) departed(c *client) {
	h.unregister(c)
	h.active.Add(-1)
	h.m.ended(*c.cause.Load(), c.opened)
	c.onClose()
}

// reject turns a client away at the limit: the upgrade succeeds and is closed with 1013 (try again
// later), as op-rbuilder does, because websocket clients can read a close code but not a status.
func (h *Hub) reject(w http.ResponseWriter, r *http.Request) {
	h.m.rejected.Inc()
	if h.rejecting.Add(1) > rejectLimit {
		h.rejecting.Add(-1)
		h.cfg.Error(w, "too many subscribers", http.StatusServiceUnavailable)
		return
	}
	defer h.rejecting.Add(-1)
	conn, _, err := h.upgrade(w, r)
	if err != nil {
		return
	}
	h.dismiss(conn, websocket.CloseTryAgainLater, "too many subscribers, try again later")
}

// dismiss closes a connection that was never admitted, waiting a moment for the peer's answer.
func (h *Hub) dismiss(conn net.Conn, code int, reason string) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetWriteDeadline(time.Now().Add(controlTimeout))
	if _, err := conn.Write(closeFrame(code, reason)); err != nil {
		return
	}
	_ = conn.SetReadDeadline(time.Now().Add(h.cfg.CloseGrace))
	var in inbound
	for {
		if op, _, err := in.next(conn); err != nil || op == opClose {
			return
		}
	}
}

// encodeFailed counts and reports a message that is missing from one form.
func (h *Hub) encodeFailed(err error) {
	h.m.encodeFail.Inc()
	h.log.Error("Flashblock is missing from the stream", "err", err)
}
