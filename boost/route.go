// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"net/http"
	"strings"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

const (
	forkchoiceMethod = "engine_forkchoiceUpdatedV"
	newPayloadMethod = "engine_newPayloadV"
	getPayloadMethod = "engine_getPayloadV"
)

type routeKind uint8

const (
	routeForward routeKind = iota // to the local execution layer as it is
	routeForkchoice
	routeNewPayload
	routeGetPayload
)

// route says what is done with a method.
type route struct {
	kind    routeKind
	version int
}

// routeOf knows every version of the three engine methods that the sidecar has a part in. All others,
// engine methods of future forks included, are passed on.
func routeOf(method string) route {
	for _, known := range [...]struct {
		prefix string
		kind   routeKind
	}{{forkchoiceMethod, routeForkchoice}, {newPayloadMethod, routeNewPayload}, {getPayloadMethod, routeGetPayload}} {
		if rest, ok := strings.CutPrefix(method, known.prefix); ok && len(rest) == 1 && '1' <= rest[0] && rest[0] <= '9' {
			return route{known.kind, int(rest[0] - '0')}
		}
	}
	return route{}
}

// call answers one call. The answer to a notification is empty.
func (s *Sidecar) call(ctx context.Context, header http.Header, req *jsonrpc.Request) []byte {
	if req.Err != nil {
		return jsonrpc.AppendError(nil, req.ID, req.Err)
	}
	var (
		answer []byte
		at     = routeOf(req.Method)
	)
	switch at.kind {
	case routeForkchoice:
		answer = s.forkchoiceUpdated(ctx, req)
	case routeNewPayload:
		answer = s.newPayload(ctx, req)
	case routeGetPayload:
		answer = s.getPayload(ctx, req, at.version)
	default:
		answer = s.passOn(ctx, header, req)
	}
	if req.Notification() {
		return nil
	}
	return answer
}

// passOn forwards one call of a batch that cannot be forwarded as a whole.
func (s *Sidecar) passOn(ctx context.Context, header http.Header, req *jsonrpc.Request) []byte {
	release, err := s.slot(ctx)
	if err != nil {
		return jsonrpc.AppendError(nil, req.ID, asError(err))
	}
	defer release()
	answered, err := s.copyMeanwhile([]jsonrpc.Request{*req})
	if err != nil {
		return jsonrpc.AppendError(nil, req.ID, asError(err))
	}
	defer answered()
	reply, err := s.cfg.L2.ForwardMethod(ctx, req.Method, plain(header), req.Raw)
	s.copyToBuilder(req) // after it, as in forward
	if err != nil {
		s.m.forwardErrors.Inc()
		return jsonrpc.AppendError(nil, req.ID, asError(err))
	}
	if req.Notification() {
		return nil
	}
	resp, err := jsonrpc.ParseResponse(reply.Body)
	if err != nil {
		return jsonrpc.AppendError(nil, req.ID, asError(err))
	}
	return resp.For(req.ID)
}

// plain is a header without the wish for a compressed answer, which could not be put into a batch.
func plain(header http.Header) http.Header {
	out := header.Clone()
	out.Del("Accept-Encoding")
	return out
}

// callBatch answers a batch. Engine calls are made one after another in their order, because they build on
// each other; the others at once.
func (s *Sidecar) callBatch(ctx context.Context, header http.Header, reqs []jsonrpc.Request) []byte {
	var (
		answers = make([][]byte, len(reqs))
		done    = make(chan struct{}, len(reqs))
		waiting = 0
		running = make(chan struct{}, batchParallel)
	)
	for i := range reqs {
		if reqs[i].Err != nil || routeOf(reqs[i].Method).kind != routeForward {
			answers[i] = s.call(ctx, header, &reqs[i])
			s.wakeBuilder()
			continue
		}
		waiting++
		running <- struct{}{}
		go func() {
			answers[i] = s.call(ctx, header, &reqs[i])
			<-running
			done <- struct{}{}
		}()
	}
	for range waiting {
		<-done
	}
	list := newBatch(len(reqs))
	for i, answer := range answers {
		if len(list.buf)+len(answer) > s.cfg.MaxBatch && len(answer) > 0 {
			answer = jsonrpc.AppendError(nil, reqs[i].ID, errBatchTooLarge)
		}
		list.add(answer)
	}
	return list.bytes()
}

var errBatchTooLarge = &jsonrpc.Error{Code: codeTooLarge, Message: "the answers to the batch are too large"}

// batchParallel is how many calls of one batch are passed on at a time: one caller must not take every slot.
const batchParallel = 16

// batch puts answers together.
type batch struct{ buf []byte }

func newBatch(size int) *batch { return &batch{buf: make([]byte, 0, 256*size)} }

func (b *batch) add(answer []byte) {
	if len(answer) == 0 {
		return // to a notification
	}
	separator := byte(',')
	if len(b.buf) == 0 {
		separator = '['
	}
	b.buf = append(append(b.buf, separator), answer...)
}

// bytes returns the array, or nothing if there is nothing to answer.
func (b *batch) bytes() []byte {
	if len(b.buf) == 0 {
		return nil
	}
	return append(b.buf, ']')
}
