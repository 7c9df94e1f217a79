// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package front

import (
	"context"
	"net/http"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// batchParallel is how many calls of one batch are passed on at a time: one caller must not take every slot.
const batchParallel = 16

var errBatchTooLarge = &jsonrpc.Error{Code: codeTooLarge, Message: "the answers to the batch are too large"}

// callBatch answers a batch. Engine calls are made one after another in their order, because they build on
// each other; the others at once.
func (s *Server) callBatch(ctx context.Context, header http.Header, calls []jsonrpc.Request) []byte {
	var (
		answers = make([][]byte, len(calls))
		done    = make(chan struct{}, len(calls))
		waiting = 0
		running = make(chan struct{}, batchParallel)
	)
	for i := range calls {
		if !s.cfg.Routes.PassesOn(&calls[i]) {
			answers[i] = s.cfg.Routes.Call(ctx, header, &calls[i])
			s.cfg.Hold.Wake()
			continue
		}
		waiting++
		running <- struct{}{}
		go func() {
			answers[i] = s.cfg.Routes.Call(ctx, header, &calls[i])
			<-running
			done <- struct{}{}
		}()
	}
	for range waiting {
		<-done
	}
	list := newBatch(len(calls))
	for i, answer := range answers {
		if len(list.buf)+len(answer) > s.cfg.MaxBatch && len(answer) > 0 {
			answer = jsonrpc.AppendError(nil, calls[i].ID, errBatchTooLarge)
		}
		list.add(answer)
	}
	return list.bytes()
}

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
