// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
)

// candidates are the pool's executable transactions of one slot, best first. They are loaded with one
// walk over the pool and kept up to date from its events; the pool itself is only read.
//
// A sender in the heap is ranked by the transaction that is looked at next. What comes before that one waits
// for a later deadline; so that the whole chain of a sender is planned for, the heap goes on with what is
// behind. A sender that is not in the heap has nothing more to look at in this flashblock, is deferred, or
// idle: its transactions are used up, given up for the slot, or wait for a missing nonce.
type candidates struct {
	baseFee  *uint256.Int
	prio     map[common.Address]struct{}
	senders  map[common.Address]*sender
	heap     senderHeap
	held     []*sender // those with something that waits for a later deadline
	deferred []*sender // their first transaction finds no room as long as others are waited for
	gas      uint64    // sum of the gas limits of everything waiting, for planning
}

type sender struct {
	addr  common.Address
	txs   []*txpool.LazyTransaction // ascending nonces, gaps possible
	tip   uint256.Int               // of the one that is looked at
	first time.Time                 // arrival of the same
	prio  bool
	next  uint64 // nonces below are used up

	pos    int  // in the heap, -1 if elsewhere
	held   int  // so many of txs, from the first on, wait for a later deadline
	until  int  // the deadline that the last of them waits for
	waited bool // the first of txs has waited for a deadline
}

// current is the transaction that is looked at.
func (s *sender) current() *txpool.LazyTransaction { return s.txs[s.held] }

// from is the earliest deadline at which the transaction that is looked at may come: not before those that
// wait before it.
func (s *sender) from() int {
	if s.held == 0 {
		return 0
	}
	return s.until
}

func newCandidates(baseFee *uint256.Int, prio []common.Address) *candidates {
	c := &candidates{
		baseFee: baseFee,
		senders: make(map[common.Address]*sender),
	}
	if len(prio) > 0 {
		c.prio = make(map[common.Address]struct{}, len(prio))
		for _, addr := range prio {
			c.prio[addr] = struct{}{}
		}
	}
	return c
}

// load replaces everything with the result of a walk over the pool, which it only reads. included are the
// nonces, by sender, below which the block holds everything already: the pool keeps that until the block is
// the head. Left in, it would rank the sender by a fee that is not on offer any more.
func (c *candidates) load(pending map[common.Address][]*txpool.LazyTransaction, included map[common.Address]uint64) {
	block := make([]sender, len(pending))
	c.heap = make(senderHeap, 0, len(pending))
	c.senders = make(map[common.Address]*sender, len(pending))
	c.held, c.deferred = nil, nil
	c.gas = 0
	n := 0
	for addr, txs := range pending {
		if next, ok := included[addr]; ok {
			for len(txs) > 0 && txs[0].Tx.Nonce() < next {
				txs = txs[1:]
			}
		}
		s := &block[n]
		n++
		s.addr, s.txs = addr, txs
		s.pos = -1
		_, s.prio = c.prio[addr]
		c.senders[addr] = s
		for _, tx := range txs {
			c.gas += tx.Gas
		}
		if c.rank(s) {
			s.pos = len(c.heap)
			c.heap = append(c.heap, s)
		}
	}
	heap.Init(&c.heap)
}

// rank refreshes the sender's position from the transaction that is looked at. It returns false if there is
// none.
func (c *candidates) rank(s *sender) bool {
	if s.held >= len(s.txs) {
		return false
	}
	tx := s.current()
	s.tip = effectiveTip(tx.GasFeeCap, tx.GasTipCap, c.baseFee)
	s.first = tx.Time
	return true
}

// add takes in a transaction that the pool announced. It replaces an earlier one of the same nonce, and
// gives a sender that was given up another chance. Nothing may be held, see resume.
func (c *candidates) add(from common.Address, tx *txpool.LazyTransaction) {
	s := c.senders[from]
	if s == nil {
		s = &sender{addr: from, pos: -1}
		_, s.prio = c.prio[from]
		c.senders[from] = s
	}
	nonce := tx.Tx.Nonce()
	if nonce < s.next {
		return // announced late; its fee is not on offer any more
	}
	i, found := slices.BinarySearchFunc(s.txs, nonce, func(have *txpool.LazyTransaction, want uint64) int {
		return cmp.Compare(have.Tx.Nonce(), want)
	})
	switch {
	case found && s.txs[i].Hash == tx.Hash:
		return
	case found:
		c.gas += tx.Gas - s.txs[i].Gas
		// The pool's walk may share the slice; a replacement must not write into it.
		s.txs = slices.Clone(s.txs)
		s.txs[i] = tx
	default:
		c.gas += tx.Gas
		s.txs = slices.Insert(slices.Clip(s.txs), i, tx)
	}
	if i == 0 {
		s.waited = false
		c.requeue(s)
	}
}

