// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"sync"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/log"
)

// syncedDB is a database that keeps in memory what it is given until it is told to write it.
type syncedDB interface {
	SyncKeyValue() error
}

// headKeeper brings every new head to the disk at once. op-geth leaves what it writes in the memory of the
// process until there is enough of it: a killed process loses its last block, or a part of it, and
// its consensus client, which knows the block, then waits for a sync that a lone sequencer has nobody for.
//
// Nothing waits for the disk. If it is slow, one synchronisation covers all heads since the last one.
type headKeeper struct {
	chain restoreChain
	db    syncedDB

	stop context.CancelFunc
	wg   sync.WaitGroup
}

// start begins to keep heads.
func (k *headKeeper) start(ctx context.Context) error {
	ctx, k.stop = context.WithCancel(context.WithoutCancel(ctx))
	var (
		heads = make(chan core.ChainHeadEvent, 1)
		sub   = k.chain.SubscribeChainHeadEvent(heads)
		due   = make(chan struct{}, 1) // one is enough for any number of heads
	)
	k.wg.Go(func() { // on its own, as the chain's import waits for its subscribers
		defer sub.Unsubscribe()
		for {
			select {
			case <-heads:
			case <-ctx.Done():
				return
			}
			select {
			case due <- struct{}{}:
			default:
			}
		}
	})
	k.wg.Go(func() { k.run(ctx, due) })
	return nil
}

// run synchronises whenever it is due.
func (k *headKeeper) run(ctx context.Context, due <-chan struct{}) {
	for {
		select {
		case <-due:
		case <-ctx.Done():
			return
		}
		if err := k.db.SyncKeyValue(); err != nil {
			log.Warn("Cannot bring the head to the disk: a crash would lose it", "err", err)
		}
	}
}

// close ends keeping and waits for a synchronisation under way.
func (k *headKeeper) close() error {
	if k.stop != nil {
		k.stop()
	}
	k.wg.Wait()
	return nil
}
