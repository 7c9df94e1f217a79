// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/rpc"
)

const (
	probeSamples = 4096  // latencies kept: over a minute of the default load
	probeWaiting = 20000 // transactions on their way: the size of the node's pool
	probeRedial  = time.Second
)

// Preconfirmation is how long after its submission to the sequencer a transaction was preconfirmed at the
// follower: from then on the follower has its receipt.
type Preconfirmation struct {
	Count    int           // transactions measured
	P50, P99 time.Duration // of the last probeSamples of them
}

// Probe measures preconfirmations at a follower.
type Probe struct {
	ws     string
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	begin   time.Time // what was sent before is not measured
	sent    map[common.Hash]time.Time
	samples []time.Duration // ring
	count   int
}

// NewProbe returns a probe of the follower behind a websocket URL. It is not connected.
func NewProbe(ws string) *Probe {
	return &Probe{ws: ws, sent: make(map[common.Hash]time.Time)}
}

// Sent notes that a transaction is about to be submitted.
func (p *Probe) Sent(tx common.Hash, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.Before(p.begin) {
		return
	}
	if len(p.sent) >= probeWaiting {
		clear(p.sent) // nothing has come back for long: whatever was sent is lost
	}
	p.sent[tx] = at
}

// Start begins to listen to the follower, which may be down for a while. Transactions sent before begin are
// not measured: the chain may not have started yet.
func (p *Probe) Start(ctx context.Context, begin time.Time) {
	p.mu.Lock()
	p.begin = begin
	p.mu.Unlock()
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.wg.Go(func() {
		for ctx.Err() == nil {
			if err := p.listen(ctx); err != nil && ctx.Err() == nil {
				log.Debug("Cannot listen to the follower", "err", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(probeRedial):
			}
		}
	})
}

// Stop ends listening.
func (p *Probe) Stop() {
	p.cancel()
	p.wg.Wait()
}

// listen follows one connection to its end.
func (p *Probe) listen(ctx context.Context) error {
	client, err := rpc.DialContext(ctx, p.ws)
	if err != nil {
		return fmt.Errorf("connect to the follower: %w", err)
	}
	defer client.Close()
	hashes := make(chan common.Hash, probeSamples)
	sub, err := client.EthSubscribe(ctx, hashes, "newFlashblockTransactions")
	if err != nil {
		return err
	}
	defer sub.Unsubscribe()
	for {
		select {
		case tx := <-hashes:
			p.arrived(tx, time.Now())
		case err := <-sub.Err():
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// arrived takes in a preconfirmation.
func (p *Probe) arrived(tx common.Hash, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sent, ok := p.sent[tx]
	if !ok {
		return
	}
	delete(p.sent, tx)
	if latency := at.Sub(sent); len(p.samples) < probeSamples {
		p.samples = append(p.samples, latency)
	} else {
		p.samples[p.count%probeSamples] = latency
	}
	p.count++
}

// Summary returns what was measured so far.
func (p *Probe) Summary() Preconfirmation {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := Preconfirmation{Count: p.count}
	if n := len(p.samples); n > 0 {
		sorted := slices.Sorted(slices.Values(p.samples))
		out.P50, out.P99 = sorted[(n-1)/2], sorted[(n-1)*99/100]
	}
	return out
}

// String describes the latencies, empty before the first.
func (c Preconfirmation) String() string {
	if c.Count == 0 {
		return ""
	}
	return fmt.Sprintf("submit to follower receipt: p50 %d ms, p99 %d ms over %s transactions",
		c.P50.Milliseconds(), c.P99.Milliseconds(), thousands(uint64(c.Count)))
}
