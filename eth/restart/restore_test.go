// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/event"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

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
		r     = NewRestorer(RestorerConfig{
			Journal: ethtest.WriteJournal(t, txs), Most: uint64(len(txs)), Pool: pool, Chain: heads,
			Signer: types.LatestSigner(ethtest.Jovian.ChainConfig()),
		})
	)
	r.Restore()
	require.NoError(t, r.Start(t.Context()))
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
	require.NoError(t, r.Stop())
}
