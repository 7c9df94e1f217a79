// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
)

// prepareQueue is how many flashblocks the preparers may be behind. What they do not get to is done when the
// flashblock is executed.
const prepareQueue = inputQueue

// delta are the transactions of a flashblock on their way to execution: from bytes to objects with known
// senders, hashes and fee data. That takes longer than executing most of them, and none of it depends on
// another transaction, so that several goroutines work on it: the preparers, from the flashblock's arrival
// on, and the processor while the transaction that it has come to is not ready. None is done twice.
type delta struct {
	raws  [][]byte
	txs   []*types.Transaction // nil what does not decode
	errs  []error
	once  []sync.Once
	ready []atomic.Bool
	next  atomic.Int64 // the first that nobody has taken up
	ended atomic.Bool  // nobody needs the rest
}

func newDelta(raws [][]byte) *delta {
	n := len(raws)
	return &delta{raws: raws, txs: make([]*types.Transaction, n), errs: make([]error, n), once: make([]sync.Once, n), ready: make([]atomic.Bool, n)}
}

// get returns a transaction, prepared. While somebody else is at it, it prepares later ones.
func (d *delta) get(i int, signer types.Signer) (*types.Transaction, error) {
	for !d.ready[i].Load() && d.help(signer) {
		continue
	}
	d.do(i, signer)
	return d.txs[i], d.errs[i]
}

// help prepares the first transaction that nobody has taken up, and returns false if there is none.
func (d *delta) help(signer types.Signer) bool {
	i := int(d.next.Add(1) - 1)
	if i >= len(d.raws) {
		return false
	}
	d.do(i, signer)
	return true
}

// do prepares a transaction unless that was done. It waits for whoever is at it.
func (d *delta) do(i int, signer types.Signer) {
	d.once[i].Do(func() {
		d.prepare(i, signer)
		d.ready[i].Store(true)
	})
}

func (d *delta) prepare(i int, signer types.Signer) {
	defer func() {
		if r := recover(); r != nil {
			log.Error("Panic while decoding a transaction", "err", r, "stack", string(debug.Stack()))
			d.txs[i], d.errs[i] = nil, fmt.Errorf("%w: %v", errPanic, r)
		}
	}()
	tx := new(types.Transaction)
	err := tx.UnmarshalBinary(d.raws[i])
	if err == nil && tx.Type() == types.PostExecTxType {
		err = errNotExecuted // op-geth decodes it, and would take it for a transaction of account zero
	}
	if err != nil {
		d.errs[i] = fmt.Errorf("%w: %d: %w", errBadTransaction, i, err)
		return
	}
	// Each is kept in the transaction; what is wrong with it is for the execution to say.
	_, _ = types.Sender(signer, tx)
	tx.Hash()
	tx.RollupCostData()
	d.txs[i] = tx
}

// preparers are goroutines that prepare what waits for execution.
type preparers struct {
	count  int
	deltas chan *delta
	signer atomic.Pointer[types.Signer] // of the newest block: another one costs time, not correctness
}

func newPreparers() *preparers {
	return &preparers{count: runtime.GOMAXPROCS(0) - 1, deltas: make(chan *delta, prepareQueue)}
}

// take asks for the preparation of a delta. It never waits.
func (p *preparers) take(d *delta) {
	for range min(p.count, len(d.raws)) {
		select {
		case p.deltas <- d:
		default:
			return
		}
	}
}

// run prepares until ctx ends.
func (p *preparers) run(ctx context.Context) {
	for {
		select {
		case d := <-p.deltas:
			signer := p.signer.Load()
			for signer != nil && !d.ended.Load() && d.help(*signer) {
				continue
			}
		case <-ctx.Done():
			return
		}
	}
}
