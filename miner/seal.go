// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"fmt"
	"math/big"
	"runtime/debug"
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

// result is the answer to getPayload, computed once and repeated ever after.
type result struct {
	once     sync.Once
	envelope *engine.ExecutionPayloadEnvelope
	err      error
	failed   atomic.Bool // there is no block and there never will be, set last of all
}

// resolve stops the building and returns the block of what was published. The sealed block goes to the
// first caller only, because a job is kept for much longer than its state is of use. It is nil as well if
// the fallback built the block.
func (j *job) resolve(ctx context.Context) (envelope *engine.ExecutionPayloadEnvelope, s *sealed, err error) {
	j.collect(ctx)
	j.cancel(resolved)
	j.result.once.Do(func() {
		<-j.ready
		start := j.clock.Now()
		j.result.envelope, s, j.result.err = j.seal()
		if j.result.err != nil {
			log.Error("Failed to seal a payload, rebuilding it by op-geth's miner", "id", j.id, "number", j.header.Number, "err", j.result.err)
			if j.roots != nil {
				j.roots.abandon()
			}
			j.result.envelope, j.result.err = j.rebuild(ctx)
		}
		if j.result.err != nil {
			if _, why, _ := j.gate.outcome(); why == resolved && ctx.Err() == nil {
				j.publishReorg() // else it was told, or the node is shutting down
			}
			j.result.failed.Store(true)
			return
		}
		j.report(j.result.envelope, j.clock.Now().Sub(start))
		j.publishSealed(j.result.envelope.ExecutionPayload)
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

// report meters and logs a block that was fetched.
func (j *job) report(envelope *engine.ExecutionPayloadEnvelope, sealing time.Duration) {
	j.meterBlock(envelope, sealing)
	p, _, _ := j.gate.outcome()
	fees, _ := blockValue(envelope).Float64()
	log.Info("Sealed flashblocks", "id", j.id, "number", j.header.Number, "hash", envelope.ExecutionPayload.BlockHash,
		"flashblocks", max(p.indices, 1)-1, "txs", len(envelope.ExecutionPayload.Transactions), "gas", envelope.ExecutionPayload.GasUsed,
		"fees", fees/gethparams.Ether, "elapsed", common.PrettyDuration(sealing))
}

// seal turns the published prefix into a block.
func (j *job) seal() (envelope *engine.ExecutionPayloadEnvelope, s *sealed, err error) {
	defer func() {
		if r := recover(); r != nil {
			log.Error("Panic while sealing a payload", "id", j.id, "err", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic while sealing: %v", r)
		}
	}()
	p, _, failure := j.gate.outcome()
	if p.indices == 0 {
		if failure == nil {
			failure = ErrUnknownPayload
		}
		return nil, nil, failure
	}
	if j.hooks.beforeSeal != nil {
		j.hooks.beforeSeal()
	}
	if j.roots.pushed != p.indices {
		// A panic in the middle of publishing: the hasher has a flashblock that the block does not.
		return nil, nil, fmt.Errorf("%w: %d flashblocks hashed, %d published", errStateRootGap, j.roots.pushed, p.indices)
	}
	body := types.Body{Transactions: p.txs, Withdrawals: j.args.Withdrawals}
	r := j.roots.finish(func(db *state.StateDB) {
		j.chain.Engine().Finalize(j.chain, j.header, db, &body)
	})
	if r.err != nil {
		return nil, nil, r.err
	}
	header := j.sealedHeader(&p, r)
	if body.Withdrawals == nil && header.WithdrawalsHash != nil {
		body.Withdrawals = types.Withdrawals{}
	}
	block := types.NewBlockWithHeader(header).WithBody(body)
	s = &sealed{block: block, receipts: p.receipts, requests: j.requests(), state: j.roots.release()}
	return j.envelope(&p, s), s, nil
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
	return envelope
}

// rebuild lets the fallback execute exactly what was published, or the attributes' transactions if
// nothing was.
func (j *job) rebuild(ctx context.Context) (envelope *engine.ExecutionPayloadEnvelope, err error) {
	defer func() {
		// op-geth's miner panics over a blob transaction without its blobs.
		if r := recover(); r != nil {
			log.Error("Panic in the fallback builder", "id", j.id, "err", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: panic in the fallback builder: %v", ErrUnknownPayload, r)
		}
	}()
	if j.config.Fallback == nil {
		return nil, errNoFallback
	}
	j.metrics.fallbacks.Inc()
	args := *j.args
	args.NoTxPool = true
	if p, _, _ := j.gate.outcome(); p.indices > 0 {
		args.Transactions = p.txs
	}
	if envelope, err = j.config.Fallback(ctx, &args); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknownPayload, err)
	}
	return envelope, nil
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
