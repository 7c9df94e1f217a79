// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package front

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

const (
	// bodyTimeout bounds the time a caller may take for a body. The largest takes 3 s over 100 Mbit/s.
	bodyTimeout = 30 * time.Second

	// trustedLength is up to which a declared length is allocated before the bytes have come: many times a
	// block.
	trustedLength = 4 << 20
)

// codeTooLarge is what op-geth answers to a body that exceeds its limit.
const codeTooLarge = -32003

// readBody reads a body up to the limit. It is not kept for reuse, because what is told to the builder in
// the background refers to it. Of a block that has not come yet, it returns the call as far as it is known.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (body []byte, arriving *jsonrpc.Request, err error) {
	limited := http.MaxBytesReader(w, r.Body, s.cfg.MaxBody)
	if r.ContentLength > s.cfg.MaxBody {
		return nil, nil, &http.MaxBytesError{Limit: s.cfg.MaxBody}
	}
	// A caller that stops in the middle is given up, as net/http does with its header.
	control := http.NewResponseController(w)
	if err := control.SetReadDeadline(time.Now().Add(bodyTimeout)); err != nil {
		return nil, nil, err
	}
	defer func() { _ = control.SetReadDeadline(time.Time{}) }() // fails on a dead connection only
	if 0 >= r.ContentLength || r.ContentLength > trustedLength {
		var buf bytes.Buffer
		_, err := buf.ReadFrom(limited)
		return buf.Bytes(), nil, err
	}
	head, arriving, err := passable(r, control)
	if err != nil || arriving != nil {
		return nil, arriving, err
	}
	body = make([]byte, r.ContentLength)
	_, err = io.ReadFull(r.Body, body[copy(body, head):])
	return body, nil, err
}

// refuseBody answers a request whose body is too large or did not come.
func (s *Server) refuseBody(w http.ResponseWriter, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		s.tooLarge.Inc()
		respond(w, http.StatusRequestEntityTooLarge, jsonrpc.AppendError(nil, nil, &jsonrpc.Error{Code: codeTooLarge, Message: "request body too large"}))
		return
	}
	http.Error(w, jsonrpc.ErrIncomplete.Error(), http.StatusRequestTimeout) // if the caller is still there
}