// requeue puts the sender where its first transaction belongs, wherever it was.
func (c *candidates) requeue(s *sender) {
	s.held = 0
	switch {
	case !c.rank(s): // given up
	case s.pos >= 0:
		heap.Fix(&c.heap, s.pos)
	default:
		heap.Push(&c.heap, s)
	}
}

// resume begins a new flashblock: whatever waits for a deadline is looked at again, as something better may
// have come since. What was deferred is, too, if there is reason to.
func (c *candidates) resume(deferred bool) {
	for _, s := range c.held {
		c.requeue(s)
	}
	c.held = c.held[:0]
	if !deferred {
		return
	}
	for _, s := range c.deferred {
		c.requeue(s)
	}
	c.deferred = c.deferred[:0]
}

// peek returns the best sender, nil if none is in the heap.
func (c *candidates) peek() *sender {
	if len(c.heap) == 0 {
		return nil
	}
	return c.heap[0]
}

// shift drops the best sender's first transaction and ranks the sender by its next one.
func (c *candidates) shift() {
	s := c.heap[0]
	c.gas -= s.txs[0].Gas
	s.next = s.txs[0].Tx.Nonce() + 1
	s.txs = s.txs[1:]
	s.waited = false
	c.settle(s)
}

// settle puts the best sender, whose rank may have changed, where it belongs.
func (c *candidates) settle(s *sender) {
	if c.rank(s) {
		heap.Fix(&c.heap, 0)
	} else {
		heap.Pop(&c.heap)
	}
}

// pop gives the best sender up for the slot: its first transaction cannot be included and the others
// depend on it.
func (c *candidates) pop() {
	s := c.heap[0]
	for _, tx := range s.txs {
		c.gas -= tx.Gas
	}
	s.txs = nil
	heap.Pop(&c.heap)
}

// idle sets the best sender aside until the pool announces the transaction that its first one waits for.
func (c *candidates) idle() { heap.Pop(&c.heap) }

// hold sets the best sender's current transaction aside until a later deadline, and ranks the sender by the
// one behind it.
func (c *candidates) hold(deadline int) {
	s := c.heap[0]
	if s.held == 0 {
		c.held = append(c.held, s)
		s.waited = true
	}
	s.held++
	s.until = deadline
	c.settle(s)
}

// postpone sets the best sender aside for this flashblock, as there is no room for its current transaction.
func (c *candidates) postpone() {
	s := c.heap[0]
	if s.held == 0 {
		c.deferred = append(c.deferred, s)
	}
	heap.Pop(&c.heap)
}

// lazy wraps an announced transaction as the pool's own walk does.
func lazy(tx *types.Transaction) *txpool.LazyTransaction {
	return &txpool.LazyTransaction{
		Hash:      tx.Hash(),
		Tx:        tx,
		Time:      tx.Time(),
		GasFeeCap: uint256.MustFromBig(tx.GasFeeCap()),
		GasTipCap: uint256.MustFromBig(tx.GasTipCap()),
		Gas:       tx.Gas(),
		DABytes:   tx.RollupCostData().EstimatedDASize(),
	}
}

// senderHeap orders senders by priority, tip of the first transaction, and its arrival.
type senderHeap []*sender

func (h senderHeap) Len() int { return len(h) }

func (h senderHeap) Less(i, j int) bool {
	a, b := h[i], h[j]
	if a.prio != b.prio {
		return a.prio
	}
	if c := a.tip.Cmp(&b.tip); c != 0 {
		return c > 0
	}
	return a.first.Before(b.first)
}

func (h senderHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = i, j
}

// Push implements heap.Interface.
func (h *senderHeap) Push(x any) {
	if s, ok := x.(*sender); ok {
		s.pos = len(*h)
		*h = append(*h, s)
	}
}

// Pop implements heap.Interface.
func (h *senderHeap) Pop() any {
	old := *h
	s := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	s.pos = -1
	return s
}
