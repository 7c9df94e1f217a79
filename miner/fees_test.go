// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/big"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	gethminer "github.com/ethereum/go-ethereum/miner"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// burner is a contract that uses all its gas at once.
var burner = []byte{0xfe}

// offer is a transaction of a market before it has a nonce.
type offer struct {
	account  int
	tip, gas uint64
	burns    bool // all its gas; a transfer otherwise
	data     int  // bytes of data that do not compress
}

// market makes the offers of one block.
type market struct {
	name     string
	fork     fork
	gasLimit uint64
	scalar   uint16
	da       int64 // limit of a block's DA bytes, 0 for none
	greedy   bool  // compared with the greedy choice, as op-geth's miner stops at the first that exceeds a DA limit
	learns   int   // blocks until it is known what transactions use of their limits
	offers   func(rng *rand.Rand) []offer
}

// tip is a random one of the mix that base-builder was measured with, in wei.
func tip(rng *rand.Rand) uint64 { return uint64(1_000_000 + rng.Intn(25_500_000)) }

// sizes of the gas limits in that mix.
var sizes = []uint64{40_000, 40_000, 100_000, 100_000, 400_000, 1_000_000, 4_000_000, 12_000_000}

// worth are offers of so much gas in all, each of an account of its own.
func worth(rng *rand.Rand, gas uint64, size func() uint64) (list []offer) {
	for sum := uint64(0); sum < gas; {
		o := offer{account: len(list), tip: tip(rng), gas: size(), burns: true}
		sum += o.gas
		list = append(list, o)
	}
	return list
}

var markets = []market{
	{name: "sizes mixed", fork: jovian, gasLimit: 60_000_000, scalar: 50, offers: func(rng *rand.Rand) []offer {
		return worth(rng, 120_000_000, func() uint64 { return sizes[rng.Intn(len(sizes))] })
	}},
	{name: "any size", fork: isthmus, gasLimit: 60_000_000, offers: func(rng *rand.Rand) []offer {
		most := 53_000 + rng.Intn(20_000_000)
		return worth(rng, uint64(60_000_000+rng.Intn(120_000_000)), func() uint64 { return 53_000 + uint64(rng.Intn(most)) })
	}},
	{name: "transfers and one that is large", fork: isthmus, gasLimit: 10_000_000, offers: func(rng *rand.Rand) []offer {
		list := []offer{{tip: 5_000_000_000, gas: 2_500_000, burns: true}}
		for i := range 500 {
			list = append(list, offer{account: i + 1, tip: 1_000_000 + uint64(rng.Intn(1000)), gas: gethparams.TxGas})
		}
		return list
	}},
	{name: "chains", fork: isthmus, gasLimit: 60_000_000, offers: func(rng *rand.Rand) []offer {
		list := worth(rng, 120_000_000, func() uint64 { return sizes[rng.Intn(len(sizes))] })
		for i := range list {
			list[i].account = rng.Intn(12)
		}
		return list
	}},
	{name: "generous limits", fork: isthmus, gasLimit: 60_000_000, offers: func(rng *rand.Rand) []offer {
		// Each uses what is left to it of a limit that only covers it.
		list := worth(rng, 60_000_000, func() uint64 { return sizes[rng.Intn(len(sizes))] })
		for range 800 {
			list = append(list, offer{account: len(list), tip: tip(rng), gas: gethparams.TxGas * uint64(1+rng.Intn(4))})
		}
		return list
	}},
	{name: "limits that are not used", fork: isthmus, gasLimit: 60_000_000, learns: 2, offers: func(rng *rand.Rand) []offer {
		list := worth(rng, 100_000_000, func() uint64 { return sizes[rng.Intn(len(sizes))] })
		return append(list, offer{account: len(list), tip: 30_000_000, gas: 25_000_000}, offer{account: len(list) + 1, tip: 31_000_000, gas: 30_000_000})
	}},
	{name: "DA limit", fork: fjord, gasLimit: 60_000_000, da: 40_000, greedy: true, offers: func(rng *rand.Rand) []offer {
		list := []offer{{tip: 5_000_000_000, gas: 900_000, data: 20_000}}
		for i := range 400 {
			list = append(list, offer{account: i + 1, tip: tip(rng), gas: gethparams.TxGas})
		}
		for range 40 {
			list = append(list, offer{account: len(list), tip: tip(rng), gas: 500_000, data: 100 + rng.Intn(9000)})
		}
		return list
	}},
	{name: "DA footprint", fork: jovian, gasLimit: 60_000_000, scalar: 1500, offers: func(rng *rand.Rand) []offer {
		var list []offer
		for range 100 {
			list = append(list, offer{account: len(list), tip: tip(rng), gas: 500_000, data: 100 + rng.Intn(9000)})
		}
		for range 200 {
			list = append(list, offer{account: len(list), tip: tip(rng), gas: gethparams.TxGas})
		}
		return list
	}},
}

