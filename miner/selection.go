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

// maxPassed bounds the candidates that one flashblock looks at without taking them. Each index thus costs no
// more than its transactions and so many looks, however many that are too large for it are in the pool; the
// last one looks at all.
const maxPassed = 512

// fill executes the best candidates that the room at a deadline has a place for, until there is none left or
// stop has come. It returns errInterrupted if the job was cancelled meanwhile.
func (j *job) fill(deadline int, stop mclock.AbsTime) error {
	var (
		c      = j.candidates
		env    = j.env
		last   = j.schedule.len() - 1
		room   = newRoom(&j.limits, deadline, j.schedule.len())
		tries  = newTries(j.clock, stop, maxWaste*j.schedule.interval)
		passed = 0
	)
	j.cut = false
	defer func() { j.pace.wasted(j.first, tries.wasted); j.first = false }()
	for {
		if j.cancelled.Load() {
			return errInterrupted
		}
		s := c.peek()
		if s == nil || j.full(room.now()) || passed > maxPassed && deadline < last || j.gate.asked() {
			return nil
		}
		if tries.over() {
			j.cut = true
			return nil
		}
		ltx := s.current()
		tx := ltx.Resolve()
		if tx == nil || tx.Rejected() {
			j.metrics.skip(skipEvicted)
			j.giveUp(s)
			continue
		}
		if s.held > 0 {
			if tx.Nonce() != s.txs[s.held-1].Tx.Nonce()+1 {
				c.postpone()
				continue
			}
		} else {
			switch nonce := env.state.GetNonce(s.addr); {
			case tx.Nonce() < nonce:
				c.shift()
				continue
			case tx.Nonce() > nonce:
				j.metrics.skip(skipNonceGap)
				c.idle()
				continue
			}
		}
		need := j.need(ltx, tx)
		at, ok := room.find(env.used, need, max(deadline, s.from()))
		if !ok {
			j.refuse(s, need)
			passed++
			continue
		}
		if at > deadline {
			j.wait(s, at, need, room)
			passed++
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
		err := env.commit(tx, need)
		if err == nil && s.waited {
			used := env.receipts[len(env.receipts)-1].GasUsed
			j.pace.keptFor(used, tx.Gas())
			j.freed = j.freed || used < tx.Gas()
		}
		tries.tried(err == nil)
		if err := j.settle(tx, err); err != nil {
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
	if !below(used.gas, gethparams.TxGas, ceiling.gas) || !below(used.size, minTransactionSize, ceiling.size) {
		return true
	}
	least := types.MinTransactionSize.Uint64()
	return !below(used.da, least, ceiling.da) || !below(used.footprint, least*j.env.footprintScalar, ceiling.footprint)
}

// need is what a candidate may use at most.
func (j *job) need(ltx *txpool.LazyTransaction, tx *types.Transaction) budget {
	n := budget{gas: ltx.Gas, size: tx.Size()}
	if ltx.DABytes != nil {
		n.da = ltx.DABytes.Uint64()
		n.footprint = n.da * j.env.footprintScalar
	}
	return n
}

// wait keeps room for the best sender's current transaction at a later deadline.
func (j *job) wait(s *sender, deadline int, need budget, room *room) {
	if s.held == 0 && !s.waited {
		j.metrics.skip(skipCeiling)
	}
	expected := need
	expected.gas = j.pace.expected(need.gas)
	room.keep(deadline, expected, min(need.gas-expected.gas, expected.gas))
	j.candidates.hold(deadline)
}

// refuse sets the best sender aside, for whose current transaction the block has no room: for as long as others
// are waited for, or for the slot if it does not fit even without them.
func (j *job) refuse(s *sender, need budget) {
	j.freed = j.freed || s.waited && s.held == 0 // room was kept for it until now
	switch total := &j.limits.budget; {
	case s.held > 0 || total.fits(j.env.used, need):
		j.candidates.postpone()
	case !below(j.env.used.size, need.size, total.size):
		j.metrics.skip(skipSize)
		j.candidates.pop()
	default:
		j.metrics.skip(skipBlockFull)
		j.candidates.pop()
	}
}

// giveUp drops the best sender's current transaction and what is behind it.
func (j *job) giveUp(s *sender) {
	if s.held > 0 {
		j.candidates.postpone() // what is before it still waits for its deadline
		return
	}
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
		again := j.loaded
		j.loaded, j.announced = true, 0
		pending, since := j.pool.walk(walkKey{j.args.Parent, j.filter}, again)
		if j.cancelled.Load() {
			return
		}
		j.candidates.load(pending, j.included())
		announced = since // what was announced before the walk is in it, or gone
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

// included are the nonces, by sender, below which the block holds everything.
func (j *job) included() map[common.Address]uint64 {
	next := make(map[common.Address]uint64)
	for _, tx := range j.env.txs {
		if from, err := types.Sender(j.env.signer, tx); err == nil {
			next[from] = tx.Nonce() + 1
		}
	}
	return next
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
