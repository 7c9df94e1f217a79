// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"context"
	"encoding/json"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/lru"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

// Maker decides whose block op-node gets. Its methods are safe for concurrent use.
type Maker struct {
	cfg    Config
	m      *meters
	work   *background
	blocks *lru.Cache[common.Hash, uint64] // numbers of blocks returned

	flights *flights
	finder  *finder
	ahead   *ahead
}

// New returns a maker of decisions.
func New(cfg Config) *Maker {
	cfg = cfg.withDefaults()
	m, work, judge := newMeters(cfg.Metrics), newBackground(), newJudge(cfg.L2)
	return &Maker{
		cfg:     cfg,
		m:       m,
		work:    work,
		blocks:  lru.NewCache[common.Hash, uint64](keptHashes),
		flights: newFlights(),
		finder:  newFinder(cfg, m, work, judge),
		ahead:   &ahead{cfg: cfg, judge: judge, validated: m.ahead},
	}
}

// Stop cuts off the decisions in progress and waits for them. Nobody may call GetPayload or Watch any more.
func (d *Maker) Stop() { d.work.stop() }

// GetPayload answers engine_getPayload: with the builder's block if the local execution layer finds it
// valid, otherwise with its own.
func (d *Maker) GetPayload(ctx context.Context, req *jsonrpc.Request, version int) []byte {
	start := d.cfg.Now()
	d.ahead.asked(version)
	r, id := d.roundOf(req)
	key := flightKey{id, version}
	f := d.flights.find(key)
	if f == nil && r != nil {
		f = d.fly(ctx, key, r, req)
	}
	if f == nil {
		// An id that only the local execution layer knows: noTxPool, or nobody to build with.
		resp, err := d.cfg.L2.Call(ctx, req)
		d.m.payload(version, start, d.cfg.Now(), resp, err, sourceL2, false)
		if err == nil && resp.Error == nil {
			d.m.created(sourceL2)
			d.work.run(func() { d.report(id, resp.Result, sourceL2) }) // op-node does not wait for the log
		}
		return engineapi.Answer(req, resp, err)
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return jsonrpc.AppendError(nil, req.ID, engineapi.Failure(ctx.Err()))
	}
	d.m.payload(version, start, d.cfg.Now(), f.resp, f.err, f.source, f.built)
	return engineapi.Answer(req, f.resp, f.err)
}

// Watch has the local execution layer judge what the builder streams for a round while it comes, which is for nothing
// unless its flashblocks carry roots. id is the round's local one. It does not wait.
func (d *Maker) Watch(r *round.Round, id engine.PayloadID) {
	d.work.run(func() {
		d.finder.guarded(id, func() candidate {
			d.ahead.watch(d.work.life, r)
			return candidate{}
		})
	})
}

// Number is that of a block that was returned lately, false for any other.
func (d *Maker) Number(hash common.Hash) (uint64, bool) { return d.blocks.Get(hash) }

// roundOf returns the round that a call asks for, nil if there is none.
func (d *Maker) roundOf(req *jsonrpc.Request) (*round.Round, engine.PayloadID) {
	var id engine.PayloadID
	args, err := req.Args()
	if err != nil || len(args) == 0 || json.Unmarshal(args[0], &id) != nil {
		return nil, id
	}
	if d.cfg.Builder == nil {
		return nil, id
	}
	return d.cfg.Rounds.Lookup(id), id
}

// fly joins the flight of an answer, or begins it. It goes on when the caller hangs up, because its outcome
// is the id's for good.
func (d *Maker) fly(ctx context.Context, key flightKey, r *round.Round, req *jsonrpc.Request) *flight {
	f, begin := d.flights.join(key)
	if begin {
		ctx, cancel := d.work.outlive(ctx)
		d.work.run(func() {
			defer cancel()
			defer d.flights.land(key, f)
			d.decide(ctx, f, key, r, req)
		})
	}
	return f
}

// report logs the block in a result.
func (d *Maker) report(id engine.PayloadID, result json.RawMessage, from source) {
	if block, err := round.ParsePayload(result); err == nil {
		d.flights.claim(id, block.BlockHash)
		d.logBlock(id, block, from)
	}
}

// logBlock tells which block op-node gets.
func (d *Maker) logBlock(id engine.PayloadID, block *round.Payload, from source) {
	d.blocks.Add(block.BlockHash, block.Number)
	d.cfg.Log.Info("returning block", "hash", block.BlockHash, "number", block.Number, "state_root", block.StateRoot,
		"context", from, "payload_id", id, "txs", len(block.Transactions), "gas", block.GasUsed)
}
