// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"maps"
	"math"
	"math/big"
	"math/bits"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// A sender's chain spreads over the indices in order, gated by nothing but the ceilings.
func TestNonceChainSpreads(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: isthmus, gasLimit: 1_000_000})
	var chain []*types.Transaction
	for n := range uint64(60) {
		chain = append(chain, s.transfer(0, n, 1+n)) // each pays more than the one before it
	}
	s.harness.send(chain...)
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	var have []string
	for range slot.job.schedule.len() {
		list := hashes(t, slot.step())
		require.GreaterOrEqual(t, len(list), 3)
		have = append(have, list...)
	}
	require.Equal(t, hashesOf(chain[:len(have)]...), have)
	require.Len(t, have, (1_000_000-22_960)/21_000)
	slot.finish()
}

// What the pool learns in the middle of a slot is in the next flashblock, best first.
func TestLateArrivals(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	require.Empty(t, hashes(t, slot.step()))
	a, b, c := s.transfer(0, 0, 5), s.transfer(1, 0, 9), s.transfer(0, 1, 50)
	slot.send(a, b)
	slot.send(c)
	require.Equal(t, hashesOf(b, a, c), hashes(t, slot.step()))
	require.Empty(t, hashes(t, slot.step()))
	slot.finish()
}

// A gap keeps the later nonces out until the missing one arrives.
func TestGapFilledLater(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	slot.step()
	first, second, third := s.transfer(0, 0, 5), s.transfer(0, 1, 90), s.transfer(0, 2, 80)
	slot.send(third)
	slot.send(second)
	require.Empty(t, hashes(t, slot.step()))
	slot.send(first)
	require.Equal(t, hashesOf(first, second, third), hashes(t, slot.step()))
	slot.finish()

	// The pool may announce the later nonce first.
	slot = s.begin(s.attributes(s.chain.CurrentBlock()))
	slot.step()
	fourth, fifth := s.transfer(0, 3, 5), s.transfer(0, 4, 5)
	slot.job.inbox.deliver([]*types.Transaction{fifth})
	require.Empty(t, hashes(t, slot.step()))
	require.EqualValues(t, 1, s.builder.metrics.skips[skipNonceGap].Get())
	slot.send(fourth, fifth)
	require.Equal(t, hashesOf(fourth, fifth), hashes(t, slot.step()))
	slot.finish()
}

// A better offer for the same nonce counts, until the first one is in a flashblock.
func TestReplacedInMidSlot(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: isthmus, gasLimit: 1_000_000})
	offer := func(account int, tip, gas uint64) *types.Transaction {
		return types.MustSignNewTx(s.keys[account], s.signer, &types.DynamicFeeTx{
			ChainID: s.chain.Config().ChainID, To: &s.addrs[0], Gas: gas,
			GasTipCap: new(big.Int).SetUint64(tip), GasFeeCap: new(big.Int).SetUint64(10*gethparams.InitialBaseFee + tip*gethparams.InitialBaseFee),
		})
	}
	poor, rich := offer(1, 10, 21_000), offer(1, 20, 21_000)
	other := offer(2, 15, 21_000)
	waits, fits := offer(3, 30, 500_000), offer(3, 60, 21_000)
	s.harness.send(poor, waits)
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	require.Equal(t, hashesOf(poor), hashes(t, slot.step()))
	slot.send(rich) // too late
	slot.send(other)
	slot.send(fits) // no need to wait any more
	require.Equal(t, hashesOf(fits, other), hashes(t, slot.step()))
	block := slot.finish()
	require.Len(t, block.Transactions(), 1+3)

	// Before it is in one, the better offer takes its place and its rank.
	next := func(account int, tip uint64) *types.Transaction {
		return types.MustSignNewTx(s.keys[account], s.signer, &types.DynamicFeeTx{
			ChainID: s.chain.Config().ChainID, Nonce: 1, To: &s.addrs[0], Gas: 21_000,
			GasTipCap: new(big.Int).SetUint64(tip), GasFeeCap: new(big.Int).SetUint64(10*gethparams.InitialBaseFee + tip*gethparams.InitialBaseFee),
		})
	}
	low, high, middle := next(1, 10), next(1, 40), next(2, 20)
	slot = s.begin(s.attributes(s.chain.CurrentBlock()))
	slot.step()
	slot.send(low, middle)
	slot.send(high)
	require.Equal(t, hashesOf(high, middle), hashes(t, slot.step()))
	slot.finish()
}

