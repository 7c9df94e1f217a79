// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package front

import (
	"net/http"
	"strconv"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/route"
)

const contentType = "application/json"

// dispatch takes a body apart: one call, or a batch of them. lent is the memory of the body if it can be used again.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, body []byte, lent *jsonrpc.Body) {
	if req, ok := peek(body); ok {
		if lent != nil {
			req.Raw, req.Body = nil, lent
			defer lent.Release()
		}
		s.respondNow(w, s.cfg.Routes.Call(r.Context(), r.Header, req))
		return
	}
	calls, isBatch, err := jsonrpc.ParseBody(body)
	if err != nil {
		var id []byte
		if len(calls) == 1 {
			id = calls[0].ID
		}
		respond(w, http.StatusOK, jsonrpc.AppendError(nil, id, engineapi.Failure(err)))
		return
	}
	switch {
	case s.passesOn(calls):
		s.forward(w, r, &route.Body{Header: r.Header, Raw: body, Calls: calls, Batch: isBatch})
	case isBatch:
		respond(w, http.StatusOK, s.callBatch(r.Context(), r.Header, calls))
	default:
		s.respondNow(w, s.cfg.Routes.Call(r.Context(), r.Header, &calls[0]))
	}
}

// passesOn reports whether none of the calls is more than passed on.
func (s *Server) passesOn(calls []jsonrpc.Request) bool {
	for i := range calls {
		if !s.cfg.Routes.PassesOn(&calls[i]) {
			return false
		}
	}
	return true
}

// forward answers a body that is passed on as a whole.
func (s *Server) forward(w http.ResponseWriter, r *http.Request, body *route.Body) {
	err := s.cfg.Routes.Forward(r.Context(), body, func(reply *backend.Reply) {
		header := w.Header()
		for name, values := range reply.Header {
			header[name] = values
		}
		w.WriteHeader(reply.Status)
		_, _ = w.Write(reply.Body) // JSON of the execution layer, with its own content type
	})
	if err != nil {
		respond(w, http.StatusOK, failures(body, err)) // to nobody, if the caller has left
	}
}

// failures is the answer to calls that the local execution layer did not answer.
func failures(body *route.Body, err error) []byte {
	if !body.Batch {
		if body.Calls[0].Notification() {
			return nil
		}
		return jsonrpc.AppendError(nil, body.Calls[0].ID, engineapi.Failure(err))
	}
	list := newBatch(len(body.Calls))
	for i := range body.Calls {
		if !body.Calls[i].Notification() {
			list.add(jsonrpc.AppendError(nil, body.Calls[i].ID, engineapi.Failure(err)))
		}
	}
	return list.bytes()
}

// respondNow sends the answer to an engine call before anything is done for the builder.
func (s *Server) respondNow(w http.ResponseWriter, body []byte) {
	defer s.cfg.Hold.Answered()
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	respond(w, http.StatusOK, body)
	_ = http.NewResponseController(w).Flush() // to nobody, if the caller has left
}

func respond(w http.ResponseWriter, status int, body []byte) {
	if len(body) > 0 {
		w.Header().Set("Content-Type", contentType)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // JSON, declared as such
}
