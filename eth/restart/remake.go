// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"context"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"
)

const (
	// remakeWait is how long a forkchoice update waits for the states that it needs: long enough for the usual few blocks, short
	// enough for the five seconds after which op-node gives up.
	remakeWait = 2 * time.Second

	// remakeRetry is how long a head that cannot be made is left alone: every try walks back over the chain.
	remakeRetry = 10 * time.Second
)

// remaker makes the states up to a head while the node runs, one head at a time, on a goroutine of its own.
type remaker struct {
	run func(ctx context.Context, target common.Hash) error

	ctx    context.Context //nolint:containedctx // of the goroutines, not of a call
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	target common.Hash
	done   chan struct{} // closed when the target was tried; nil before the first one
	failed time.Time     // when that was in vain
}

func newRemaker(run func(context.Context, common.Hash) error) *remaker {
	r := &remaker{run: run}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// await has the target made the head, with its state, and waits for that for a bounded time. It reports whether it
// is done.
func (r *remaker) await(ctx context.Context, target common.Hash) bool {
	done, mine := r.begin(target)
	if !mine {
		return false
	}
	timer := time.NewTimer(remakeWait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		return false
	case <-ctx.Done():
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.target == target && r.failed.IsZero()
}

// begin starts on the target, unless it or another one is being made. It reports whether what is being made, or was made
// in vain a moment ago, is the target.
func (r *remaker) begin(target common.Hash) (done chan struct{}, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, false
	}
	if r.done != nil {
		select {
		case <-r.done:
		default:
			return r.done, r.target == target
		}
		if r.target == target && time.Since(r.failed) < remakeRetry {
			return r.done, true
		}
	}
	r.target, r.done, r.failed = target, make(chan struct{}), time.Time{}
	done = r.done
	r.wg.Go(func() {
		defer close(done)
		log.Info("Making the state of the head again", "hash", target)
		if err := r.run(r.ctx, target); err != nil {
			log.Warn("The state of the head cannot be made again", "hash", target, "err", err)
			r.mu.Lock()
			r.failed = time.Now()
			r.mu.Unlock()
		}
	})
	return done, true
}

// close ends what is being made, at the next block, and waits for it.
func (r *remaker) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.wg.Wait()
}
