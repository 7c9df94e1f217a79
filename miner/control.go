// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/big"

	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// control are the limits that can be changed while the node runs.
type control struct {
	gasLimit       uint64 // 0 for none
	maxDATxSize    *big.Int
	maxDABlockSize *big.Int
	gasTip         *big.Int
}

// SetMaxDASize changes the DA limits from the next flashblock on. What is published already counts, so a payload
// may hold more than a limit that was lowered while it was built. Zero or nil is no limit.
func (b *Builder) SetMaxDASize(maxTx, maxBlock *big.Int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limits.maxDATxSize, b.limits.maxDABlockSize = positive(maxTx), positive(maxBlock)
}

// SetGasLimit bounds the gas of a payload below its header's limit, from the next payload on. Zero
// removes the bound.
func (b *Builder) SetGasLimit(limit uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limits.gasLimit = limit
}

// SetGasTip changes the least tip of pool transactions in wei, from the next payload on.
func (b *Builder) SetGasTip(tip *big.Int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if tip != nil && tip.Sign() >= 0 {
		b.limits.gasTip = new(big.Int).Set(tip)
	}
}

// positive returns nil for what stands for no limit.
func positive(v *big.Int) *big.Int {
	if v == nil || v.Sign() <= 0 {
		return nil
	}
	return new(big.Int).Set(v)
}

// limit brings the DA limits up to date. Other limits stay what they were when the payload was begun.
func (j *job) limit() {
	l, filter := j.current()
	j.limits.da = l.da
	if now, before := filter.MaxDATxSize, j.filter.MaxDATxSize; !same(now, before, equalInts) {
		j.filter.MaxDATxSize = now
		j.loaded = false // what was too large may not be any more, and the reverse
	}
}

func equalInts(a, b *big.Int) bool { return a.Cmp(b) == 0 }

// blockLimits gathers the block-wide limits in force. It assumes that the lock is held.
func (b *Builder) blockLimits(parent, header *types.Header) limits {
	cfg := b.backend.BlockChain().Config()
	l := limits{budget{gas: header.GasLimit, da: unlimited, footprint: unlimited, size: defaultBlockSize}}
	for _, ceil := range []uint64{b.config.EffectiveGasCeil, b.limits.gasLimit} {
		if ceil != 0 {
			l.gas = min(l.gas, ceil)
		}
	}
	if m := b.limits.maxDABlockSize; m != nil && m.IsUint64() {
		l.da = m.Uint64()
	}
	if cfg.IsJovian(header.Time) {
		l.footprint = header.GasLimit
		if !cfg.IsJovian(parent.Time) {
			// The activation block has no DA footprint scalar yet and must not hold user
			// transactions (Jovian specification). op-node asks for it without the pool.
			l.gas = 0
		}
	}
	if b.config.MaxBlockSize != 0 {
		l.size = min(l.size, b.config.MaxBlockSize)
	}
	return l
}

// poolFilter is what op-geth's miner asks the pool for. It assumes that the lock is held.
func (b *Builder) poolFilter(chain *core.BlockChain, header *types.Header) txpool.PendingFilter {
	filter := txpool.PendingFilter{
		MinTip:      uint256.MustFromBig(b.limits.gasTip),
		MaxDATxSize: b.limits.maxDATxSize,
	}
	if header.BaseFee != nil {
		filter.BaseFee = uint256.MustFromBig(header.BaseFee)
	}
	if chain.Config().IsOsaka(header.Number, header.Time) {
		filter.GasLimitCap = gethparams.MaxTxGas
	}
	return filter
}