// open starts a chain for a market.
func (m *market) open(t testing.TB) *timed {
	t.Helper()
	s := newTimed(t, harnessConfig{fork: m.fork, accounts: 900, gasLimit: m.gasLimit, scalar: m.scalar, builder: func(c *Config) {
		c.MaxDABlockSize = big.NewInt(m.da)
	}})
	s.harness.send(s.TxWithValue(0, 0, 100, nil, 0, 100_000, deployment(burner)))
	s.begin(s.attributes(s.chain.CurrentBlock())).finish()
	return s
}

// txs signs offers.
func (m *market) txs(s *harness, offers []offer) (list []*types.Transaction) {
	next := make(map[int]uint64)
	for _, o := range offers {
		o.account %= len(s.keys)
		nonce, ok := next[o.account]
		if !ok {
			nonce = s.txpool.PoolNonce(s.addrs[o.account])
		}
		next[o.account] = nonce + 1
		to := &s.addrs[o.account]
		var data []byte
		switch {
		case o.burns:
			addr := crypto.CreateAddress(s.addrs[0], 0)
			to = &addr
		case o.data > 0:
			data = noisy(int64(nonce)<<16+int64(o.account), o.data)
			o.gas = max(o.gas, gethparams.TxGas+40*uint64(o.data))
		}
		list = append(list, s.tx(o.account, nonce, o.tip, to, o.gas, data))
	}
	return list
}

// oneShot is what op-geth's miner makes of the pool as it is.
func (s *timed) oneShot(m *gethminer.Miner, args *gethminer.BuildPayloadArgs) *engine.ExecutionPayloadEnvelope {
	s.t.Helper()
	payload, err := m.BuildPayload(s.t.Context(), args, false)
	require.NoError(s.t, err)
	payload.WaitFull()
	return payload.ResolveFull()
}

// greedyFees are the fees of whoever takes the best first and then whatever still fits, of transactions that use
// no more than they must.
func (s *timed) greedyFees(l limits, used budget, baseFee *big.Int, scalar uint64, txs []*types.Transaction) *big.Int {
	chains := make(map[string][]*types.Transaction)
	for _, tx := range txs {
		from, err := types.Sender(s.signer, tx)
		require.NoError(s.t, err)
		chains[from.Hex()] = append(chains[from.Hex()], tx)
	}
	fees := new(big.Int)
	for {
		var best []*types.Transaction
		for _, chain := range chains {
			if len(chain) > 0 && (best == nil || chain[0].EffectiveGasTipValue(baseFee).Cmp(best[0].EffectiveGasTipValue(baseFee)) > 0) {
				best = chain
			}
		}
		if best == nil {
			return fees
		}
		tx := best[0]
		from, _ := types.Sender(s.signer, tx)
		need := budget{gas: tx.Gas(), size: tx.Size(), da: tx.RollupCostData().EstimatedDASize().Uint64()}
		need.footprint = need.da * scalar
		if !l.fits(used, need) {
			chains[from.Hex()] = nil
			continue
		}
		chains[from.Hex()] = best[1:]
		gas, err := core.IntrinsicGas(tx.Data(), nil, nil, false, true, true, true)
		require.NoError(s.t, err)
		need.gas = gas
		used = budget{used.gas + need.gas, used.da + need.da, used.footprint + need.footprint, used.size + need.size}
		tip := tx.EffectiveGasTipValue(baseFee)
		fees.Add(fees, tip.Mul(tip, new(big.Int).SetUint64(need.gas)))
	}
}

// ratio is a ÷ b.
func ratio(a, b *big.Int) float64 {
	r, _ := new(big.Rat).SetFrac(a, b).Float64()
	return r
}

