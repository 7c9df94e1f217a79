// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"time"

	"github.com/ethereum/go-ethereum/common/mclock"
)

const (
	// minStale is the least default of Config.StaleAfter: shorter pauses than this happen at every restart
	// of a sequencer.
	minStale = 5 * time.Second

	// maxBlockTime bounds what is believed to be the chain's block time. The first block of a new network
	// may come long after its genesis.
	maxBlockTime = 12 * time.Second
)

// publish swaps the pointer first and tells the subscribers second: who reacts to an event finds at least
// that state.
func (p *Processor) publish(s *Snapshot, fresh bool) {
	withdrawn := p.withdrawn
	p.withdrawn = nil
	p.tip.Store(s)
	if fresh {
		p.metrics.latency.Update(s.Published.Sub(s.Arrived).Seconds())
	}
	p.metrics.dropped.Add(p.events.send(Event{Snapshot: s, Fresh: fresh, Withdrawn: withdrawn}))
}

// settle publishes what was not published yet, when there is nothing more to do.
func (p *Processor) settle() {
	if s := p.newest(); s != p.tip.Load() || len(p.withdrawn) > 0 {
		p.publish(s, false)
	}
}

// newest is the snapshot to show.
func (p *Processor) newest() *Snapshot {
	if p.hidden {
		return nil
	}
	for b := p.block; b != nil; b = b.parent {
		if b.snapshot != nil {
			return b.snapshot
		}
	}
	return nil
}

// interrupt marks a block as a prefix whose continuation is missing.
func (p *Processor) interrupt(b *block) {
	if b == nil || b.snapshot == nil {
		return
	}
	b.incomplete = true
	if b.snapshot.Incomplete {
		return
	}
	p.metrics.interrupted.Inc()
	cpy := *b.snapshot
	cpy.Incomplete = true
	b.snapshot = &cpy
}

// withdraw gives up the pending blocks from a number on.
func (p *Processor) withdraw(number uint64) {
	var list []*Snapshot
	for p.block != nil && p.block.number() >= number {
		if s := p.block.snapshot; s != nil && (p.redo == nil || p.redo.Number() != p.block.number()) {
			list = append([]*Snapshot{s}, list...)
		}
		p.block = p.block.parent
	}
	if p.redo != nil && p.redo.Number() >= number {
		list = append(list, p.redo) // the attempt in progress is the newest block
		p.forget()
	}
	p.withdrawn = append(p.withdrawn, list...)
}

// advanced notes that pending or latest has moved.
func (p *Processor) advanced() {
	p.progress = p.cfg.Clock.Now()
	p.hidden = false
}

// staleAfter is how long pending may stand still.
func (p *Processor) staleAfter() time.Duration {
	if p.cfg.StaleAfter > 0 {
		return p.cfg.StaleAfter
	}
	return max(minStale, 3*p.blockTime)
}

// expiry returns a channel that fires when pending has stood still for too long, and a function to
// release it.
func (p *Processor) expiry() (<-chan mclock.AbsTime, func()) {
	if p.tip.Load() == nil {
		return nil, func() {}
	}
	timer := p.cfg.Clock.NewTimer(p.progress.Add(p.staleAfter()).Sub(p.cfg.Clock.Now()))
	return timer.C(), func() { timer.Stop() }
}

// expire makes pending fall back to latest. The blocks stay: they may still become canonical, or not,
// which somebody may want to hear.
func (p *Processor) expire() {
	if p.tip.Load() != nil && !p.hidden && p.cfg.Clock.Now().Sub(p.progress) >= p.staleAfter() {
		p.hidden = true
		p.metrics.expired.Inc()
	}
}
