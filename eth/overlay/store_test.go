// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// Reading a version gives what executing the transactions up to it on an ordinary state gives, for accounts,
// code and storage, whatever was destroyed and created again, also after later layers were added. Before
// Cancun a self-destruct removes storage that was there before.
func TestVersionsEqualExecution(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fork   testchain.Fork
		scheme string
	}{{testchain.Canyon, rawdb.PathScheme}, {testchain.Canyon, rawdb.HashScheme}, {testchain.Jovian, rawdb.PathScheme}} {
		t.Run(test.fork.String()+" "+test.scheme, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, harnessConfig{chain: testchain.Config{Fork: test.fork, Scheme: test.scheme}})
			mix, deploy := testchain.NewMix(h.Chain, 11)
			h.Send(deploy...)
			anchor := h.slot() // with the contracts
			h.commit(anchor)
			var (
				s     = &store{anchor: anchor.block.Header(), db: state.NewDatabase(h.BlockChain().TrieDB(), h.BlockChain().CodeDB()).WithSnapshot(h.BlockChain().Snapshots())}
				keys  = newKeys()
				wants []*state.StateDB
				plain = h.plainState(anchor.block)
			)
			wants = append(wants, plain.Copy())
			for range 12 {
				h.Send(mix.Txs(25)...)
				sl := h.slot(mix.Deposits()...)
				exec := newPlain(t, h.BlockChain(), sl.block, plain)
				done := 0
				for _, built := range sl.built {
					exec.run(sl.block.Transactions()[done : done+len(built.Txs)])
					done += len(built.Txs)
					s.add(built.Diff)
					keys.add(built.Diff)
					wants = append(wants, plain.Copy())
				}
			}
			requireCovered(t, test.fork, s)
			var readers sync.WaitGroup
			for version, want := range wants {
				readers.Go(func() {
					have, err := s.stateDB(uint64(version))
					if err != nil {
						t.Error(err)
						return
					}
					keys.requireEqual(t, want, have)
				})
			}
			readers.Wait()
		})
	}
}

// requireCovered asserts that the random transactions did what the test is about.
func requireCovered(t *testing.T, fork testchain.Fork, s *store) {
	t.Helper()
	var destroyed, revived, emptied int
	s.accounts.Range(func(_, v any) bool {
		for at, _ := v.(*accountVersion); at != nil; at = at.older {
			switch {
			case at.account == nil && at.older != nil && at.older.account != nil:
				destroyed++
			case at.account == nil:
				emptied++
			case at.cleared != 0 && at.older != nil:
				revived++
			}
		}
		return true
	})
	require.Positive(t, emptied)
	require.Positive(t, revived)
	if fork < testchain.Ecotone {
		require.Positive(t, destroyed)
	}
}

// plainState opens the canonical state after a block.
func (h *harness) plainState(block *types.Block) *state.StateDB {
	h.t.Helper()
	db, err := h.BlockChain().StateAt(block.Root())
	require.NoError(h.t, err)
	return db
}

// plain executes the transactions of a canonical block as op-geth does, on an ordinary state.
type plain struct {
	t     testing.TB
	block *types.Block
	db    *state.StateDB
	evm   *vm.EVM
	gas   *core.GasPool
	done  int
}

func newPlain(t testing.TB, chain *core.BlockChain, block *types.Block, db *state.StateDB) *plain {
	t.Helper()
	header := block.Header()
	p := &plain{t: t, block: block, db: db, gas: core.NewGasPool(header.GasLimit)}
	p.evm = vm.NewEVM(core.NewEVMBlockContext(header, chain, nil, chain.Config(), db), db, chain.Config(), vm.Config{})
	if header.ParentBeaconRoot != nil {
		core.ProcessBeaconBlockRoot(*header.ParentBeaconRoot, p.evm)
	}
	if chain.Config().IsPrague(header.Number, header.Time) {
		core.ProcessParentBlockHash(header.ParentHash, p.evm)
	}
	return p
}

func (p *plain) run(txs types.Transactions) {
	p.t.Helper()
	for _, tx := range txs {
		p.db.SetTxContext(tx.Hash(), p.done)
		_, err := core.ApplyTransaction(p.evm, p.gas, p.db, p.block.Header(), tx)
		require.NoError(p.t, err)
		p.done++
	}
}

// Many goroutines read the pending state while flashblocks, reorganisations and canonical blocks come. Every
// answer is of one moment: the counters that each flashblock raises together are equal.
func TestConcurrentReaders(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	t.Cleanup(func() { stop(); readers.Wait() })
	for range 64 {
		readers.Go(func() {
			sub := h.p.Subscribe()
			defer func() { sub.Unsubscribe() }()
			for {
				select {
				case _, open := <-sub.Events():
					if !open {
						sub = h.p.Subscribe() // this one was too slow
					}
				case <-ctx.Done():
					return
				}
				for range 3 {
					if s := h.p.Snapshot(); s != nil {
						h.readOnce(s)
					}
				}
			}
		})
	}
	for n := range 12 {
		h.Send(h.Tx(1, h.TxPool().Nonce(h.Addrs[1]), 100, &testchain.StorageAddr, 60_000, testchain.Words(1, uint64(n+1))))
		s := h.slot()
		for _, fb := range s.fbs {
			h.requirePrefix(h.BlockChain(), h.deliver(fb), s, int(fb.Index))
		}
		if n%4 == 3 {
			s = h.fork(s, byte(n))
			h.deliver(s.fbs...)
		}
		h.land(s.block)
	}
	stop()
	readers.Wait()
}

// readOnce compares what a snapshot holds: the nonces in its state are those that its transactions leave.
func (h *harness) readOnce(s *Snapshot) {
	db, err := s.State()
	if err != nil {
		h.t.Error(err)
		return
	}
	nonces := make(map[common.Address]uint64)
	for _, at := range s.Ancestors() {
		for i, tx := range at.Txs {
			if !tx.IsDepositTx() {
				nonces[at.Senders[i]] = tx.Nonce() + 1
			}
		}
	}
	for addr, nonce := range nonces {
		if have := db.GetNonce(addr); have != nonce {
			h.t.Errorf("nonce %d of %v in the state, %d by the transactions", have, addr, nonce)
		}
	}
	if len(s.Receipts) != len(s.Txs) || s.Receipts[len(s.Receipts)-1].CumulativeGasUsed != s.Header.GasUsed {
		h.t.Error("receipts of another moment")
	}
	db.GetState(testchain.StorageAddr, common.Hash{31: 1})
	s.Block()
}
