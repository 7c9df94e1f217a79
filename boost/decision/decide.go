// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"context"
	"math/bits"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/local"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// source says whose block an answer is.
type source string

const (
	sourceBuilder source = "builder"
	sourceL2      source = "l2"
)

// decide finds the answer. Both sides are asked at once; the builder's block is returned as soon as it is
// valid. A block of which something was published is finished whatever the mode is now, because preconfirmations
// are kept: in dry-run as if the mode had not changed, in mode disabled without the builder.
func (d *Maker) decide(ctx context.Context, f *flight, key flightKey, r *round.Round, req *jsonrpc.Request) {
	var (
		mode   = d.cfg.Mode()
		prefix = r.Freeze()
		begun  = prefix.Published() > 0
		look   = search{finder: d.finder, key: key, round: r, prefix: prefix}
		find   = look.build
		answer = make(chan local.Outcome, 1)
		built  = make(chan candidate, 1)
	)
	asking, done := d.work.outlive(ctx)
	d.work.run(func() {
		defer done() // not with the flight: this call ends what the local execution layer builds
		resp, err := d.cfg.L2.Call(asking, req)
		answer <- local.Outcome{Resp: resp, Err: err}
	})
	if mode == params.ModeDisabled {
		if !begun {
			d.take(f, key, <-answer, r, round.ReasonMode)
			return
		}
		find = look.finish
	}
	building, stop := d.work.outlive(ctx)
	d.work.run(func() {
		defer stop()
		building, cancel := context.WithTimeout(building, d.cfg.Budget)
		defer cancel()
		c := d.finder.guarded(key.id, func() candidate { return find(building) })
		if mode != params.ModeDisabled {
			d.observeBuild(c)
		}
		built <- c
	})
	if mode == params.ModeDryRun && !begun {
		o := <-answer
		d.take(f, key, o, r, round.ReasonMode)
		return
	}
	c := <-built
	if c.err != nil {
		d.m.fallback(string(c.reason))
		d.cfg.Log.Warn("Builder's block cannot be used", "payload", key.id, "reason", c.reason, "published", prefix.Published(), "err", c.err)
		d.take(f, key, <-answer, r, c.reason)
		return
	}
	f.built = true
	if d.cfg.Selection == params.SelectGasUsed && mode != params.ModeDisabled {
		o := <-answer
		if block := payloadOf(o); block != nil && d.prefersLocal(c.block, block) {
			d.m.fallback(string(round.ReasonPolicy))
			d.take(f, key, o, r, round.ReasonPolicy)
			return
		}
		answer <- o
	}
	if !d.flights.claim(key.id, c.block.BlockHash) {
		d.m.fallback(fallbackTwice)
		d.cfg.Log.Error("Builder gave one block for two payload ids", "payload", key.id, "hash", c.block.BlockHash)
		d.take(f, key, <-answer, r, round.ReasonNonconforming)
		return
	}
	d.give(f, key, c, r, req)
	d.work.run(func() {
		if block := payloadOf(<-answer); block != nil {
			d.m.delta(c.block, block)
		}
	})
}

// give makes the builder's block the flight's answer.
func (d *Maker) give(f *flight, key flightKey, c candidate, r *round.Round, req *jsonrpc.Request) {
	f.resp = &jsonrpc.Response{
		Raw:    jsonrpc.AppendResult(make([]byte, 0, len(c.result)+64), req.ID, c.result),
		ID:     req.ID,
		Result: c.result,
	}
	f.source = sourceBuilder
	d.m.created(sourceBuilder)
	d.logBlock(key.id, c.block, sourceBuilder)
	r.Keep(round.Sealed{BlockHash: c.block.BlockHash, StateRoot: c.block.StateRoot, GasUsed: c.block.GasUsed})
}

// take makes the local execution layer's answer the flight's. If there is one, the round is lost.
func (d *Maker) take(f *flight, key flightKey, o local.Outcome, r *round.Round, reason round.Reason) {
	f.resp, f.err, f.source = o.Resp, o.Err, sourceL2
	if o.Err != nil || o.Resp.Error != nil {
		r.Release() // op-node may ask again, and the round may still be kept then
		return
	}
	d.m.created(sourceL2)
	if block := payloadOf(o); block != nil {
		d.flights.claim(key.id, block.BlockHash)
		d.logBlock(key.id, block, sourceL2)
	}
	r.Discard(reason)
}

// observeBuild tells the observer what the builder made of its build.
func (d *Maker) observeBuild(c candidate) {
	switch {
	case c.blame != nil:
		d.cfg.Observer.ObserveBuild(c.blame)
	case c.err == nil:
		d.cfg.Observer.ObserveBuild(nil)
	}
}

// gasUsedShare is the part of the local block's gas that the builder's must have.
const gasUsedShare = 10

// prefersLocal is rollup-boost's policy gas-used: the local block, if the builder's has less than a tenth of
// its gas.
func (d *Maker) prefersLocal(builder, own *round.Payload) bool {
	high, low := bits.Mul64(builder.GasUsed, gasUsedShare)
	if high > 0 || low >= own.GasUsed {
		return false
	}
	d.m.delta(builder, own)
	return true
}

// payloadOf parses a block that was answered, nil if there is none.
func payloadOf(o local.Outcome) *round.Payload {
	if o.Err != nil || o.Resp.Error != nil {
		return nil
	}
	block, err := round.ParsePayload(o.Resp.Result)
	if err != nil {
		return nil
	}
	return block
}
