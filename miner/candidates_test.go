// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/big"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// ltx is a transaction as the pool's walk gives it. Its arrival is the given second.
func ltx(nonce, tip, feeCap uint64, arrival int) *txpool.LazyTransaction {
	tx := types.NewTx(&types.DynamicFeeTx{
		Nonce:     nonce,
		GasTipCap: new(big.Int).SetUint64(tip),
		GasFeeCap: new(big.Int).SetUint64(feeCap),
		Gas:       21_000 + uint64(arrival),
	})
	tx.SetTime(time.Unix(int64(arrival), 0))
	return lazy(tx)
}

func TestCandidatesOrder(t *testing.T) {
	t.Parallel()
	a, b, c, d, e := common.Address{1}, common.Address{2}, common.Address{3}, common.Address{4}, common.Address{5}
	queue := newCandidates(uint256.NewInt(100), []common.Address{e})
	queue.load(map[common.Address][]*txpool.LazyTransaction{
		a: {ltx(0, 50, 1000, 4), ltx(1, 70, 1000, 1)},
		b: {ltx(0, 60, 1000, 3)},
		c: {ltx(0, 60, 1000, 2)},
		d: {ltx(0, 500, 105, 1)}, // pays 5 over the base fee
	}, nil)
	queue.add(e, ltx(9, 1, 1000, 9))
	var order []common.Address
	for s := queue.peek(); s != nil; s = queue.peek() {
		order = append(order, s.addr)
		queue.shift()
	}
	require.Equal(t, []common.Address{e, c, b, a, a, d}, order, "priority, tip, arrival; a's second only after its first")
	require.Zero(t, queue.gas)
}

func TestCandidatesReplace(t *testing.T) {
	t.Parallel()
	from := common.Address{1}
	walk := []*txpool.LazyTransaction{ltx(0, 5, 1000, 1), ltx(1, 5, 1000, 2)}
	queue := newCandidates(nil, nil)
	queue.load(map[common.Address][]*txpool.LazyTransaction{from: slices.Clone(walk), {2}: {ltx(0, 6, 1000, 3)}}, nil)
	queue.add(from, walk[0])
	require.Len(t, queue.peek().txs, 1, "an announcement of what the walk gave changes nothing")

	better := ltx(0, 8, 1000, 4)
	queue.add(from, better)
	require.Equal(t, []*txpool.LazyTransaction{better, walk[1]}, queue.peek().txs)
	require.EqualValues(t, 8, queue.peek().tip.Uint64())
	require.Equal(t, better.Gas+walk[1].Gas+21_003, queue.gas)

	queue.add(from, ltx(1, 9, 1000, 5))
	require.EqualValues(t, 8, queue.peek().tip.Uint64(), "the first transaction ranks the sender")
	queue.shift()
	require.EqualValues(t, 9, queue.peek().tip.Uint64())
	queue.add(from, walk[0])
	require.EqualValues(t, 9, queue.peek().tip.Uint64(), "an announcement that comes after its transaction was used")
}

func TestCandidatesGivenUp(t *testing.T) {
	t.Parallel()
	from := common.Address{1}
	queue := newCandidates(nil, nil)
	queue.load(map[common.Address][]*txpool.LazyTransaction{from: {ltx(0, 5, 1000, 1), ltx(1, 5, 1000, 2)}}, nil)
	queue.pop()
	require.Nil(t, queue.peek())
	require.Zero(t, queue.gas)
	queue.add(from, ltx(0, 7, 1000, 3))
	require.Equal(t, from, queue.peek().addr, "a new transaction is another chance")

	queue.idle()
	require.Nil(t, queue.peek())
	queue.add(from, ltx(1, 7, 1000, 4))
	require.Nil(t, queue.peek(), "a later nonce does not fill the gap")
	queue.shiftIn(t, from)
}

// shiftIn asserts that an idle sender comes back when an earlier transaction arrives.
func (c *candidates) shiftIn(t *testing.T, from common.Address) {
	t.Helper()
	s := c.senders[from]
	s.txs = s.txs[1:]
	c.rank(s)
	c.add(from, ltx(0, 9, 1000, 9))
	require.Equal(t, from, c.peek().addr)
}