// A sender whose transaction turns out invalid is left alone, until something new comes from it.
func TestInvalidSender(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	balance := func(account int) *big.Int {
		db, err := s.chain.State()
		require.NoError(t, err)
		return db.GetBalance(s.addrs[account]).ToBig()
	}
	pay := func(account int, nonce uint64, value *big.Int) *types.Transaction {
		return types.MustSignNewTx(s.keys[account], s.signer, &types.DynamicFeeTx{
			ChainID: s.chain.Config().ChainID, Nonce: nonce, To: &s.addrs[1], Gas: 21_000, Value: value,
			GasTipCap: big.NewInt(1000), GasFeeCap: big.NewInt(10 * gethparams.InitialBaseFee),
		})
	}
	// A deposit spends the funds that the pool counts on.
	left := big.NewInt(gethparams.Ether)
	deposit := types.NewTx(&types.DepositTx{SourceHash: common.Hash{1}, From: s.addrs[0], To: &s.addrs[2], Value: new(big.Int).Sub(balance(0), left), Gas: 50_000})
	s.harness.send(pay(0, 0, new(big.Int)), pay(0, 1, new(big.Int).Mul(left, big.NewInt(9))), pay(0, 2, new(big.Int)), s.transfer(3, 0, 1))
	slot := s.begin(s.attributes(s.chain.CurrentBlock(), deposit))
	require.Equal(t, hashesOf(s.transfer(3, 0, 1)), hashes(t, slot.step()), "the deposit took the first nonce")
	require.NotZero(t, s.builder.metrics.skips[skipInvalid].Get())
	for range 3 {
		require.Empty(t, hashes(t, slot.step()))
	}
	// The pool's announcement of the transactions may come after the walk, and is one more chance.
	require.LessOrEqual(t, s.builder.metrics.skips[skipInvalid].Get(), uint64(2), "not tried at every index")

	better := types.MustSignNewTx(s.keys[0], s.signer, &types.DynamicFeeTx{
		ChainID: s.chain.Config().ChainID, Nonce: 1, To: &s.addrs[1], Gas: 21_000, Value: big.NewInt(1),
		GasTipCap: big.NewInt(9000), GasFeeCap: big.NewInt(90 * gethparams.InitialBaseFee),
	})
	slot.send(better)
	require.Equal(t, better.Hash().Hex(), hashes(t, slot.step())[0])
	block := slot.finish()
	testchain.Insert(t, s.newChain(), block)
}

// More announcements than the inbox holds lead to a new walk over the pool: nothing is missed.
func TestInboxOverflowWalksAgain(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	s.harness.send(s.transfer(0, 0, 5))
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	require.Equal(t, hashesOf(s.transfer(0, 0, 5)), hashes(t, slot.step()))
	late := []*types.Transaction{s.transfer(0, 1, 7), s.transfer(1, 0, 6)}
	slot.send(late...)
	slot.job.inbox.deliver(slices.Repeat([]*types.Transaction{s.transfer(5, 9, 1)}, inboxLimit))
	require.Equal(t, hashesOf(late...), hashes(t, slot.step()))
	slot.finish()
}

// Prio senders come first whatever they pay.
func TestPrioritySenders(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	s.builder.config.Prio = []common.Address{s.addrs[2], s.addrs[5]}
	s.harness.send(s.transfer(0, 0, 100), s.transfer(1, 0, 90), s.transfer(2, 0, 1), s.transfer(2, 1, 1), s.transfer(5, 0, 2))
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	require.Equal(t, hashesOf(s.transfer(5, 0, 2), s.transfer(2, 0, 1), s.transfer(2, 1, 1), s.transfer(0, 0, 100), s.transfer(1, 0, 90)), hashes(t, slot.step()))
	slot.finish()
}

