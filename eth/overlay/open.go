// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"fmt"
	"math/big"
	"runtime/debug"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// maxDepth is how many pending blocks may stand on the canonical head. In normal operation it is two: a
// block's first flashblock comes shortly before its parent becomes canonical. Eight bridge a consensus
// client that pauses for some seconds; beyond that the canonical feed has stalled, memory must not grow,
// and what is shown would be too far from what the node can vouch for.
const maxDepth = 8

// newHeader makes the header of a block from the base that its index 0 carries.
func newHeader(cfg *gethparams.ChainConfig, base *flashblocks.Base) *types.Header {
	header := &types.Header{
		ParentHash:       base.ParentHash,
		UncleHash:        types.EmptyUncleHash,
		Coinbase:         base.FeeRecipient,
		Difficulty:       new(big.Int),
		Number:           new(big.Int).SetUint64(base.BlockNumber),
		GasLimit:         base.GasLimit,
		Time:             base.Timestamp,
		Extra:            base.ExtraData,
		MixDigest:        base.PrevRandao,
		ParentBeaconRoot: base.ParentBeaconBlockRoot,
	}
	if base.BaseFeePerGas != nil {
		header.BaseFee = base.BaseFeePerGas.ToBig()
	}
	if cfg.IsCancun(header.Number, header.Time) {
		header.BlobGasUsed, header.ExcessBlobGas = new(uint64), new(uint64)
	}
	if cfg.IsOptimismIsthmus(header.Time) {
		hash := types.EmptyRequestsHash
		header.RequestsHash = &hash
	}
	return header
}

// checkHeader refuses what no block of the chain can have on this parent, and what the EVM could not be set
// up with.
func checkHeader(cfg *gethparams.ChainConfig, parent, header *types.Header) error {
	switch {
	case header.Number.Uint64() != parent.Number.Uint64()+1:
		return fmt.Errorf("%w: number %d on %d", errBadBase, header.Number, parent.Number)
	case header.Time <= parent.Time:
		return fmt.Errorf("%w: timestamp %d on %d", errBadBase, header.Time, parent.Time)
	case header.GasLimit > gethparams.MaxGasLimit:
		return fmt.Errorf("%w: gas limit %d", errBadBase, header.GasLimit)
	case header.BaseFee == nil:
		return fmt.Errorf("%w: no base fee", errBadBase)
	case cfg.IsCancun(header.Number, header.Time) != (header.ParentBeaconRoot != nil):
		return fmt.Errorf("%w: parent beacon block root", errBadBase)
	}
	return nil
}

// open prepares a block on the canonical head if that is the parent it names, or on the pending block
// before it. adopted tells that this node's builder executes the block.
func (p *Processor) open(first input, adopted bool) (b *block, err error) {
	defer func() {
		if r := recover(); r != nil {
			log.Error("Panic while preparing a block", "err", r, "stack", string(debug.Stack()))
			b, err = nil, fmt.Errorf("%w: %v", errPanic, r)
		}
	}()
	var (
		base   = first.fb.Base
		cfg    = p.cfg.Chain.Config()
		db     = p.stateDatabase()
		parent *types.Header
	)
	b = &block{key: p.sequence.Key(), base: base, config: cfg, lookup: new(txIndex)}
	switch {
	case base.ParentHash == p.headHash:
		parent = p.head
		b.store = &store{anchor: p.head, db: db}
	case p.block == nil || p.block.number()+1 != base.BlockNumber || !p.block.supports():
		return nil, errNoParent
	case p.block.depth() >= maxDepth:
		return nil, errTooDeep
	default:
		parent = p.block.header
		b.stack(p.block)
	}
	b.header = newHeader(cfg, base)
	if err := checkHeader(cfg, parent, b.header); err != nil {
		return nil, err
	}
	b.signer = types.MakeSigner(cfg, b.header.Number, b.header.Time)
	if adopted {
		return b, nil
	}
	b.root = miner.NewListRoot()
	return b, p.prepare(b, parent, first.fb)
}

// stack puts b on a pending block. It goes on in the parent's store, unless another attempt at the same
// number has left layers there, which cannot be taken back.
func (b *block) stack(parent *block) {
	b.parent, b.store, b.version = parent, parent.store, parent.version
	if parent.store.version != parent.version {
		b.store = &store{anchor: parent.store.anchor, db: parent.store.db}
		parent.replay(b.store)
		b.version = b.store.version
	}
}

// replay adds the layers of b and of the pending blocks under it to a store.
func (b *block) replay(to *store) {
	if b == nil {
		return
	}
	b.parent.replay(to)
	for _, diff := range b.diffs {
		to.add(diff)
	}
}

// prepare runs what precedes the first transaction of b.
func (p *Processor) prepare(b *block, parent *types.Header, first *flashblocks.Flashblock) error {
	db, err := b.store.stateDB(b.version)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoState, err)
	}
	var l1Info *types.Transaction
	if raws := first.Diff.Transactions; len(raws) > 0 {
		l1Info = new(types.Transaction)
		if err := l1Info.UnmarshalBinary(raws[0]); err != nil {
			return fmt.Errorf("%w: 0: %w", errBadTransaction, err)
		}
	}
	chain := contextOf(p.cfg.Chain, b.parent, b.base.ParentHash)
	b.exec, err = miner.NewExecution(chain, parent, b.header, db, l1Info, p.cfg.VMConfig(b.header))
	return err
}
