// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"context"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
)

// maxRestored bounds what is restored however large the operator has made the pool: recovering the senders
// takes a second of one core.
const maxRestored = 16_384

// restoreBatch is how many transactions are handed to the pool under one hold of its lock, so that what
// users send meanwhile need not wait for all of them.
const restoreBatch = 256

// Pool is the transaction pool as the Restorer sees it.
type Pool interface {
	Add(txs []*types.Transaction, sync bool) []error
	Has(hash common.Hash) bool
	Nonce(addr common.Address) uint64 // in the state that the pool works on
	Sync() error                      // waits until that is the head's
}

// RestorerConfig configures a Restorer.
type RestorerConfig struct {
	Journal string // path of op-geth's journal
	Most    uint64 // transactions to restore, within a bound of the package's own
	Pool    Pool
	Chain   Chain
	Signer  types.Signer
}

// Restorer puts what op-geth's journal of local transactions holds back into the pool at once after a start.
// op-geth does so ten seconds later. In these ten seconds a sequencer that crashed would build blocks
// without transactions that it had accepted, some of them preconfirmed, and later ones of the same
// senders could not be included either. Nor may a wallet ask for its next nonce before, or it would
// replace what was preconfirmed.
//
// If the head could not be brought back it is behind until the consensus client sets it, so that the pool may
// refuse what fits later. Therefore what is missing is added again behind the first head.
type Restorer struct {
	cfg   RestorerConfig
	txs   []*types.Transaction // of the journal
	added int

	stop context.CancelFunc
	wg   sync.WaitGroup
}

// NewRestorer makes a Restorer. It starts nothing.
func NewRestorer(cfg RestorerConfig) *Restorer {
	cfg.Most = min(cfg.Most, maxRestored)
	return &Restorer{cfg: cfg}
}

// Restore puts into the pool what it takes. It has to be called before the node has endpoints.
func (r *Restorer) Restore() {
	txs, err := readJournal(r.cfg.Journal, int(r.cfg.Most))
	if err != nil {
		log.Warn("Local transactions come back only later", "err", err)
		return
	}
	r.txs, r.added = txs, r.add(context.Background(), txs, true)
}

// Start begins to wait for the first head.
func (r *Restorer) Start(ctx context.Context) error {
	if len(r.txs) == 0 {
		return nil
	}
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	var (
		heads = make(chan core.ChainHeadEvent, 1)
		sub   = r.cfg.Chain.SubscribeChainHeadEvent(heads)
		first = make(chan struct{})
	)
	r.wg.Go(func() { // on its own, as the chain's import waits for its subscribers
		defer sub.Unsubscribe()
		select {
		case <-heads:
			close(first)
		case <-ctx.Done():
		}
	})
	r.wg.Go(func() { r.run(ctx, first) })
	return nil
}

// Stop ends restoring and waits for it.
func (r *Restorer) Stop() error {
	if r.stop != nil {
		r.stop()
	}
	r.wg.Wait()
	return nil
}

// run restores once more when the consensus client has set the head.
func (r *Restorer) run(ctx context.Context, head <-chan struct{}) {
	select {
	case <-head:
	case <-ctx.Done():
		return
	}
	if err := r.cfg.Pool.Sync(); err != nil {
		return // the node stops
	}
	r.added += r.add(ctx, r.txs, false)
	log.Info("Restored local transactions", "journaled", len(r.txs), "added", r.added)
	r.txs = nil
}

// add hands the pool what it lacks, waits if asked until that can be built with, and returns how many transactions it took.
func (r *Restorer) add(ctx context.Context, txs []*types.Transaction, settled bool) (added int) {
	for len(txs) > 0 && ctx.Err() == nil {
		n := min(len(txs), restoreBatch)
		batch := make([]*types.Transaction, 0, n)
		for _, tx := range txs[:n] {
			from, err := types.Sender(r.cfg.Signer, tx)
			if err == nil && !r.cfg.Pool.Has(tx.Hash()) && tx.Nonce() >= r.cfg.Pool.Nonce(from) {
				batch = append(batch, tx)
			}
		}
		for _, err := range r.cfg.Pool.Add(batch, settled) {
			if err == nil {
				added++
			}
		}
		txs = txs[n:]
	}
	return added
}