// reference selects by sorting everything anew for each transaction, and by adding up anew what is kept for
// whom.
type reference struct {
	next    map[common.Address]uint64
	pool    map[common.Address]map[uint64]*types.Transaction
	baseFee *big.Int
	used    uint64
	limit   uint64
	kept    [64]limitUse // by transactions that room was kept for

	deferred map[common.Address]bool
	waited   map[*types.Transaction]bool
	freed    bool
}

// claim is gas that is kept from a deadline on.
type claim struct {
	deadline   int
	gas, slack uint64
}

// begin starts a slot.
func (r *reference) begin() {
	r.deferred, r.waited, r.freed = make(map[common.Address]bool), make(map[*types.Transaction]bool), false
}

// left is the gas that may still be used by the end of a deadline and at no later one's expense.
func (r *reference) left(claims []claim, deadline int) uint64 {
	least := uint64(math.MaxUint64)
	for d := deadline; d < 10; d++ {
		taken, slack := r.used, uint64(0)
		for _, c := range claims {
			if c.deadline <= d {
				taken += c.gas
			}
			slack = max(slack, c.slack)
		}
		if d == 9 {
			taken += slack
		}
		ceiling := uint64(d+1) * r.limit / 10
		least = min(least, ceiling-min(taken, ceiling))
	}
	return least
}

func (r *reference) fill(deadline int) (selected []*types.Transaction) {
	var (
		claims []claim
		over   = make(map[common.Address]bool)
		held   = make(map[common.Address]uint64)
		until  = make(map[common.Address]int)
	)
	if r.freed || deadline == 9 {
		clear(r.deferred)
	}
	r.freed = false
	for {
		var heads []*types.Transaction
		senders := make(map[*types.Transaction]common.Address)
		for addr, txs := range r.pool {
			if tx := txs[r.next[addr]+held[addr]]; tx != nil && !over[addr] && !r.deferred[addr] {
				heads, senders[tx] = append(heads, tx), addr
			}
		}
		if len(heads) == 0 || r.left(claims, deadline) < gethparams.TxGas {
			return selected
		}
		slices.SortFunc(heads, func(a, b *types.Transaction) int {
			if c := b.EffectiveGasTipValue(r.baseFee).Cmp(a.EffectiveGasTipValue(r.baseFee)); c != 0 {
				return c
			}
			return a.Time().Compare(b.Time())
		})
		best := heads[0]
		from, gas := senders[best], best.Gas()
		at := max(deadline, until[from])
		for at < 10 && r.left(claims, at) < gas {
			at++
		}
		switch {
		case at == deadline && held[from] == 0:
			selected = append(selected, best)
			r.used += gethparams.TxGas
			r.next[from]++
			if r.waited[best] {
				u := &r.kept[bits.Len64(gas)]
				u.used, u.limits = u.used+gethparams.TxGas, u.limits+gas
				r.freed = r.freed || gas > gethparams.TxGas
			}
		case at < 10:
			expected := gas
			if u := r.kept[bits.Len64(gas)]; u.limits > 0 {
				expected = uint64(float64(gas) * float64(u.used) / float64(u.limits))
			}
			claims = append(claims, claim{at, expected, min(gas-expected, expected)})
			r.waited[best] = r.waited[best] || held[from] == 0
			held[from]++
			until[from] = at
		default:
			r.deferred[from] = held[from] == 0 && r.used+gas <= r.limit
			over[from] = true
			r.freed = r.freed || held[from] == 0 && r.waited[best]
		}
	}
}

