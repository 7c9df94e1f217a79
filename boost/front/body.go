// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

const (
	// bodyTimeout bounds the time a caller may take for a body. The largest takes 3 s over 100 Mbit/s.
	bodyTimeout = 30 * time.Second

	// passingTimeout bounds it while a block is passed on as it comes, since other calls wait behind it: 40 Mbit/s
	// for the largest block.
	passingTimeout = 100 * time.Millisecond

	// trustedLength is up to which a declared length is allocated before the bytes have come: many times a
	// block.
	trustedLength = 4 << 20

	// passedOn is from which size on a block is passed on while it comes. Smaller ones come in one piece.
	passedOn = 16 << 10

	// firstRead is enough to recognise a call.
	firstRead = 128
)

// readBody reads a body up to the limit. It is not kept for reuse, because what is told to the builder in
// the background refers to it. Of a block that has not come yet, it returns the call as far as it is known.
func (s *Sidecar) readBody(w http.ResponseWriter, r *http.Request) (body []byte, arriving *jsonrpc.Request, err error) {
	limited := http.MaxBytesReader(w, r.Body, s.cfg.MaxBody)
	if r.ContentLength > s.cfg.MaxBody {
		return nil, nil, &http.MaxBytesError{Limit: s.cfg.MaxBody}
	}
	// A caller that stops in the middle is given up, as net/http does with its header.
	deadline := http.NewResponseController(w)
	if err := deadline.SetReadDeadline(time.Now().Add(bodyTimeout)); err != nil {
		return nil, nil, err
	}
	defer func() { _ = deadline.SetReadDeadline(time.Time{}) }() // fails on a dead connection only
	if 0 >= r.ContentLength || r.ContentLength > trustedLength {
		var buf bytes.Buffer
		_, err := buf.ReadFrom(limited)
		return buf.Bytes(), nil, err
	}
	length := int(r.ContentLength)
	var head []byte
	// After a deadline, HTTP/2 gives no more of a body.
	if length >= passedOn && r.ProtoMajor == 1 {
		var first [firstRead]byte
		if _, err := io.ReadFull(r.Body, first[:]); err != nil {
			return nil, nil, err
		}
		if req, ok := peekHead(first[:]); ok {
			req.Body = jsonrpc.NewArriving(first[:], length, jsonrpc.Source{
				Reader: r.Body, SetDeadline: deadline.SetReadDeadline, Passing: passingTimeout, Whole: bodyTimeout,
			})
			return nil, req, nil
		}
		head = first[:]
	}
	body = make([]byte, length)
	_, err = io.ReadFull(r.Body, body[copy(body, head):])
	return body, nil, err
}

// passNewPayload is newPayload for a block that is passed on to the local execution layer while it still comes from
// op-node. The builder gets it once it is whole. The error is that it never was.
func (s *Sidecar) passNewPayload(ctx context.Context, req *jsonrpc.Request) ([]byte, error) {
	defer req.Body.Release()
	// net/http takes a deadline that has passed for a caller that has left. One that really has costs what it takes the
	// local execution layer to answer.
	ctx = context.WithoutCancel(ctx)
	start := s.cfg.Now()
	local := s.submitLocal(backend.KindNewPayload, req, nil)
	o, answered := s.firstOfPassed(ctx, req.Body, local)
	if err := req.Body.All(); err != nil {
		return nil, err // the local execution layer finds that out, too
	}
	if s.asksBuilder() {
		s.tellBuilder(backend.KindNewPayload, *req)
		if !answered {
			s.wakeBuilder()
		}
	}
	if !answered {
		o = wait(ctx, local)
	}
	if errors.Is(o.err, backend.ErrIncomplete) { // it came too slowly for that
		o = wait(ctx, s.submitLocal(backend.KindNewPayload, req, nil))
	}
	s.observe(health.L2, o.resp, o.err)
	s.m.server(spanNewPayload(req.Method), start, s.cfg.Now(), o.resp, o.err)
	return answer(req, o.resp, o.err), nil
}

// firstOfPassed is first for a body that is passed on: the builder does not have to be told before it has come.
func (s *Sidecar) firstOfPassed(ctx context.Context, body *jsonrpc.Arriving, local <-chan outcome) (o outcome, answered bool) {
	late := time.NewTimer(passingTimeout) // the local queue may be held up
	defer late.Stop()
	select {
	case o = <-local:
		return o, true
	case <-body.Came():
		return first(ctx, local)
	case <-late.C:
	}
	return outcome{}, false
}

// hold keeps the body of a call until its outcome is told.
func hold(job backend.Job) backend.Job {
	body, told := job.Req.Body, job.Done
	if body == nil || !body.Hold() {
		return job
	}
	job.Done = func(resp *jsonrpc.Response, err error) {
		body.Release()
		told(resp, err)
	}
	return job
}
