// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

const contentType = "application/json"

const (
	// waitingPerSlot bounds how many requests wait to be passed on. They are memory, and an execution layer that
	// is so far behind is not helped by them.
	waitingPerSlot = 16
)

// codeBusy is EIP-1474's "limit exceeded".
const codeBusy = -32005

var errBusy = &jsonrpc.Error{Code: codeBusy, Message: "too many requests are waiting for the execution layer"}

// codeTooLarge is what op-geth answers to a body that exceeds its limit.
const codeTooLarge = -32003

func (s *Sidecar) newServer() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	newcomers := new(stream.Newcomers) // HTTP clients dial some connections in reserve
	server := &http.Server{
		Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: headerTimeout, Protocols: protocols, ConnState: newcomers.Track,
	}
	server.RegisterOnShutdown(newcomers.Cut)
	return server
}

// foreign finds requests that a page of another site makes in somebody's browser. The execution layer would
// refuse them, but it sees the sidecar's own calls, with the sidecar's token.
var foreign = http.NewCrossOriginProtection()

// serve answers one HTTP request.
func (s *Sidecar) serve(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		return // the connection is closed already
	}
	defer s.wg.Done()
	if health.Serves(r.URL.Path) {
		if s.cfg.Probes == nil {
			http.NotFound(w, r)
			return
		}
		s.cfg.Probes.ServeHTTP(w, r)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "this is a JSON-RPC endpoint: send a POST request", http.StatusMethodNotAllowed)
		return
	}
	if err := foreign.Check(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	if err := s.authorize(r); err != nil {
		s.m.unauthorized.Inc()
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	body, arriving, err := s.readBody(w, r)
	switch {
	case err != nil:
		s.refuseBody(w, err)
	case arriving != nil:
		answer, err := s.passNewPayload(r.Context(), arriving)
		if err != nil {
			s.refuseBody(w, err)
			return
		}
		s.respondNow(w, answer)
	default:
		s.dispatch(w, r, body)
	}
}

// refuseBody answers a request whose body is too large or did not come.
func (s *Sidecar) refuseBody(w http.ResponseWriter, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		s.m.tooLarge.Inc()
		respond(w, http.StatusRequestEntityTooLarge, jsonrpc.AppendError(nil, nil, &jsonrpc.Error{Code: codeTooLarge, Message: "request body too large"}))
		return
	}
	http.Error(w, jsonrpc.ErrIncomplete.Error(), http.StatusRequestTimeout) // if the caller is still there
}

// dispatch routes a body: one call, or a batch of them.
func (s *Sidecar) dispatch(w http.ResponseWriter, r *http.Request, body []byte) {
	if req, ok := peek(body); ok {
		s.respondNow(w, s.newPayload(r.Context(), req))
		return
	}
	reqs, batch, err := jsonrpc.ParseBody(body)
	if err != nil {
		var id []byte
		if len(reqs) == 1 {
			id = reqs[0].ID
		}
		respond(w, http.StatusOK, jsonrpc.AppendError(nil, id, asError(err)))
		return
	}
	if special := s.special(reqs); !special {
		s.forward(w, r, reqs, batch, body)
		return
	}
	if !batch {
		s.respondNow(w, s.call(r.Context(), r.Header, &reqs[0]))
		return
	}
	respond(w, http.StatusOK, s.callBatch(r.Context(), r.Header, reqs))
}

// afterAnswer is how long after op-node's answer the builder is told of the call. On a small machine, op-node itself
// needs the cores to take the answer.
const afterAnswer = 200 * time.Microsecond

// respondNow sends the answer before anything is done for the builder.
func (s *Sidecar) respondNow(w http.ResponseWriter, body []byte) {
	if s.builder != nil {
		defer time.AfterFunc(afterAnswer, s.builder.Wake) // after Stop it does nothing
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	respond(w, http.StatusOK, body)
	_ = http.NewResponseController(w).Flush() // to nobody, if the caller has left
}

// special reports whether any of the calls is more than passed on.
func (s *Sidecar) special(reqs []jsonrpc.Request) bool {
	for i := range reqs {
		if reqs[i].Err != nil || routeOf(reqs[i].Method).kind != routeForward {
			return true
		}
	}
	return false
}

// forward passes a whole body to the local execution layer, and then what concerns the builder to it as
// well. Not sooner: a builder that is its peer would tell it of a transaction before the sender does, who
// would then hear that it is known already.
func (s *Sidecar) forward(w http.ResponseWriter, r *http.Request, reqs []jsonrpc.Request, batch bool, body []byte) {
	start := s.cfg.Now()
	release, err := s.slot(r.Context())
	if err != nil {
		respond(w, http.StatusOK, failures(reqs, batch, err)) // to nobody, if the caller has left
		return
	}
	defer release()
	answered, err := s.copyMeanwhile(reqs)
	if err != nil {
		respond(w, http.StatusOK, failures(reqs, batch, err))
		return
	}
	defer answered()
	var reply *backend.Reply
	switch {
	case !batch:
		reply, err = s.cfg.L2.ForwardMethod(r.Context(), reqs[0].Method, r.Header, body)
	case waitsForBlock(reqs):
		reply, err = s.cfg.L2.ForwardMethod(r.Context(), syncMethod, r.Header, body) // with its time limit
	default:
		reply, err = s.cfg.L2.Forward(r.Context(), r.Header, body)
	}
	for i := range reqs {
		s.copyToBuilder(&reqs[i])
	}
	s.m.forwarded(reqs, start, s.cfg.Now(), err)
	if err != nil {
		s.m.forwardErrors.Inc()
		s.log.Debug("Local execution layer did not answer", "err", err)
		respond(w, http.StatusOK, failures(reqs, batch, err))
		return
	}
	header := w.Header()
	for name, values := range reply.Header {
		header[name] = values
	}
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body) //nolint:gosec // JSON of the execution layer, with its own content type
}

// slot waits for the right to pass a request on.
func (s *Sidecar) slot(ctx context.Context) (release func(), err error) {
	if s.waiting.Add(1) > int64(cap(s.slots)*(1+waitingPerSlot)) {
		s.waiting.Add(-1)
		return nil, errBusy
	}
	select {
	case s.slots <- struct{}{}:
		return func() {
			<-s.slots
			s.waiting.Add(-1)
		}, nil
	case <-ctx.Done():
		s.waiting.Add(-1)
		return nil, ctx.Err()
	}
}

// failures is the answer to calls that the local execution layer did not answer.
func failures(reqs []jsonrpc.Request, batch bool, err error) []byte {
	if !batch {
		if reqs[0].Notification() {
			return nil
		}
		return jsonrpc.AppendError(nil, reqs[0].ID, asError(err))
	}
	list := newBatch(len(reqs))
	for i := range reqs {
		if !reqs[i].Notification() {
			list.add(jsonrpc.AppendError(nil, reqs[i].ID, asError(err)))
		}
	}
	return list.bytes()
}

func respond(w http.ResponseWriter, status int, body []byte) {
	if len(body) > 0 {
		w.Header().Set("Content-Type", contentType)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // JSON, declared as such
}

// asError makes a JSON-RPC error of what happened. op-node takes every code it does not know for a passing
// failure, and tries again.
func asError(err error) *jsonrpc.Error {
	var already *jsonrpc.Error
	if errors.As(err, &already) {
		return already
	}
	return &jsonrpc.Error{Code: jsonrpc.CodeInternal, Message: err.Error()}
}
