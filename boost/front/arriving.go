// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package front

import (
	"io"
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

const (
	// passingTimeout bounds the time a caller may take for a block while it is passed on as it comes, since other calls
	// wait behind it: 40 Mbit/s for the largest block.
	passingTimeout = 100 * time.Millisecond

	// passedOn is from which size on a block is passed on while it comes. Smaller ones come in one piece.
	passedOn = 16 << 10

	// firstRead is enough to recognise a call.
	firstRead = 128
)

// passable reads the beginning of a body that may be passed on while it still comes in. If it is that of a block, it
// returns the call as far as it is known, otherwise what it has read.
func passable(r *http.Request, control *http.ResponseController) (head []byte, arriving *jsonrpc.Request, err error) {
	// After a deadline, HTTP/2 gives no more of a body.
	if r.ContentLength < passedOn || r.ProtoMajor != 1 {
		return nil, nil, nil
	}
	head = make([]byte, firstRead)
	if _, err := io.ReadFull(r.Body, head); err != nil {
		return nil, nil, err
	}
	req, ok := peekHead(head)
	if !ok {
		return head, nil, nil
	}
	req.Body = jsonrpc.NewArriving(head, int(r.ContentLength), jsonrpc.Source{
		Reader: r.Body, SetDeadline: control.SetReadDeadline, Passing: passingTimeout, Whole: bodyTimeout,
	})
	return nil, req, nil
}

// pass answers a block that is passed on while it still comes in.
func (s *Server) pass(w http.ResponseWriter, r *http.Request, req *jsonrpc.Request) {
	answer, err := s.cfg.Routes.Arriving(r.Context(), req)
	if err != nil {
		s.refuseBody(w, err)
		return
	}
	s.respondNow(w, answer)
}