// compare lets the builder and op-geth's miner make blocks of the same pools and returns the fees of the former ÷
// those of the latter. No index exceeds its ceilings.
func (m *market) compare(t testing.TB, rng *rand.Rand, blocks int) float64 {
	t.Helper()
	s := m.open(t)
	stock := s.stock(100 * msec)
	want, have := new(big.Int), new(big.Int)
	for block := range m.learns + blocks {
		pool := m.txs(s.harness, m.offers(rng))
		s.harness.send(pool...)
		args := s.attributes(s.chain.CurrentBlock())
		var shot *big.Int
		if !m.greedy {
			shot = s.oneShot(stock, args).BlockValue
		}
		slot := s.begin(args)
		limits, n := slot.job.limits, slot.job.schedule.len()
		if m.greedy {
			shot = s.greedyFees(limits, slot.job.env.used, slot.job.header.BaseFee, slot.job.env.footprintScalar, pool)
		}
		for k := range n {
			fb, ceiling := slot.step(), limits.ceiling(k+1, n)
			require.LessOrEqual(t, fb.Diff.GasUsed, ceiling.gas)
			if fb.Diff.BlobGasUsed != nil {
				require.LessOrEqual(t, *fb.Diff.BlobGasUsed, ceiling.footprint)
			}
		}
		envelope := slot.end()
		require.LessOrEqual(t, slot.job.lastPrefix.used.da, limits.da)
		if block >= m.learns {
			want.Add(want, shot)
			have.Add(have, envelope.BlockValue)
		}
		s.insert(envelope, args)
		s.emptyPool()
	}
	return ratio(have, want)
}

// Whatever the pool holds, a block earns what op-geth's miner earns from it in one go.
func TestFeesOfOneShot(t *testing.T) {
	t.Parallel()
	seed := int64(testseed.New(t))
	for i, m := range markets {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			have := m.compare(t, rand.New(rand.NewSource(seed<<8+int64(i))), 4)
			t.Logf("fees ÷ one shot %.4f", have)
			require.GreaterOrEqual(t, have, 0.99)
		})
	}
}

// compareArrivals lets twice as much come in, evenly over every slot, as fits, and returns the fees of the builder
// ÷ those that op-geth's miner would have from the pools with which the slots begin.
func (m *market) compareArrivals(t testing.TB, rng *rand.Rand, blocks int) float64 {
	t.Helper()
	s := m.open(t)
	stock := s.stock(100 * msec)
	account := 0
	next := func() []*types.Transaction {
		list := m.offers(rng)
		for i := range list {
			list[i].account = account // most have nothing else in the pool
			account++
		}
		return m.txs(s.harness, list)
	}
	s.harness.send(next()...)
	want, have := new(big.Int), new(big.Int)
	for range blocks {
		args := s.attributes(s.chain.CurrentBlock())
		shot := s.oneShot(stock, args)
		slot := s.begin(args)
		n := slot.job.schedule.len()
		arriving := next()
		for k := range n {
			slot.send(arriving[k*len(arriving)/n : (k+1)*len(arriving)/n]...)
			slot.step()
		}
		envelope := slot.end()
		want.Add(want, shot.BlockValue)
		have.Add(have, envelope.BlockValue)
		s.insert(envelope, args)
	}
	return ratio(have, want)
}

// What comes in over the slot is no loss.
func TestFeesOfArrivals(t *testing.T) {
	t.Parallel()
	seed := int64(testseed.New(t))
	for i, m := range markets[:2] {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			have := m.compareArrivals(t, rand.New(rand.NewSource(seed<<8+int64(i))), 12)
			t.Logf("fees ÷ one shot at the slot's start %.4f", have)
			require.GreaterOrEqual(t, have, 0.99)
		})
	}
}

// BenchmarkFees measures the fees of full blocks of transactions of mixed sizes ÷ those of op-geth's miner.
func BenchmarkFees(b *testing.B) {
	for i, m := range markets {
		b.Run(m.name, func(b *testing.B) {
			rng := rand.New(rand.NewSource(int64(i)))
			b.ReportMetric(m.compare(b, rng, b.N), "fees/one-shot")
			if i < 2 {
				b.ReportMetric(m.compareArrivals(b, rng, b.N), "fees/one-shot-at-start")
			}
		})
	}
}
