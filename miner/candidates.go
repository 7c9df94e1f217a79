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
// A sender is in one place at a time: in the heap with its lowest transaction, parked until an index
// whose ceiling can hold it, or idle when its transactions are used up, given up for the slot, or wait
// for a missing nonce.
type candidates struct {
	baseFee *uint256.Int
	prio    map[common.Address]struct{}
	senders map[common.Address]*sender
	heap    senderHeap
	parked  [][]*sender // by deadline
	gas     uint64      // sum of the gas limits of everything waiting, for planning
}

type sender struct {
	addr  common.Address
	txs   []*txpool.LazyTransaction // ascending nonces, gaps possible
	tip   uint256.Int               // of txs[0]
	first time.Time                 // arrival of txs[0]
	prio  bool
	next  uint64 // nonces below are used up

	pos    int // in the heap, -1 if elsewhere
	parked int // deadline it is parked until, -1 if elsewhere
}

func newCandidates(baseFee *uint256.Int, prio []common.Address, deadlines int) *candidates {
	c := &candidates{
		baseFee: baseFee,
		senders: make(map[common.Address]*sender),
		parked:  make([][]*sender, deadlines),
	}
	if len(prio) > 0 {
		c.prio = make(map[common.Address]struct{}, len(prio))
		for _, addr := range prio {
			c.prio[addr] = struct{}{}
		}
	}
	return c
}

// load replaces everything with the result of a walk over the pool.
func (c *candidates) load(pending map[common.Address][]*txpool.LazyTransaction) {
	block := make([]sender, len(pending))
	c.heap = make(senderHeap, 0, len(pending))
	c.senders = make(map[common.Address]*sender, len(pending))
	c.gas = 0
	for i := range c.parked {
		c.parked[i] = nil
	}
	n := 0
	for addr, txs := range pending {
		s := &block[n]
		n++
		s.addr, s.txs = addr, txs
		s.pos, s.parked = -1, -1
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

// rank refreshes the sender's position from its first transaction. It returns false if there is none.
func (c *candidates) rank(s *sender) bool {
	if len(s.txs) == 0 {
		return false
	}
	s.tip = effectiveTip(s.txs[0].GasFeeCap, s.txs[0].GasTipCap, c.baseFee)
	s.first = s.txs[0].Time
	return true
}

// add takes in a transaction that the pool announced. It replaces an earlier one of the same nonce, and
// gives a sender that was given up another chance.
func (c *candidates) add(from common.Address, tx *txpool.LazyTransaction) {
	s := c.senders[from]
	if s == nil {
		s = &sender{addr: from, pos: -1, parked: -1}
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
		c.requeue(s)
	}
}

// requeue puts the sender where its first transaction belongs, wherever it was.
func (c *candidates) requeue(s *sender) {
	c.rank(s)
	if s.pos >= 0 {
		heap.Fix(&c.heap, s.pos)
		return
	}
	s.parked = -1
	heap.Push(&c.heap, s)
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

// park sets the best sender aside until the deadline from which on its first transaction may fit.
func (c *candidates) park(deadline int) {
	s := c.heap[0]
	heap.Pop(&c.heap)
	s.parked = deadline
	c.parked[deadline] = append(c.parked[deadline], s)
}

// unpark brings back every sender that was parked until a deadline up to this one.
func (c *candidates) unpark(deadline int) {
	for i := range c.parked[:deadline+1] {
		for _, s := range c.parked[i] {
			if s.parked == i { // else it was requeued since
				s.parked = -1
				heap.Push(&c.heap, s)
			}
		}
		c.parked[i] = nil
	}
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
