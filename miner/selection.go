// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"errors"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// minTransactionSize is below the encoding of any signed transaction; a block with less room than that
// is full.
const minTransactionSize = 100

// fill executes the best candidates under the ceiling of one deadline until none fits or stop has come.
// It returns errInterrupted if the job was cancelled meanwhile.
func (j *job) fill(deadline int, stop mclock.AbsTime) error {
	var (
		c       = j.candidates
		env     = j.env
		ceiling = j.limits.ceiling(deadline+1, j.schedule.len())
	)
	c.unpark(deadline)
	for {
		if j.cancelled.Load() {
			return errInterrupted
		}
		s := c.peek()
		if s == nil || j.full(ceiling) || j.clock.Now() >= stop {
			return nil
		}
		ltx := s.txs[0]
		tx := ltx.Resolve()
		if tx == nil || tx.Rejected() {
			j.metrics.skip(skipEvicted)
			c.pop()
			continue
		}
		switch nonce := env.state.GetNonce(s.addr); {
		case tx.Nonce() < nonce:
			c.shift()
			continue
		case tx.Nonce() > nonce:
			j.metrics.skip(skipNonceGap)
			c.idle()
			continue
		}
		need := j.need(ltx)
		if !ceiling.fits(env.used, need) {
			j.postpone(deadline, need)
			continue
		}
		if env.size+tx.Size() > j.limits.size {
			j.metrics.skip(skipSize)
			c.pop()
			continue
		}
		if tx.Protected() && !env.config.IsEIP155(env.header.Number) {
			c.pop()
			continue
		}
		if j.hooks.beforeTx != nil {
			j.hooks.beforeTx(tx)
		}
		j.metrics.tried(tx)
		if err := j.settle(tx, env.commit(tx, need)); err != nil {
			return err
		}
	}
}

// settle moves the candidates on after the best one's first transaction was tried.
func (j *job) settle(tx *types.Transaction, err error) error {
	switch {
	case err == nil:
		j.candidates.shift()
		return nil
	case errors.Is(err, errInterrupted):
		return err
	case errors.Is(err, core.ErrNonceTooLow):
		j.candidates.shift()
		return nil
	case errors.Is(err, errConditional):
		j.metrics.rejectedConditional()
		log.Warn("Skipping account, transaction with failed conditional", "hash", tx.Hash(), "err", err)
	case errors.Is(err, errFailsafe):
		j.metrics.skip(skipInterop)
		log.Warn("Transaction was rejected during block-building", "hash", tx.Hash(), "err", err)
	default:
		j.metrics.skip(skipInvalid)
		log.Debug("Transaction failed, account skipped", "hash", tx.Hash(), "err", err)
	}
	j.candidates.pop()
	return nil
}

// full reports whether no transaction at all could be added below the ceiling.
func (j *job) full(ceiling budget) bool {
	used := j.env.used
	if !below(used.gas, gethparams.TxGas, ceiling.gas) || j.env.size+minTransactionSize > j.limits.size {
		return true
	}
	least := types.MinTransactionSize.Uint64()
	return !below(used.da, least, ceiling.da) || !below(used.footprint, least*j.env.footprintScalar, ceiling.footprint)
}

// need is what a candidate may use at most.
func (j *job) need(ltx *txpool.LazyTransaction) budget {
	n := budget{gas: ltx.Gas}
	if ltx.DABytes != nil {
		n.da = ltx.DABytes.Uint64()
		n.footprint = n.da * j.env.footprintScalar
	}
	return n
}

// postpone parks the best sender until the first deadline whose ceiling holds its need, or gives it up
// for the slot if none does.
func (j *job) postpone(deadline int, need budget) {
	n := j.schedule.len()
	for later := deadline + 1; later < n; later++ {
		ceiling := j.limits.ceiling(later+1, n)
		if ceiling.fits(j.env.used, need) {
			j.metrics.skip(skipCeiling)
			j.candidates.park(later)
			return
		}
	}
	j.metrics.skip(skipBlockFull)
	j.candidates.pop()
}

// refresh brings the candidates up to date with the pool: by a walk at first and after the inbox
// overflowed, from the announced transactions otherwise. The pool announces what comes and not what goes:
// a transaction that a better one drives out stays a candidate, behind all that are better, and pays for
// what would be left empty. So that a flood of them is not kept either, the pool is walked again after as
// many as the inbox holds.
func (j *job) refresh() {
	announced, overflow := j.inbox.drain()
	j.announced += len(announced)
	if overflow || !j.loaded || j.announced > inboxLimit {
		j.loaded, j.announced = true, 0
		filter := j.filter
		pending, _ := j.pool.Pending(filter)
		dropIncluded(pending, j.env)
		j.candidates.load(pending)
		return // what was announced before the walk is in it, or gone
	}
	for _, tx := range announced {
		if !j.eligible(tx) {
			continue
		}
		from, err := types.Sender(j.env.signer, tx)
		if err != nil {
			continue
		}
		j.candidates.add(from, lazy(tx))
	}
}

// dropIncluded removes what the block holds already from a walk over the pool, which keeps it until the
// block is the head. Left in, it would rank the sender by a fee that is not on offer any more.
func dropIncluded(pending map[common.Address][]*txpool.LazyTransaction, env *environment) {
	for _, tx := range env.txs {
		from, err := types.Sender(env.signer, tx)
		if err != nil {
			continue
		}
		for txs := pending[from]; len(txs) > 0 && txs[0].Tx.Nonce() <= tx.Nonce(); txs = txs[1:] {
			pending[from] = txs[1:]
		}
	}
}

// eligible applies the filter of the pool's walk to an announced transaction.
func (j *job) eligible(tx *types.Transaction) bool {
	f := &j.filter
	switch {
	case tx.Type() == types.BlobTxType || tx.IsDepositTx() || tx.Rejected():
		return false
	case f.MinTip != nil && tx.EffectiveGasTipIntCmp(f.MinTip, f.BaseFee) < 0:
		return false
	case f.GasLimitCap != 0 && tx.Gas() > f.GasLimitCap:
		return false
	case f.MaxDATxSize != nil && tx.RollupCostData().EstimatedDASize().Cmp(f.MaxDATxSize) > 0:
		return false
	}
	return true
}
