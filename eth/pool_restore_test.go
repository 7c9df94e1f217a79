// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/event"
	"github.com/ethereum/go-ethereum/rlp"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// writeJournal writes transactions as op-geth's journal has them.
func writeJournal(t *testing.T, txs []*types.Transaction) string {
	t.Helper()
	var buf bytes.Buffer
	for _, tx := range txs {
		require.NoError(t, rlp.Encode(&buf, tx))
	}
	path := filepath.Join(t.TempDir(), "transactions.rlp")
	require.NoError(t, os.WriteFile(path, buf.Bytes(), 0o600))
	return path
}

func hashesOf(txs []*types.Transaction) []common.Hash {
	list := make([]common.Hash, len(txs))
	for i, tx := range txs {
		list[i] = tx.Hash()
	}
	return list
}

func TestReadJournal(t *testing.T) {
	t.Parallel()
	txs := ethtest.LocalTxs(5)
	path := writeJournal(t, txs)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, test := range []struct {
		name    string
		content []byte
		most    int
		want    []*types.Transaction
		failed  bool
	}{
		{"all of it", whole, 5, txs, false},
		{"the newest", whole, 2, txs[3:], false},
		{"cut off by a crash", whole[:len(whole)-7], 5, txs[:4], false},
		{"cut off, the newest", whole[:len(whole)-7], 2, txs[2:4], false},
		{"empty", nil, 5, nil, false},
		{"something else", []byte("\xc3abc"), 5, nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "transactions.rlp")
			require.NoError(t, os.WriteFile(path, test.content, 0o600))
			got, err := readJournal(path, test.most)
			require.Equal(t, test.failed, err != nil, "%v", err)
			require.Equal(t, hashesOf(test.want), hashesOf(got))
		})
	}
	got, err := readJournal(filepath.Join(t.TempDir(), "none"), 5)
	require.NoError(t, err)
	require.Empty(t, got)
}

// A node that builds has what was submitted before its restart in the pool again, without op-geth's delay:
// the node of this test has no journal of op-geth's at all.
func TestRestoreAtStart(t *testing.T) {
	t.Parallel()
	txs := ethtest.LocalTxs(3)
	path := writeJournal(t, txs)
	n := newNode(t, ethtest.Jovian, func(t testing.TB, n *testNode) {
		t.Helper()
		cfg, node := testConfig(), ethconfig.Defaults
		node.TxPool.Journal = path
		cfg.Eth = &node
		service, err := Register(n.Stack, n.Eth, cfg)
		require.NoError(t, err)
		n.service = service
	})
	require.Eventually(t, func() bool { return n.Eth.TxPool().PoolNonce(ethtest.User) == 3 }, time.Minute, 5*time.Millisecond)
	require.NoError(t, n.Stack.Close()) // while it waits for a head
}

func TestJournalPath(t *testing.T) {
	t.Parallel()
	n := newUnstarted(t, ethtest.Jovian, ethtest.Jovian.Genesis())
	path := filepath.Join(t.TempDir(), "transactions.rlp")
	cfg := ethconfig.Defaults
	cfg.TxPool.Journal = path
	require.Equal(t, path, journalPath(n.Stack, &cfg))
	cfg.TxPool.NoLocals = true
	require.Empty(t, journalPath(n.Stack, &cfg))
	cfg.TxPool.NoLocals, cfg.TxPool.Journal = false, ""
	require.Empty(t, journalPath(n.Stack, &cfg))
}

// laggingPool is a pool on a state that is some blocks back, and takes nothing, until the head is set.
type laggingPool struct {
	mu     sync.Mutex
	ready  bool
	state  uint64 // nonce of every account
	tried  int
	synced bool
	taken  []common.Hash
}

func (p *laggingPool) Add(txs []*types.Transaction, _ bool) []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	errs := make([]error, len(txs))
	for i, tx := range txs {
		p.tried++
		if !p.ready {
			errs[i] = errors.New("insufficient funds")
			continue
		}
		p.taken = append(p.taken, tx.Hash())
	}
	return errs
}

func (p *laggingPool) Has(hash common.Hash) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, have := range p.taken {
		if have == hash {
			return true
		}
	}
	return false
}

func (p *laggingPool) Nonce(common.Address) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

func (p *laggingPool) Sync() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.synced = true
	return nil
}

// look reads a pool under its lock.
func look[T any](p *laggingPool, of func() T) T {
	p.mu.Lock()
	defer p.mu.Unlock()
	return of()
}

type headFeed struct{ event.Feed }

func (f *headFeed) SubscribeChainHeadEvent(ch chan<- core.ChainHeadEvent) event.Subscription {
	return f.Subscribe(ch)
}

// After a crash the state is some blocks back. What the pool refuses there is added again when the
// consensus client has set the head, without what the head's state has used, and no later head costs
// anything.
func TestRestoreBehindTheHead(t *testing.T) {
	t.Parallel()
	var (
		txs   = ethtest.LocalTxs(restoreBatch + 5)
		pool  = new(laggingPool)
		heads = new(headFeed)
		r     = &restorer{
			path: writeJournal(t, txs), most: len(txs), pool: pool, chain: heads, signer: types.LatestSigner(ethtest.Jovian.ChainConfig()),
		}
	)
	require.NoError(t, r.start(t.Context()))
	require.Eventually(t, func() bool { return look(pool, func() int { return pool.tried }) == len(txs) }, time.Minute, time.Millisecond)
	look(pool, func() bool {
		pool.ready, pool.state = true, 2
		return true
	})
	require.Equal(t, 1, heads.Send(core.ChainHeadEvent{}))
	r.wg.Wait()
	require.True(t, pool.synced)
	require.Equal(t, hashesOf(txs[2:]), pool.taken)
	require.Zero(t, heads.Send(core.ChainHeadEvent{}), "nobody listens any more")
	require.NoError(t, r.close())
}
