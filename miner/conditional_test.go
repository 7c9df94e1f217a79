// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/big"
	"sync/atomic"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	gethmetrics "github.com/ethereum/go-ethereum/metrics"
	gethparams "github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/trie"
	"github.com/ethereum/go-ethereum/triedb"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// A conditional transaction is included if its conditions hold where it would stand, and rejected for
// good if not, with everything that its sender has behind it.
func TestConditional(t *testing.T) {
	t.Parallel()
	slotOf := func(key, value byte) types.KnownAccounts {
		return types.KnownAccounts{storageAddr: {StorageSlots: map[common.Hash]common.Hash{{31: key}: {31: value}}}}
	}
	empty, written := types.EmptyRootHash, rootOf(t, map[common.Hash]common.Hash{{31: 2}: {31: 7}})
	many := make(map[common.Hash]common.Hash)
	for i := range gethparams.TransactionConditionalMaxCost {
		many[common.BigToHash(big.NewInt(int64(100+i)))] = common.Hash{}
	}
	for _, test := range []struct {
		name string
		cond func(next *types.Header) types.TransactionConditional
		want bool
	}{
		{"none", func(*types.Header) types.TransactionConditional { return types.TransactionConditional{} }, true},
		{"number", func(next *types.Header) types.TransactionConditional {
			return types.TransactionConditional{BlockNumberMin: next.Number, BlockNumberMax: next.Number}
		}, true},
		{"number too low", func(next *types.Header) types.TransactionConditional {
			return types.TransactionConditional{BlockNumberMin: new(big.Int).Add(next.Number, common.Big1)}
		}, false},
		{"number too high", func(next *types.Header) types.TransactionConditional {
			return types.TransactionConditional{BlockNumberMax: new(big.Int).Sub(next.Number, common.Big1)}
		}, false},
		{"time", func(next *types.Header) types.TransactionConditional {
			return types.TransactionConditional{TimestampMin: &next.Time, TimestampMax: &next.Time}
		}, true},
		{"too early", func(next *types.Header) types.TransactionConditional {
			later := next.Time + 1
			return types.TransactionConditional{TimestampMin: &later}
		}, false},
		{"too late", func(next *types.Header) types.TransactionConditional {
			earlier := next.Time - 1
			return types.TransactionConditional{TimestampMax: &earlier}
		}, false},
		{"slot", func(*types.Header) types.TransactionConditional {
			return types.TransactionConditional{KnownAccounts: slotOf(1, 0)}
		}, true},
		{"slot has another value", func(*types.Header) types.TransactionConditional {
			return types.TransactionConditional{KnownAccounts: slotOf(1, 3)}
		}, false},
		{"slot written earlier in the block", func(*types.Header) types.TransactionConditional {
			return types.TransactionConditional{KnownAccounts: slotOf(2, 7)}
		}, true},
		{"slot overwritten earlier in the block", func(*types.Header) types.TransactionConditional {
			return types.TransactionConditional{KnownAccounts: slotOf(2, 0)}
		}, false},
		{"storage root", func(*types.Header) types.TransactionConditional {
			return types.TransactionConditional{KnownAccounts: types.KnownAccounts{loggerAddr: {StorageRoot: &empty}}}
		}, true},
		{"another storage root", func(*types.Header) types.TransactionConditional {
			return types.TransactionConditional{KnownAccounts: types.KnownAccounts{loggerAddr: {StorageRoot: &common.Hash{1}}}}
		}, false},
		{"storage root before a write earlier in the block", func(*types.Header) types.TransactionConditional {
			return types.TransactionConditional{KnownAccounts: types.KnownAccounts{storageAddr: {StorageRoot: &empty}}}
		}, false},
		{"storage root after a write earlier in the block", func(*types.Header) types.TransactionConditional {
			return types.TransactionConditional{KnownAccounts: types.KnownAccounts{storageAddr: {StorageRoot: &written}}}
		}, true},
		{"storage root of an account that is not there", func(*types.Header) types.TransactionConditional {
			return types.TransactionConditional{KnownAccounts: types.KnownAccounts{{0xab}: {StorageRoot: &empty}}}
		}, true},
		{"more than may be asked for", func(*types.Header) types.TransactionConditional {
			return types.TransactionConditional{KnownAccounts: types.KnownAccounts{storageAddr: {StorageSlots: many}}}
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTimed(t, harnessConfig{fork: jovian})
			ages := new(countingHistogram)
			meter := gethmetrics.NewMeter()
			t.Cleanup(meter.Stop)
			s.builder.metrics.conditionalAge = gethmetrics.NewCustomTimer(ages, meter)
			s.builder.metrics.conditionalRejected = gethmetrics.NewCounter()
			slot := s.begin(s.attributes(s.chain.CurrentBlock()))
			write := s.tx(1, 0, 90, &storageAddr, 100_000, slots(2, 7))
			tx, behind := s.transfer(0, 0, 50), s.transfer(0, 1, 50)
			cond := test.cond(slot.job.header)
			tx.SetConditional(&cond)
			slot.send(write, tx, behind)
			want := []*types.Transaction{write}
			if test.want {
				want = append(want, tx, behind)
			}
			require.Equal(t, hashesOf(want...), hashes(t, slot.step()))
			require.Equal(t, !test.want, tx.Rejected())
			slot.finish()

			next := s.begin(s.attributes(s.chain.CurrentBlock()))
			require.Empty(t, hashes(t, next.step()), "rejected for good")
			next.finish()
			rejected := uint64(0)
			if !test.want {
				rejected = 1
			}
			require.Equal(t, rejected, s.builder.metrics.skips[skipConditional].Get())
			require.EqualValues(t, rejected, s.builder.metrics.conditionalRejected.Snapshot().Count())
			require.EqualValues(t, 1, ages.updates.Load())
		})
	}
}

