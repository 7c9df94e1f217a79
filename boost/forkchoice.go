// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// head is the last forkchoice state that op-node gave the local execution layer.
type head struct {
	mu    sync.Mutex // held while a call is put into the queue, so that both are in one order
	state json.RawMessage
	hash  common.Hash
}

// forkchoiceState is what the sidecar reads of a forkchoice state.
type forkchoiceState struct {
	Head common.Hash `json:"headBlockHash"`
}

// forkchoiceAnswer is what it reads of the answer.
type forkchoiceAnswer struct {
	Status payloadStatus     `json:"payloadStatus"`
	ID     *engine.PayloadID `json:"payloadId"`
}

type payloadStatus struct {
	Status string  `json:"status"`
	Reason *string `json:"validationError"`
}

// forkchoiceUpdated gives the local execution layer's answer as it is. The builder hears of it in the
// background; if a block is to be built, both sides build, and a round begins.
func (s *Sidecar) forkchoiceUpdated(ctx context.Context, req *jsonrpc.Request) []byte {
	start := s.cfg.Now()
	args, err := req.Args()
	if err != nil {
		return jsonrpc.AppendError(nil, req.ID, asError(err))
	}
	kind := backend.KindForkchoice
	if len(args) > 1 && !isNull(args[1]) {
		kind = backend.KindBuild
	}
	local := s.submitLocal(kind, req, args)
	var (
		r     *round.Round
		tell  func()
		build *round.Request
		lone  bool // a build without the builder
	)
	switch {
	case !s.asksBuilder():
		lone = kind == backend.KindBuild
	case kind == backend.KindBuild:
		if build = s.buildRequest(req, args); build != nil {
			tell = func() { r = s.begin(req, build) }
		}
	default:
		tell = func() { s.tellBuilder(kind, *req) }
	}
	resp, err := s.await(ctx, local, tell)
	s.m.server(spanForkchoice(req.Method), start, s.cfg.Now(), resp, err)
	switch {
	case r != nil:
		s.bindLocal(r, resp, err)
	case lone:
		s.replace(resp, err)
	}
	return answer(req, resp, err)
}

// replace abandons what was being built when the local execution layer has begun to build something else, alone. The
// same request again, after the mode was switched, is the same block: what was published of it stands.
func (s *Sidecar) replace(resp *jsonrpc.Response, err error) {
	if s.cfg.Rounds == nil {
		return
	}
	if id, err := localAnswer(resp, err); err == nil && s.cfg.Rounds.Lookup(id) == nil {
		s.cfg.Rounds.Abandon()
	}
}

// abandon ends what the builder is building: the next block is the local execution layer's alone.
func (s *Sidecar) abandon() {
	if s.cfg.Rounds != nil {
		s.cfg.Rounds.Abandon()
	}
}

// buildRequest reads a build that the builder has a part in, nil for any other.
func (s *Sidecar) buildRequest(req *jsonrpc.Request, args []json.RawMessage) *round.Request {
	parsed, err := round.ParseRequest(req.Method, args)
	switch {
	case err != nil:
		return nil // what is wrong with it, the local execution layer says
	case parsed.NoTxPool:
		s.abandon()
		return nil
	}
	return parsed
}

// begin starts a round and lets the builder build. It returns nil if the builder must not.
func (s *Sidecar) begin(req *jsonrpc.Request, parsed *round.Request) *round.Round {
	if !s.cfg.Observer.MayBuild() {
		// It is only kept up to date, so that it can recover.
		s.abandon()
		s.m.fallback(fallbackUnhealthy)
		s.tellBuilder(backend.KindForkchoice, jsonrpc.NewRequest(req.ID, req.Method, parsed.State, json.RawMessage("null")))
		return nil
	}
	if number, ok := s.blocks.Get(parsed.Head); ok {
		parsed.Number = number + 1
	}
	r := s.cfg.Rounds.Begin(parsed)
	s.builder.Enqueue(backend.Job{Kind: backend.KindBuild, Req: req, Done: func(resp *jsonrpc.Response, err error) {
		err = bindBuilder(r, resp, err)
		s.observe(health.Builder, resp, err)
		if err != nil {
			s.log.Debug("Builder builds no block", "parent", parsed.Head, "err", err)
		}
	}})
	return r
}

// asksBuilder reports whether the builder takes part at the moment.
func (s *Sidecar) asksBuilder() bool {
	return s.builder != nil && s.cfg.Modes.Mode() != params.ModeDisabled
}

// tellBuilder passes a call on in the background, once the builder's queue is woken.
func (s *Sidecar) tellBuilder(kind backend.Kind, req jsonrpc.Request) {
	s.builder.Enqueue(hold(backend.Job{Kind: kind, Req: &req, Done: func(resp *jsonrpc.Response, err error) {
		s.observe(health.Builder, resp, err)
	}}))
}

// bindBuilder records what the builder answered to a build.
func bindBuilder(r *round.Round, resp *jsonrpc.Response, err error) error {
	id, err := buildAnswer(resp, err)
	if err != nil {
		r.FailBuilder(err)
		return err
	}
	r.BindBuilder(id)
	return nil
}

// bindLocal records what the local execution layer answered to a build.
func (s *Sidecar) bindLocal(r *round.Round, resp *jsonrpc.Response, err error) {
	id, err := localAnswer(resp, err)
	if err != nil {
		r.FailLocal(err.Error())
		return
	}
	// A repeated request has its twin's payload, which is watched already.
	if r.BindLocal(id) == r && s.cfg.Modes.Publishing() {
		s.wg.Go(func() {
			s.guarded(flightKey{id: id}, func() candidate {
				s.validateAhead(r)
				return candidate{}
			})
		})
	}
}

// errNoPayloadID is returned for a forkchoice update that started no build.
var errNoPayloadID = errors.New("no payload id")