// Over random transfers with random gas limits, fees and arrivals, every flashblock holds what sorting
// the whole pool by the rules gives: the best first, each at the earliest deadline that takes nothing away
// from a better one.
func TestSelectionModel(t *testing.T) {
	t.Parallel()
	seed := int64(testseed.New(t))
	rng := rand.New(rand.NewSource(seed))
	const accounts, limit = 30, 1_500_000
	s := newTimed(t, harnessConfig{fork: isthmus, accounts: accounts, gasLimit: limit})
	ref := &reference{next: make(map[common.Address]uint64), pool: make(map[common.Address]map[uint64]*types.Transaction), limit: limit}
	arrived := time.Unix(1_000_000, 0)
	announce := func(n int) (txs []*types.Transaction) {
		fresh := make(map[common.Address]uint64)
		for range n {
			i := rng.Intn(accounts)
			addr := s.addrs[i]
			nonce, ok := fresh[addr]
			if !ok {
				nonce = s.txpool.PoolNonce(addr)
			}
			fresh[addr] = nonce + 1
			gas := gethparams.TxGas
			if rng.Intn(3) == 0 {
				gas += uint64(rng.Intn(500_000))
			}
			tip := int64(1 + rng.Intn(12))
			tx := types.MustSignNewTx(s.keys[i], s.signer, &types.DynamicFeeTx{
				ChainID: s.chain.Config().ChainID, Nonce: nonce, To: &s.addrs[0], Gas: gas,
				GasTipCap: big.NewInt(tip), GasFeeCap: new(big.Int).Add(s.chain.CurrentBlock().BaseFee, big.NewInt(int64(rng.Intn(1e9)))),
			})
			arrived = arrived.Add(time.Second)
			tx.SetTime(arrived)
			if ref.pool[addr] == nil {
				ref.pool[addr] = make(map[uint64]*types.Transaction)
			}
			ref.pool[addr][nonce] = tx
			txs = append(txs, tx)
		}
		return txs
	}
	for range 6 {
		s.harness.send(announce(60)...)
		slot := s.begin(s.attributes(s.chain.CurrentBlock()))
		ref.baseFee = slot.job.header.BaseFee
		ref.used = slot.job.env.used.gas
		ref.begin()
		dropUnderpriced(ref)
		for k := 1; k <= slot.job.schedule.len(); k++ {
			slot.send(announce(rng.Intn(9))...)
			dropUnderpriced(ref)
			want := ref.fill(k - 1)
			require.Equal(t, hashesOf(want...), hashes(t, slot.step()), "index %d", k)
		}
		slot.finish()
	}
}

// dropUnderpriced removes from the reference what the base fee and the least tip exclude. The pool still
// holds it, so it counts again when the base fee falls; the test's base fee never rises far enough to
// make that matter.
func dropUnderpriced(r *reference) {
	for _, txs := range r.pool {
		maps.DeleteFunc(txs, func(_ uint64, tx *types.Transaction) bool {
			return tx.EffectiveGasTipValue(r.baseFee).Sign() <= 0
		})
	}
}

// Base's fee_priority_ordering: the tips of independent senders descend inside each flashblock.
func TestFeesDescend(t *testing.T) {
	t.Parallel()
	const accounts = 150
	rng := rand.New(rand.NewSource(int64(testseed.New(t))))
	s := newTimed(t, harnessConfig{fork: jovian, accounts: accounts, gasLimit: 8_000_000})
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	total := 0
	for k := range slot.job.schedule.len() {
		for i := range accounts / 10 {
			slot.send(s.transfer(k*accounts/10+i, 0, uint64(1+rng.Intn(1000))))
		}
		var last *big.Int
		for _, raw := range slot.step().Diff.Transactions {
			tx := new(types.Transaction)
			require.NoError(t, tx.UnmarshalBinary(raw))
			tip := tx.EffectiveGasTipValue(slot.job.header.BaseFee)
			if last != nil {
				require.LessOrEqual(t, tip.Cmp(last), 0)
			}
			last = tip
			total++
		}
	}
	require.Equal(t, accounts, total)
	slot.finish()
}