func TestCandidatesHold(t *testing.T) {
	t.Parallel()
	a, b := common.Address{1}, common.Address{2}
	queue := newCandidates(nil, nil)
	queue.load(map[common.Address][]*txpool.LazyTransaction{a: {ltx(3, 9, 1000, 1), ltx(4, 7, 1000, 1), ltx(5, 6, 1000, 1)}, b: {ltx(0, 5, 1000, 2)}}, nil)
	queue.hold(3)
	require.Equal(t, a, queue.peek().addr, "what is behind is looked at, by what it pays")
	require.EqualValues(t, 4, queue.peek().current().Tx.Nonce())
	require.Equal(t, 3, queue.peek().from(), "not before what it depends on")
	queue.hold(4)
	queue.hold(4)
	require.Equal(t, b, queue.peek().addr)
	queue.resume(false)
	require.Equal(t, a, queue.peek().addr)
	require.EqualValues(t, 3, queue.peek().current().Tx.Nonce(), "from the first one again")
	require.True(t, queue.peek().waited)
	require.Zero(t, queue.peek().from())

	queue.hold(4)
	queue.resume(false)
	queue.add(a, ltx(3, 11, 1000, 3))
	require.Equal(t, a, queue.peek().addr, "a replacement may be smaller: it is looked at now")
	require.False(t, queue.peek().waited)
	queue.hold(4)
	queue.hold(4)
	queue.hold(4)
	require.Equal(t, b, queue.peek().addr, "nothing more of it")
	queue.resume(false)
	queue.shift()
	require.EqualValues(t, 7, queue.peek().tip.Uint64())
	require.Len(t, queue.heap, 2, "a sender that was held twice is back once")

	queue.postpone()
	require.Equal(t, b, queue.peek().addr)
	queue.resume(false)
	require.Equal(t, b, queue.peek().addr, "deferred until there is reason to look again")
	queue.resume(true)
	require.Equal(t, a, queue.peek().addr)
	queue.hold(2)
	queue.postpone()
	queue.resume(false)
	require.Equal(t, a, queue.peek().addr, "what is behind something that is held comes back with that")
	queue.pop()
	queue.resume(true)
	require.Equal(t, b, queue.peek().addr, "what was given up does not come back")
}

func TestInboxOverflow(t *testing.T) {
	t.Parallel()
	box := newInbox()
	one := []*types.Transaction{types.NewTx(&types.LegacyTx{})}
	many := slices.Repeat(one, inboxLimit)
	box.deliver(one)
	txs, overflow := box.drain()
	require.Equal(t, one, txs)
	require.False(t, overflow)
	box.deliver(many)
	box.deliver(one)
	box.deliver(one)
	txs, overflow = box.drain()
	require.Empty(t, txs)
	require.True(t, overflow)
	box.deliver(one)
	txs, overflow = box.drain()
	require.Len(t, txs, 1)
	require.False(t, overflow)
}

// model does what candidates do by sorting everything anew for every question.
type model struct {
	senders map[common.Address]*modelSender
	prio    common.Address
	baseFee uint64
}

type modelSender struct {
	txs      []*txpool.LazyTransaction
	inHeap   bool
	held     int  // so many of txs are held
	deferred bool // since the last resume of those
	next     uint64
}

func (m *model) peek() (best common.Address, ok bool) {
	var list []common.Address
	for addr, s := range m.senders {
		if s.inHeap && len(s.txs) > s.held {
			list = append(list, addr)
		}
	}
	if len(list) == 0 {
		return best, false
	}
	tip := func(addr common.Address) uint64 {
		first := m.senders[addr].txs[m.senders[addr].held]
		return min(first.GasTipCap.Uint64(), first.GasFeeCap.Uint64()-m.baseFee)
	}
	slices.SortFunc(list, func(a, b common.Address) int {
		switch {
		case a == m.prio:
			return -1
		case b == m.prio:
			return 1
		case tip(a) != tip(b):
			return int(tip(b)) - int(tip(a))
		default:
			return m.senders[a].txs[m.senders[a].held].Time.Compare(m.senders[b].txs[m.senders[b].held].Time)
		}
	})
	return list[0], true
}

