// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
	gethparams "github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/trie"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// sealed is a finished block with everything an import of it would compute.
type sealed struct {
	block    *types.Block
	receipts []*types.Receipt
	requests [][]byte
	state    *state.StateDB // holds exactly the block, hashed but not committed
}

// answer is a block in the form in which getPayload gives it, and as an import can use it.
type answer struct {
	envelope *engine.ExecutionPayloadEnvelope
	sealed   *sealed       // nil if it cannot be imported from
	took     time.Duration // to seal it, or to build a whole block
}

// result is the answer to getPayload, computed once and repeated ever after.
type result struct {
	once     sync.Once
	envelope *engine.ExecutionPayloadEnvelope
	err      error
	failed   atomic.Bool // there is no block and there never will be, set last of all
}

// resolve stops the building and returns the block of what was published, or the best one of a payload that is
// not streamed. The sealed block goes to the first caller only, because a job is kept for much longer than its
// state is of use.
func (j *job) resolve(ctx context.Context) (envelope *engine.ExecutionPayloadEnvelope, s *sealed, err error) {
	j.collect(ctx)
	j.cancel(resolved)
	j.result.once.Do(func() {
		a, err := j.answer(ctx)
		if err != nil {
			if _, why, _ := j.gate.outcome(); why == resolved && ctx.Err() == nil {
				j.publishReorg() // else it was told, or the node is shutting down
			}
			j.result.err = err
			j.result.failed.Store(true)
			return
		}
		j.result.envelope, s = a.envelope, a.sealed
		j.report(a)
		j.publishSealed(a.envelope.ExecutionPayload)
	})
	return j.result.envelope, s, j.result.err
}

