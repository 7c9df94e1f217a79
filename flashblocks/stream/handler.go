// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"crypto/tls"
	"net"
	"net/http"
	"strings"
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
// ?from=current, otherwise at the next message. A position takes precedence; from=current then says
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
	ws, err := h.upgrade(w, r)
	if err != nil {
		h.active.Add(-1)
		return false
	}
	c := &client{
		hub: h, ws: ws, conn: ws.NetConn(), deflate: h.cfg.Deflate && offersDeflate(r), form: sub.Form, filter: sub.Filter, cursor: cursor, opened: time.Now(),
		onClose: sub.OnClose, kick: make(chan struct{}, 1),
	}
	if from.resume && !found {
		c.ahead = &ahead{after: from}
	}
	if sub.Form == FormBrotli {
		ws.EnableWriteCompression(false) // it would not shrink a second time
	}
	if !h.register(c) {
		h.active.Add(-1)
		h.dismiss(ws, websocket.CloseGoingAway, "the server is shutting down")
		return false
	}
	h.m.accepted.Inc()
	h.m.connections.Inc()
	go c.write()
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

// upgrade answers the handshake. Errors have been answered.
func (h *Hub) upgrade(w http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	upgrader := websocket.Upgrader{
		HandshakeTimeout:  controlTimeout,
		ReadBufferSize:    readBufferSize,
		WriteBufferPool:   discardPool{},
		CheckOrigin:       h.cfg.CheckOrigin,
		EnableCompression: h.cfg.Deflate,
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		h.m.handshake.Inc()
		h.log.Debug("Flashblocks client failed the handshake", "client", r.RemoteAddr, "err", err)
		return nil, err
	}
	conn := ws.NetConn()
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok && h.cfg.SendBuffer > 0 {
		if err := tcp.SetWriteBuffer(h.cfg.SendBuffer); err != nil {
			h.log.Debug("Could not set the send buffer of a flashblocks client", "client", r.RemoteAddr, "err", err)
		}
	}
	return ws, nil
}

// offersDeflate reports whether a request may lead to permessage-deflate. Being wrong only costs a
// detour through gorilla, which knows.
func offersDeflate(r *http.Request) bool {
	for _, extensions := range r.Header.Values("Sec-WebSocket-Extensions") {
		if strings.Contains(strings.ToLower(extensions), "permessage-deflate") {
			return true
		}
	}
	return false
}

// discardPool tells gorilla to keep no write buffer per connection. Everything is sent as prepared
// or control frames, which do not use one, so there is nothing to pool either.
type discardPool struct{}

func (discardPool) Get() any { return nil }
func (discardPool) Put(any)  {}

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
	ws, err := h.upgrade(w, r)
	if err != nil {
		return
	}
	h.dismiss(ws, websocket.CloseTryAgainLater, "too many subscribers, try again later")
}

// dismiss closes a connection that was never admitted, waiting a moment for the peer's answer.
func (h *Hub) dismiss(ws *websocket.Conn, code int, reason string) {
	defer func() { _ = ws.Close() }()
	if err := ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(controlTimeout)); err != nil {
		return
	}
	ws.SetReadLimit(inboundReadLimit)
	_ = ws.SetReadDeadline(time.Now().Add(h.cfg.CloseGrace))
	for {
		if _, _, err := ws.NextReader(); err != nil {
			return
		}
	}
}

// encodeFailed counts and reports a message that is missing from one form.
func (h *Hub) encodeFailed(err error) {
	h.m.encodeFail.Inc()
	h.log.Error("Flashblock is missing from the stream", "err", err)
}
