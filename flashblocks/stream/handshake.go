// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // RFC 6455 §4.2.2 asks for it; it protects nothing
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// handshakeGUID is appended to the client's key, RFC 6455 §1.3.
const handshakeGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// deflateExtension is what clients offer and deflateAnswer what they get: without a context from one
// message to the next, so that a compressed message is the same for every client.
const (
	deflateExtension = "permessage-deflate"
	deflateAnswer    = deflateExtension + "; server_no_context_takeover; client_no_context_takeover"
)

// refusedUpgrade is a request that cannot become a websocket.
type refusedUpgrade struct {
	status   int
	sentence string
}

// Error implements error.
func (e *refusedUpgrade) Error() string { return e.sentence }

// errEarly ends a client that does not wait for the answer to its handshake.
var errEarly = errors.New("the client sent data before the handshake was complete")

// upgrade answers the handshake and takes the connection over. deflate is whether permessage-deflate is
// agreed on. Errors have been answered.
func (h *Hub) upgrade(w http.ResponseWriter, r *http.Request) (conn net.Conn, deflate bool, err error) {
	defer func() {
		if err != nil {
			h.m.handshake.Inc()
			h.log.Debug("Flashblocks client failed the handshake", "client", r.RemoteAddr, "err", err)
		}
	}()
	if err := h.checkUpgrade(r); err != nil {
		w.Header().Set("Sec-WebSocket-Version", "13")
		h.cfg.Error(w, err.sentence, err.status)
		return nil, false, err
	}
	deflate = h.cfg.Deflate && offersDeflate(r)
	conn, pending, err := http.NewResponseController(w).Hijack()
	if err != nil {
		h.cfg.Error(w, "this connection cannot become a websocket", http.StatusInternalServerError)
		return nil, false, err
	}
	if err := greet(conn, pending, r, deflate); err != nil {
		return nil, false, errors.Join(err, conn.Close())
	}
	h.tune(conn, r)
	return conn, deflate, nil
}

// checkUpgrade judges a request that asks for a websocket.
func (h *Hub) checkUpgrade(r *http.Request) *refusedUpgrade {
	key, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-WebSocket-Key"))
	switch {
	case r.Method != http.MethodGet:
		return &refusedUpgrade{http.StatusMethodNotAllowed, "a websocket begins with GET"}
	case !slices.Contains(tokens(r, "Sec-WebSocket-Version"), "13"):
		return &refusedUpgrade{http.StatusBadRequest, "only version 13 of the websocket protocol is spoken here"}
	case !h.cfg.CheckOrigin(r):
		return &refusedUpgrade{http.StatusForbidden, "this origin is not admitted"}
	case err != nil || len(key) != 16:
		return &refusedUpgrade{http.StatusBadRequest, "Sec-WebSocket-Key must be 16 bytes in base64"}
	}
	return nil
}

// greet sends the answer of a successful handshake.
func greet(conn net.Conn, pending *bufio.ReadWriter, r *http.Request, deflate bool) error {
	if pending.Reader.Buffered() > 0 {
		return errEarly
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + handshakeGUID)) //nolint:gosec // see the import
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n"
	if deflate {
		answer += "Sec-WebSocket-Extensions: " + deflateAnswer + "\r\n"
	}
	// The deadlines of the HTTP server end here.
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("deadline of the handshake: %w", err)
	}
	_ = conn.SetWriteDeadline(time.Now().Add(controlTimeout))
	if _, err := conn.Write([]byte(answer + "\r\n")); err != nil {
		return err
	}
	return conn.SetWriteDeadline(time.Time{})
}

// tune sets the kernel's send buffer.
func (h *Hub) tune(conn net.Conn, r *http.Request) {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = secure.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok && h.cfg.SendBuffer > 0 {
		if err := tcp.SetWriteBuffer(h.cfg.SendBuffer); err != nil {
			h.log.Debug("Could not set the send buffer of a flashblocks client", "client", r.RemoteAddr, "err", err)
		}
	}
}

// offersDeflate reports whether one of the client's offers can be accepted: RFC 7692 §7.1. A smaller
// window for what the server sends is the one thing that cannot be given.
func offersDeflate(r *http.Request) bool {
	for _, offer := range tokens(r, "Sec-WebSocket-Extensions") {
		name, parameters, _ := strings.Cut(offer, ";")
		if strings.TrimSpace(name) == deflateExtension && !strings.Contains(parameters, "server_max_window_bits") {
			return true
		}
	}
	return false
}

// tokens returns the members of a comma-separated header, in lower case.
func tokens(r *http.Request, header string) (out []string) {
	for _, line := range r.Header.Values(header) {
		for token := range strings.SplitSeq(line, ",") {
			out = append(out, strings.ToLower(strings.TrimSpace(token)))
		}
	}
	return out
}