// opGethsMetrics are what op-geth's miner has registered before a builder could.
var opGethsMetrics = map[string]any{
	"rejected":    gethmetrics.DefaultRegistry.Get("miner/transactionConditional/rejected"),
	"elapsedtime": gethmetrics.DefaultRegistry.Get("miner/transactionConditional/elapsedtime"),
}

func TestConditionalMetricsAreOpGeths(t *testing.T) {
	t.Parallel()
	m := newMeters(metrics.NewSet())
	require.Same(t, opGethsMetrics["rejected"], m.conditionalRejected)
	require.Same(t, opGethsMetrics["elapsedtime"], m.conditionalAge)
}

// countingHistogram counts what it is given, also while op-geth's metrics are off.
type countingHistogram struct {
	gethmetrics.Histogram
	updates atomic.Int64
}

// Update implements metrics.Histogram.
func (h *countingHistogram) Update(int64) { h.updates.Add(1) }

// failsafeNode is a node whose supervisor can be put into failsafe.
type failsafeNode struct {
	*harness
	on atomic.Bool
}

// GetSupervisorFailsafe implements failsafeBackend.
func (n *failsafeNode) GetSupervisorFailsafe() bool { return n.on.Load() }

// In failsafe no transaction with an interop access list is included, and others are.
func TestInteropFailsafe(t *testing.T) {
	t.Parallel()
	for _, inbox := range []bool{true, false} {
		s := newTimed(t, harnessConfig{fork: jovian})
		node := &failsafeNode{harness: s.harness}
		s.builder.backend = node
		executing := func(account int) *types.Transaction {
			entry := types.AccessTuple{Address: storageAddr, StorageKeys: []common.Hash{{1}}}
			if inbox {
				entry.Address = gethparams.InteropCrossL2InboxAddress
			}
			return types.MustSignNewTx(s.keys[account], s.signer, &types.DynamicFeeTx{
				ChainID: s.chain.Config().ChainID, Gas: 60_000, To: &s.addrs[0], AccessList: types.AccessList{entry},
				GasTipCap: big.NewInt(5), GasFeeCap: big.NewInt(10 * gethparams.InitialBaseFee),
			})
		}
		slot := s.begin(s.attributes(s.chain.CurrentBlock()))
		slot.send(executing(0))
		require.Len(t, hashes(t, slot.step()), 1, "no failsafe")
		node.on.Store(true)
		refused := executing(1)
		slot.send(refused, s.transfer(2, 0, 1))
		have := hashes(t, slot.step())
		if inbox {
			require.Equal(t, hashesOf(s.transfer(2, 0, 1)), have)
			require.True(t, refused.Rejected())
			require.EqualValues(t, 1, s.builder.metrics.skips[skipInterop].Get())
		} else {
			require.Equal(t, hashesOf(refused, s.transfer(2, 0, 1)), have, "an access list of its own")
		}
		node.on.Store(false)
		other := executing(3)
		slot.send(other)
		require.Equal(t, hashesOf(other), hashes(t, slot.step()), "the failsafe is over")
		slot.finish()
	}
}

// rootOf is the storage root of an account that holds the given slots.
func rootOf(t *testing.T, slots map[common.Hash]common.Hash) common.Hash {
	t.Helper()
	db := triedb.NewDatabase(rawdb.NewMemoryDatabase(), triedb.HashDefaults)
	storage, err := trie.NewStateTrie(trie.TrieID(types.EmptyRootHash), db)
	require.NoError(t, err)
	for key, value := range slots {
		require.NoError(t, storage.UpdateStorage(common.Address{}, key[:], common.TrimLeftZeroes(value[:])))
	}
	return storage.Hash()
}

// A root that is asked for at every index follows what the block writes, and the clearing of it.
func TestConditionalStorageRootFollows(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	content := make(map[common.Hash]common.Hash)
	stale := types.EmptyRootHash
	for n, w := range []struct{ key, value byte }{{1, 5}, {2, 6}, {1, 9}, {1, 0}, {2, 0}, {3, 3}} {
		write := s.tx(1, uint64(n), 90, &storageAddr, 100_000, slots(uint64(w.key), uint64(w.value)))
		if content[common.Hash{31: w.key}] = (common.Hash{31: w.value}); w.value == 0 {
			delete(content, common.Hash{31: w.key})
		}
		now := rootOf(t, content)
		good, bad := s.transfer(0, uint64(n), 50), s.transfer(2+n, 0, 40)
		for tx, root := range map[*types.Transaction]common.Hash{good: now, bad: stale} {
			tx.SetConditional(&types.TransactionConditional{KnownAccounts: types.KnownAccounts{storageAddr: {StorageRoot: &root}}})
		}
		slot.send(write, good, bad)
		require.Equal(t, hashesOf(write, good), hashes(t, slot.step()), "write %d", n)
		require.True(t, bad.Rejected())
		stale = now
	}
	testchain.Insert(t, s.newChain(), slot.finish())
}