// collect lets the flashblock under way, if there is one, be published with what is executed of it: the
// transaction that is being executed is the last. If that takes long, it is given up.
func (j *job) collect(ctx context.Context) {
	flight := j.gate.call()
	if flight == nil {
		return
	}
	timer := time.NewTimer(j.patience)
	defer timer.Stop()
	select {
	case <-flight:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// answer waits until there is something to answer with, and makes the block of it.
func (j *job) answer(ctx context.Context) (*answer, error) {
	j.await()
	if best := j.best.Swap(nil); best != nil {
		return best, nil
	}
	if j.form == streamed {
		start := j.clock.Now()
		a, err := j.seal()
		if err == nil {
			a.took = j.clock.Now().Sub(start)
			return a, nil
		}
		log.Error("Failed to seal a payload, rebuilding it", "id", j.id, "number", j.header.Number, "err", err)
		if j.roots != nil {
			j.roots.abandon()
		}
	}
	return j.rebuild(ctx)
}

// report logs a block that was fetched, and meters one that was streamed.
func (j *job) report(a *answer) {
	var (
		payload = a.envelope.ExecutionPayload
		fees    = ether(a.envelope)
		elapsed = common.PrettyDuration(a.took)
	)
	if j.form != streamed {
		log.Info("Built payload", "id", j.id, "number", payload.Number, "hash", payload.BlockHash, "txs", len(payload.Transactions),
			"gas", payload.GasUsed, "fees", fees, "elapsed", elapsed)
		return
	}
	j.meterBlock(a)
	p, _, _ := j.gate.outcome()
	log.Info("Sealed flashblocks", "id", j.id, "number", payload.Number, "hash", payload.BlockHash, "flashblocks", max(p.indices, 1)-1,
		"txs", len(payload.Transactions), "gas", payload.GasUsed, "fees", fees, "elapsed", elapsed)
}

// seal turns the published prefix into a block.
func (j *job) seal() (a *answer, err error) {
	defer j.recovered("sealing a payload", &err)
	p, _, failure := j.gate.outcome()
	if p.indices == 0 {
		if failure == nil {
			failure = ErrUnknownPayload
		}
		return nil, failure
	}
	if j.hooks.beforeSeal != nil {
		j.hooks.beforeSeal()
	}
	if j.roots.pushed != p.indices {
		// A panic in the middle of publishing: the hasher has a flashblock that the block does not.
		return nil, fmt.Errorf("%w: %d flashblocks hashed, %d published", errStateRootGap, j.roots.pushed, p.indices)
	}
	r := j.roots.finish(j.finalize)
	if r.err != nil {
		return nil, r.err
	}
	return j.complete(&p, r, j.roots.release()), nil
}

// finalize does what the consensus engine does after the last transaction.
func (j *job) finalize(db *state.StateDB) {
	j.chain.Engine().Finalize(j.chain, j.header, db, &types.Body{Withdrawals: j.args.Withdrawals})
}

// complete makes the block of a prefix and of the roots that hashing gave, in db's state.
func (j *job) complete(p *prefix, r root, db *state.StateDB) *answer {
	header := j.sealedHeader(p, r)
	body := types.Body{Transactions: p.txs, Withdrawals: j.args.Withdrawals}
	if body.Withdrawals == nil && header.WithdrawalsHash != nil {
		body.Withdrawals = types.Withdrawals{}
	}
	s := &sealed{block: types.NewBlockWithHeader(header).WithBody(body), receipts: p.receipts, requests: j.requests(), state: db}
	return &answer{envelope: j.envelope(p, s), sealed: s}
}

// sealedHeader completes the header for a prefix of the block.
func (j *job) sealedHeader(p *prefix, r root) *types.Header {
	var (
		cfg    = j.chain.Config()
		header = types.CopyHeader(j.header)
	)
	header.Root = r.state
	header.TxHash = r.txs
	header.ReceiptHash = p.receipt
	header.Bloom = p.bloom
	header.GasUsed = p.used.gas
	switch {
	case cfg.IsOptimismIsthmus(header.Time):
		withdrawals := r.withdrawals
		header.WithdrawalsHash = &withdrawals
	case j.args.Withdrawals != nil || cfg.IsShanghai(header.Number, header.Time):
		hash := types.DeriveSha(j.args.Withdrawals, trie.NewStackTrie(nil))
		header.WithdrawalsHash = &hash
	}
	if cfg.IsJovian(header.Time) {
		footprint := p.used.footprint
		header.BlobGasUsed = &footprint
	}
	if requests := j.requests(); requests != nil {
		hash := types.CalcRequestsHash(requests)
		header.RequestsHash = &hash
	}
	return header
}

// requests is the list of execution requests: always empty on the OP Stack (Isthmus specification).
func (j *job) requests() [][]byte {
	if j.chain.Config().IsOptimismIsthmus(j.header.Time) {
		return [][]byte{}
	}
	return nil
}

// envelope makes the Engine API's form of a sealed block, with the encodings that were published.
func (j *job) envelope(p *prefix, s *sealed) *engine.ExecutionPayloadEnvelope {
	bare := types.NewBlockWithHeader(s.block.Header()).WithBody(types.Body{Withdrawals: s.block.Withdrawals()})
	envelope := engine.BlockToExecutableData(bare, p.fees.ToBig(), nil, s.requests)
	envelope.ExecutionPayload.Transactions = p.raws
	if len(p.raws) == 0 {
		envelope.ExecutionPayload.Transactions = [][]byte{} // not null, to a reader of JSON
	}
	return envelope
}

// publishSealed tells v0 subscribers that the block is complete, with its real root.
func (j *job) publishSealed(payload *engine.ExecutableData) {
	p, _, _ := j.gate.outcome()
	if p.indices == 0 {
		return
	}
	var (
		base = j.base
		root = payload.StateRoot
		last = p.indices - 1
		gas  = payload.GasUsed
	)
	j.stream.Publish(stream.Message{
		PayloadID:   j.id,
		BlockNumber: base.BlockNumber,
		Index:       last,
		V0:          func() []byte { return flashblocks.NewSealedNotification(base, last, root, gas).AppendJSON(nil) },
	})
}

// publishReorg tells v0 subscribers that what was published of this block will not be sealed.
func (j *job) publishReorg() {
	p, _, _ := j.gate.outcome()
	if p.indices == 0 {
		return
	}
	base, last := j.base, p.indices-1
	j.stream.Publish(stream.Message{
		PayloadID:   j.id,
		BlockNumber: base.BlockNumber,
		Index:       last,
		V0:          func() []byte { return flashblocks.NewReorgNotification(base, last).AppendJSON(nil) },
	})
}

// blockValue is the priority fees of the envelope's block in wei.
func blockValue(envelope *engine.ExecutionPayloadEnvelope) *big.Int {
	if envelope.BlockValue == nil {
		return new(big.Int)
	}
	return envelope.BlockValue
}

// ether is the priority fees of the envelope's block in ether.
func ether(envelope *engine.ExecutionPayloadEnvelope) float64 {
	wei, _ := blockValue(envelope).Float64()
	return wei / gethparams.Ether
}
