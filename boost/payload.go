// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"encoding/json"
	"math/bits"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// source says whose block an answer is.
type source string

const (
	sourceBuilder source = "builder"
	sourceL2      source = "l2"
)

// flightKey names an answer. A payload asked for in two versions of the method has two answers.
type flightKey struct {
	id      engine.PayloadID
	version int
}

// flight is one answer to engine_getPayload, being found or found. Whoever asks again gets the same.
type flight struct {
	done   chan struct{}
	resp   *jsonrpc.Response // nil if err is set
	err    error
	source source
	built  bool // there was a block of the builder's
}

// getPayload answers engine_getPayload: with the builder's block if the local execution layer finds it
// valid, otherwise with its own.
func (s *Sidecar) getPayload(ctx context.Context, req *jsonrpc.Request, version int) []byte {
	start := s.cfg.Now()
	s.asked.Store(int64(version))
	r, id := s.roundOf(req)
	f := s.flown(flightKey{id, version})
	if f == nil && r != nil {
		f = s.fly(ctx, flightKey{id, version}, r, req)
	}
	if f == nil {
		// An id that only the local execution layer knows: noTxPool, or nobody to build with.
		resp, err := s.cfg.L2.Call(ctx, req)
		s.m.payload(version, start, s.cfg.Now(), resp, err, sourceL2, false)
		if err == nil && resp.Error == nil {
			s.m.created(sourceL2)
			s.wg.Go(func() { s.report(id, resp.Result, sourceL2) }) // op-node does not wait for the log
		}
		return answer(req, resp, err)
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return jsonrpc.AppendError(nil, req.ID, asError(ctx.Err()))
	}
	s.m.payload(version, start, s.cfg.Now(), f.resp, f.err, f.source, f.built)
	return answer(req, f.resp, f.err)
}

// roundOf returns the round that a call asks for, nil if there is none.
func (s *Sidecar) roundOf(req *jsonrpc.Request) (*round.Round, engine.PayloadID) {
	var id engine.PayloadID
	args, err := req.Args()
	if err != nil || len(args) == 0 || json.Unmarshal(args[0], &id) != nil {
		return nil, id
	}
	if s.builder == nil {
		return nil, id
	}
	return s.cfg.Rounds.Lookup(id), id
}

// flown returns the flight of an answer, nil if there is none. It may outlive its round.
func (s *Sidecar) flown(key flightKey) *flight {
	s.flightMu.Lock()
	defer s.flightMu.Unlock()
	return s.flights[key]
}

// fly joins the flight of an answer, or begins it. It goes on when the caller hangs up, because its outcome
// is the id's for good. One that failed is forgotten, so that the next caller may try again.
func (s *Sidecar) fly(ctx context.Context, key flightKey, r *round.Round, req *jsonrpc.Request) *flight {
	s.flightMu.Lock()
	defer s.flightMu.Unlock()
	if f := s.flights[key]; f != nil {
		return f
	}
	f := &flight{done: make(chan struct{})}
	s.flights[key] = f
	s.order = append(s.order, key)
	if len(s.order) > keptAnswers {
		delete(s.flights, s.order[0])
		s.order = append(s.order[:0], s.order[1:]...)
	}
	ctx, cancel := s.outlive(ctx)
	s.wg.Go(func() {
		defer cancel()
		defer close(f.done)
		defer s.land(key, f)
		s.decide(ctx, f, key, r, req)
	})
	return f
}

// outlive returns a context that ends with the sidecar and not with a caller.
func (s *Sidecar) outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(s.life, cancel)
	return ctx, func() {
		unhook()
		cancel()
	}
}

// land forgets a flight that failed.
func (s *Sidecar) land(key flightKey, f *flight) {
	if f.err == nil && f.resp.Error == nil {
		return
	}
	s.flightMu.Lock()
	defer s.flightMu.Unlock()
	if s.flights[key] != f {
		return
	}
	delete(s.flights, key)
	for i := range s.order {
		if s.order[i] == key {
			s.order = append(s.order[:i], s.order[i+1:]...)
			break
		}
	}
}

