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

	// reusedFrom is from which size on a body is read into memory that blocks share one after another.
	reusedFrom = 16 << 10
)

// errNoBody is what a caller is told whose request did not come whole or in time, if it is still there.
var errNoBody = errors.New("the body of the request did not come")

// codeTooLarge is what op-geth answers to a body that exceeds its limit.
const codeTooLarge = -32003

// readBody reads a body up to the limit. lent is what it is in if its memory can be used again: by whoever knows
// that nobody refers to it any more, as what is told to the builder in the background does.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (body []byte, lent *jsonrpc.Body, err error) {
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
	if length := int(r.ContentLength); length >= reusedFrom {
		lent = jsonrpc.NewBody(length)
		body = lent.Bytes()
	} else {
		body = make([]byte, length)
	}
	_, err = io.ReadFull(r.Body, body)
	return body, lent, err
}

// refuseBody answers a request whose body is too large or did not come.
func (s *Server) refuseBody(w http.ResponseWriter, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		s.tooLarge.Inc()
		respond(w, http.StatusRequestEntityTooLarge, jsonrpc.AppendError(nil, nil, &jsonrpc.Error{Code: codeTooLarge, Message: "request body too large"}))
		return
	}
	http.Error(w, errNoBody.Error(), http.StatusRequestTimeout) // if the caller is still there
}