func (m *model) add(from common.Address, tx *txpool.LazyTransaction) {
	s := m.senders[from]
	if s == nil {
		s = new(modelSender)
		m.senders[from] = s
	}
	if tx.Tx.Nonce() < s.next {
		return
	}
	s.txs = slices.DeleteFunc(slices.Clone(s.txs), func(have *txpool.LazyTransaction) bool { return have.Tx.Nonce() == tx.Tx.Nonce() })
	s.txs = append(s.txs, tx)
	slices.SortFunc(s.txs, func(a, b *txpool.LazyTransaction) int { return int(a.Tx.Nonce()) - int(b.Tx.Nonce()) })
	if s.txs[0] == tx {
		s.inHeap = true
	}
}

func (m *model) resume(deferred bool) {
	for _, s := range m.senders {
		if s.held > 0 {
			s.held, s.inHeap = 0, true
		}
		if deferred && s.deferred {
			s.deferred, s.inHeap = false, true
		}
	}
}

func (m *model) gas() (sum uint64) {
	for _, s := range m.senders {
		for _, tx := range s.txs {
			sum += tx.Gas
		}
	}
	return sum
}

// Random operations on the candidates and on the model always have the same best sender.
func TestCandidatesModel(t *testing.T) {
	t.Parallel()
	seed := int64(testseed.New(t))
	rng := rand.New(rand.NewSource(seed))
	const baseFee = 100
	for round := range 60 {
		var (
			prio    = common.Address{1}
			m       = &model{senders: make(map[common.Address]*modelSender), prio: prio, baseFee: baseFee}
			c       = newCandidates(uint256.NewInt(baseFee), []common.Address{prio})
			pending = make(map[common.Address][]*txpool.LazyTransaction)
			arrival = 0
		)
		random := func(nonce uint64) *txpool.LazyTransaction {
			arrival++
			return ltx(nonce, uint64(rng.Intn(20)), baseFee+uint64(rng.Intn(30)), arrival)
		}
		for i := range 1 + rng.Intn(30) {
			for n := range rng.Intn(4) {
				tx := random(uint64(n + 5))
				addr := common.Address{byte(i + 1)}
				pending[addr] = append(pending[addr], tx)
				m.add(addr, tx)
			}
		}
		c.load(pending, nil)
		for range 300 {
			want, ok := m.peek()
			best := c.peek()
			require.Equal(t, ok, best != nil, "seed %d round %d", seed, round)
			require.Equal(t, m.gas(), c.gas, "seed %d round %d", seed, round)
			if rng.Intn(3) == 0 || !ok {
				deferred := rng.Intn(2) == 0
				m.resume(deferred)
				c.resume(deferred)
				if rng.Intn(4) == 0 {
					continue
				}
				from, tx := common.Address{byte(1 + rng.Intn(35))}, random(uint64(rng.Intn(12)))
				m.add(from, tx)
				c.add(from, tx)
				continue
			}
			require.Equal(t, want, best.addr, "seed %d round %d", seed, round)
			require.Equal(t, m.senders[want].txs, best.txs, "seed %d round %d", seed, round)
			s := m.senders[want]
			require.Equal(t, s.held, best.held, "seed %d round %d", seed, round)
			what := rng.Intn(7)
			switch {
			case what == 0 && s.held == 0:
				c.pop()
				s.txs, s.inHeap = nil, false
			case what == 1 && s.held == 0:
				c.idle()
				s.inHeap = false
			case what <= 3:
				c.hold(what)
				s.held++
			case what == 4 || s.held > 0:
				c.postpone()
				s.deferred = s.deferred || s.held == 0
				s.inHeap = false
			default:
				c.shift()
				s.next = s.txs[0].Tx.Nonce() + 1
				s.txs = s.txs[1:]
			}
		}
	}
}