// buildAnswer reads a payload id. A builder that is still syncing may give one all the same.
func buildAnswer(resp *jsonrpc.Response, err error) (engine.PayloadID, error) {
	parsed, err := readBuildAnswer(resp, err)
	if err != nil {
		return engine.PayloadID{}, err
	}
	return *parsed.ID, nil
}

// localAnswer is buildAnswer for the local execution layer, which has to find the head valid.
func localAnswer(resp *jsonrpc.Response, err error) (engine.PayloadID, error) {
	parsed, err := readBuildAnswer(resp, err)
	switch {
	case err != nil:
		return engine.PayloadID{}, err
	case parsed.Status.Status != engine.VALID:
		return engine.PayloadID{}, fmt.Errorf("%w for a head that is %s", errNoPayloadID, parsed.Status.Status)
	}
	return *parsed.ID, nil
}

// readBuildAnswer returns an answer with a payload id.
func readBuildAnswer(resp *jsonrpc.Response, err error) (*forkchoiceAnswer, error) {
	switch {
	case err != nil:
		return nil, err
	case resp.Error != nil:
		return nil, resp.Error.Brief() // the round keeps it
	}
	parsed := new(forkchoiceAnswer)
	if err := json.Unmarshal(resp.Result, parsed); err != nil {
		return nil, fmt.Errorf("answer to a forkchoice update: %w", err)
	}
	if parsed.ID == nil {
		return nil, fmt.Errorf("%w, status %.20s", errNoPayloadID, parsed.Status.Status)
	}
	return parsed, nil
}

// newPayload gives the local execution layer's answer as it is.
func (s *Sidecar) newPayload(ctx context.Context, req *jsonrpc.Request) []byte {
	start := s.cfg.Now()
	local := s.submitLocal(backend.KindNewPayload, req, nil)
	var tell func()
	if s.asksBuilder() {
		tell = func() { s.tellBuilder(backend.KindNewPayload, *req) }
	}
	resp, err := s.await(ctx, local, tell)
	s.m.server(spanNewPayload(req.Method), start, s.cfg.Now(), resp, err)
	return answer(req, resp, err)
}

// headStart is for how long the builder is not told of a call while the local execution layer may answer it:
// on a small machine, writing a block to the builder would hold up writing it to the other.
const headStart = time.Millisecond

// await waits for the local execution layer's answer. tell, if not nil, puts the call into the builder's queue. It
// is called once before await returns, so that the calls of one who waits for each answer are told in his order.
func (s *Sidecar) await(ctx context.Context, local <-chan outcome, tell func()) (*jsonrpc.Response, error) {
	var (
		o        outcome
		answered bool
	)
	if tell != nil {
		o, answered = first(ctx, local)
		tell()
		if !answered {
			s.wakeBuilder()
		}
	}
	if !answered {
		o = wait(ctx, local)
	}
	s.observe(health.L2, o.resp, o.err)
	return o.resp, o.err
}

// first waits for an answer as long as the builder does not have to be told. What is answered until then waits in
// the builder's queue until op-node has its answer: see respondNow.
func first(ctx context.Context, local <-chan outcome) (o outcome, answered bool) {
	timer := time.NewTimer(headStart)
	defer timer.Stop()
	select {
	case o = <-local:
		return o, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return outcome{}, false
}

// wait waits for an answer, or for the caller to leave.
func wait(ctx context.Context, local <-chan outcome) outcome {
	select {
	case o := <-local:
		return o
	case <-ctx.Done():
		return outcome{err: ctx.Err()}
	}
}

// wakeBuilder lets the builder's queue make the calls that were put into it.
func (s *Sidecar) wakeBuilder() {
	if s.builder != nil {
		s.builder.Wake()
	}
}

type outcome struct {
	resp *jsonrpc.Response
	err  error
}

// submitLocal puts a call into the local queue, in the order of all such calls. args are those of a forkchoice update.
func (s *Sidecar) submitLocal(kind backend.Kind, req *jsonrpc.Request, args []json.RawMessage) <-chan outcome {
	s.head.mu.Lock()
	defer s.head.mu.Unlock()
	var state forkchoiceState
	if len(args) > 0 && json.Unmarshal(args[0], &state) == nil {
		s.head.state, s.head.hash = bytes.Clone(args[0]), state.Head
		if s.cfg.Rounds != nil {
			s.cfg.Rounds.Head(state.Head) // ends what was being built on another
		}
	}
	return s.submit(kind, req)
}

func (s *Sidecar) submit(kind backend.Kind, req *jsonrpc.Request) <-chan outcome {
	done := make(chan outcome, 1)
	s.l2.Submit(hold(backend.Job{Kind: kind, Req: req, Done: func(resp *jsonrpc.Response, err error) { done <- outcome{resp, err} }}))
	return done
}

// observe tells the observer how a call ended.
func (s *Sidecar) observe(which health.Which, resp *jsonrpc.Response, err error) {
	if err == nil && resp.Error != nil {
		err = resp.Error
	}
	switch {
	case errors.Is(err, backend.ErrSuperseded), errors.Is(err, backend.ErrStopped), errors.Is(err, context.Canceled),
		errors.Is(err, backend.ErrIncomplete):
		return // this says nothing of the backend
	case errors.Is(err, errNoPayloadID):
		err = nil // it did answer
	}
	s.cfg.Observer.ObserveCall(which, err)
}

// answer is the backend's answer as it came.
func answer(req *jsonrpc.Request, resp *jsonrpc.Response, err error) []byte {
	if err != nil {
		return jsonrpc.AppendError(nil, req.ID, asError(err))
	}
	return resp.For(req.ID)
}

func isNull(value json.RawMessage) bool { return string(bytes.TrimSpace(value)) == "null" }