// decide finds the answer. Both sides are asked at once; the builder's block is returned as soon as it is
// valid. A block of which something was published is finished whatever the mode is now, because preconfirmations
// are kept: in dry-run as if the mode had not changed, in mode disabled without the builder.
func (s *Sidecar) decide(ctx context.Context, f *flight, key flightKey, r *round.Round, req *jsonrpc.Request) {
	var (
		mode   = s.cfg.Modes.Mode()
		prefix = r.Freeze()
		begun  = prefix.Published() > 0
		find   = s.build
		local  = make(chan outcome, 1)
		built  = make(chan candidate, 1)
	)
	asking, done := s.outlive(ctx)
	s.wg.Go(func() {
		defer done() // not with the flight: this call ends what the local execution layer builds
		resp, err := s.cfg.L2.Call(asking, req)
		local <- outcome{resp, err}
	})
	if mode == params.ModeDisabled {
		if !begun {
			s.take(f, key, <-local, r, round.ReasonMode)
			return
		}
		find = s.finish
	}
	building, stop := s.outlive(ctx)
	s.wg.Go(func() {
		defer stop()
		building, cancel := context.WithTimeout(building, s.cfg.Budget)
		defer cancel()
		c := s.guarded(key, func() candidate { return find(building, key, r, prefix) })
		if mode != params.ModeDisabled {
			s.observeBuild(c)
		}
		built <- c
	})
	if mode == params.ModeDryRun && !begun {
		o := <-local
		s.take(f, key, o, r, round.ReasonMode)
		return
	}
	c := <-built
	if c.err != nil {
		s.m.fallback(string(c.reason))
		s.log.Warn("Builder's block cannot be used", "payload", key.id, "reason", c.reason, "published", prefix.Published(), "err", c.err)
		s.take(f, key, <-local, r, c.reason)
		return
	}
	f.built = true
	if s.cfg.Selection == params.SelectGasUsed && mode != params.ModeDisabled {
		o := <-local
		if block := payloadOf(o); block != nil && s.prefersLocal(c.block, block) {
			s.m.fallback(string(round.ReasonPolicy))
			s.take(f, key, o, r, round.ReasonPolicy)
			return
		}
		local <- o
	}
	if !s.claim(key.id, c.block.BlockHash) {
		s.m.fallback(fallbackTwice)
		s.log.Error("Builder gave one block for two payload ids", "payload", key.id, "hash", c.block.BlockHash)
		s.take(f, key, <-local, r, round.ReasonNonconforming)
		return
	}
	f.resp = &jsonrpc.Response{
		Raw:    jsonrpc.AppendResult(make([]byte, 0, len(c.result)+64), req.ID, c.result),
		ID:     req.ID,
		Result: c.result,
	}
	f.source = sourceBuilder
	s.m.created(sourceBuilder)
	s.logBlock(key.id, c.block, sourceBuilder)
	r.Keep(round.Sealed{BlockHash: c.block.BlockHash, StateRoot: c.block.StateRoot, GasUsed: c.block.GasUsed})
	s.wg.Go(func() {
		if block := payloadOf(<-local); block != nil {
			s.m.delta(c.block, block)
		}
	})
}

// take makes the local execution layer's answer the flight's. If there is one, the round is lost.
func (s *Sidecar) take(f *flight, key flightKey, o outcome, r *round.Round, reason round.Reason) {
	f.resp, f.err, f.source = o.resp, o.err, sourceL2
	if o.err != nil || o.resp.Error != nil {
		r.Release() // op-node may ask again, and the round may still be kept then
		return
	}
	s.m.created(sourceL2)
	if block := payloadOf(o); block != nil {
		s.claim(key.id, block.BlockHash)
		s.logBlock(key.id, block, sourceL2)
	}
	r.Discard(reason)
}

// claim records that a block is returned for an id. It returns false if it was for another one: op-node
// would wait for ever for a block that it has already.
func (s *Sidecar) claim(id engine.PayloadID, hash common.Hash) bool {
	s.flightMu.Lock()
	defer s.flightMu.Unlock()
	if other, ok := s.given.Get(hash); ok && other != id {
		return false
	}
	s.given.Add(hash, id)
	return true
}

// gasUsedShare is the part of the local block's gas that the builder's must have.
const gasUsedShare = 10

// prefersLocal is rollup-boost's policy gas-used: the local block, if the builder's has less than a tenth of
// its gas.
func (s *Sidecar) prefersLocal(builder, local *round.Payload) bool {
	high, low := bits.Mul64(builder.GasUsed, gasUsedShare)
	if high > 0 || low >= local.GasUsed {
		return false
	}
	s.m.delta(builder, local)
	return true
}

// payloadOf parses a block that was answered, nil if there is none.
func payloadOf(o outcome) *round.Payload {
	if o.err != nil || o.resp.Error != nil {
		return nil
	}
	block, err := round.ParsePayload(o.resp.Result)
	if err != nil {
		return nil
	}
	return block
}

// report logs the block in a result.
func (s *Sidecar) report(id engine.PayloadID, result json.RawMessage, from source) {
	if block, err := round.ParsePayload(result); err == nil {
		s.claim(id, block.BlockHash)
		s.logBlock(id, block, from)
	}
}

// logBlock tells which block op-node gets.
func (s *Sidecar) logBlock(id engine.PayloadID, block *round.Payload, from source) {
	s.blocks.Add(block.BlockHash, block.Number)
	s.log.Info("returning block", "hash", block.BlockHash, "number", block.Number, "state_root", block.StateRoot,
		"context", from, "payload_id", id, "txs", len(block.Transactions), "gas", block.GasUsed)
}
