// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"context"
	"sync"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/event"
	"github.com/ethereum/go-ethereum/log"
)

// Chain tells of canonical heads.
type Chain interface {
	SubscribeChainHeadEvent(ch chan<- core.ChainHeadEvent) event.Subscription
}

// Database is a database that keeps in memory what it is given until it is told to write it.
type Database interface {
	SyncKeyValue() error
}

// HeadKeeperConfig configures a HeadKeeper.
type HeadKeeperConfig struct {
	Chain    Chain
	Database Database // of the chain
}

// HeadKeeper brings every new head to the disk at once. op-geth leaves what it writes in the memory of the
// process until there is enough of it: a killed process loses its last block, or a part of it, and
// its consensus client, which knows the block, then waits for a sync that a lone sequencer has nobody for.
//
// Nothing waits for the disk. If it is slow, one synchronisation covers all heads since the last one.
type HeadKeeper struct {
	cfg HeadKeeperConfig

	stop context.CancelFunc
	wg   sync.WaitGroup
}

// NewHeadKeeper makes a HeadKeeper. It starts nothing.
func NewHeadKeeper(cfg HeadKeeperConfig) *HeadKeeper { return &HeadKeeper{cfg: cfg} }

// Start begins to keep heads.
func (k *HeadKeeper) Start(ctx context.Context) error {
	ctx, k.stop = context.WithCancel(context.WithoutCancel(ctx))
	var (
		heads = make(chan core.ChainHeadEvent, 1)
		sub   = k.cfg.Chain.SubscribeChainHeadEvent(heads)
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
func (k *HeadKeeper) run(ctx context.Context, due <-chan struct{}) {
	for {
		select {
		case <-due:
		case <-ctx.Done():
			return
		}
		if err := k.cfg.Database.SyncKeyValue(); err != nil {
			log.Warn("Cannot bring the head to the disk: a crash would lose it", "err", err)
		}
	}
}

// Stop ends keeping and waits for a synchronisation under way.
func (k *HeadKeeper) Stop() error {
	if k.stop != nil {
		k.stop()
	}
	k.wg.Wait()
	return nil
}
