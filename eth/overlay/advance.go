// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"errors"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// receive judges a flashblock and keeps it if it belongs to the attempt in progress. Executing is left to
// advance.
func (p *Processor) receive(in input) {
	fb := in.fb
	res := p.sequence.Add(fb)
	p.metrics.outcome(res.Outcome)
	switch {
	case res.Outcome == flashblocks.Gap || res.Outcome == flashblocks.TooLong:
		p.interrupt(p.inProgress())
	case res.Outcome == flashblocks.Conflict:
		log.Warn("Flashblock contradicts one received before", "index", fb.Index, "payload", fb.PayloadID)
	case res.Outcome.Held():
		if fb.Index == 0 {
			p.begin(fb, res)
		}
		p.items = append(p.items, in)
		if p.items[0].fb.Base.BlockNumber <= p.head.Number.Uint64() {
			p.metrics.superseded.Inc()
		}
	}
}

// begin takes up a new block, or a new attempt at one.
func (p *Processor) begin(fb *flashblocks.Flashblock, res flashblocks.Result) {
	p.items, p.verdict = nil, nil
	number := fb.Base.BlockNumber
	if number <= p.head.Number.Uint64() {
		return // either late, or the chain is about to be set back: its new head will tell
	}
	p.withdraw(number)
	if p.redo != nil {
		p.withdrawn = append(p.withdrawn, p.redo) // of the block before, which could not be executed again
		p.forget()
	}
	if p.block == nil || p.block.number()+1 != number {
		return
	}
	prev := fb.Metadata.PrevFlashblockID
	switch {
	case res.MissedTail || res.Unlinked:
		p.interrupt(p.block)
	case prev != nil && *prev != (flashblocks.FlashblockID{}):
		p.block.incomplete = false // nothing was missing after all
	}
	p.checkHash(p.block, fb.Base)
}

// advance does the next thing that can be done for the attempt in progress, and returns false if there
// is none.
func (p *Processor) advance() bool {
	if len(p.items) == 0 || p.items[0].fb.Base.BlockNumber <= p.head.Number.Uint64() {
		return false
	}
	b := p.inProgress()
	if b == nil {
		if !p.tryOpen(p.items[0].built != nil) {
			return false
		}
		b = p.block
	}
	if b.broken || b.next() >= len(p.items) {
		return false
	}
	in := p.items[b.next()]
	if b.exec == nil && in.built == nil {
		// The builder's flashblocks end here and the stream's go on: its execution has to be made up.
		return p.reopen(b)
	}
	p.step(b, in)
	return true
}

// inProgress is the block of the attempt in progress, nil if it was not opened yet.
func (p *Processor) inProgress() *block {
	if p.block == nil || p.block.key != p.sequence.Key() {
		return nil
	}
	return p.block
}

// tryOpen opens the attempt in progress. If its parent is not there yet, it waits.
func (p *Processor) tryOpen(adopted bool) bool {
	if p.verdict != nil && !waits(p.verdict) {
		return false
	}
	first := p.items[0]
	b, err := p.open(first, adopted)
	if err == nil {
		if b.parent != nil {
			b.parent.exec = nil // it will not grow any more
		}
		p.block = b
		return true
	}
	if waits(err) {
		if p.verdict == nil {
			log.Debug("Flashblocks wait for their parent", "number", first.fb.Base.BlockNumber, "parent", first.fb.Base.ParentHash, "reason", err)
			p.metrics.parked.Inc()
		}
	} else {
		log.Warn("Failed to begin a pending block", "number", first.fb.Base.BlockNumber, "payload", first.fb.PayloadID, "err", err)
		p.metrics.failures.Inc()
	}
	p.verdict = err
	return false
}

// waits reports whether a later canonical head may remove the reason not to open a block.
func waits(err error) bool {
	return errors.Is(err, errNoParent) || errors.Is(err, errTooDeep) || errors.Is(err, errNoState)
}

// reopen executes a block of the builder again from its start.
func (p *Processor) reopen(b *block) bool {
	p.again(b)
	p.block = b.parent
	if p.tryOpen(false) {
		return true
	}
	p.block, b.broken = b, true
	p.forget()
	p.interrupt(b)
	return true
}

// step executes a flashblock and publishes the outcome.
func (p *Processor) step(b *block, in input) {
	if p.hooks.beforeStep != nil {
		p.hooks.beforeStep(in.fb.Index)
	}
	start := p.cfg.Now()
	if err := p.execute(b, in); err != nil {
		b.broken = true
		p.conclude()
		if p.pointless(b) {
			return // and therefore interrupted
		}
		p.metrics.failures.Inc()
		if errors.Is(err, types.ErrTxTypeNotSupported) || errors.Is(err, errNotExecuted) {
			p.refuse(b, in.fb.Index, err)
			return
		}
		log.Warn("Failed to execute a flashblock", "number", b.number(), "index", in.fb.Index, "err", err)
		p.interrupt(b)
		return
	}
	now := p.cfg.Now()
	p.metrics.execution.Update(now.Sub(start).Seconds())
	if field := b.divergence(); field != "" && p.diverges(b, in.fb.Index, field) {
		return
	}
	p.advanced()
	s := b.publishable(in.fb.Index, len(in.fb.Diff.Transactions), in.arrived, now)
	if p.redo == nil {
		p.publish(s, true)
		return
	}
	p.redone = append(p.redone, s)
	if s.Index >= p.redo.Index {
		p.conclude()
	}
}

// refuse gives up a block that holds a transaction of a type which op-geth does not execute, such as PostExec
// (0x7d), which settles the gas of every other one in the block. What was executed of it may be wrong under the
// rules that such a block has. Pending is what is underneath until the chain has the block, which it cannot
// have before op-geth knows those rules.
func (p *Processor) refuse(b *block, index uint64, err error) {
	log.Error("Flashblock holds a transaction of a type that this version does not execute, pending falls back", "number", b.number(), "index", index, "err", err)
	p.metrics.unsupported.Inc()
	p.withdraw(b.number())
	p.verdict = err
}

// execute runs a flashblock on a block, so that it can be interrupted.
func (p *Processor) execute(b *block, in input) error {
	if b.exec == nil {
		return b.adopt(in.built)
	}
	p.running.current.Store(&execution{number: b.number(), exec: b.exec})
	defer p.running.current.Store(nil)
	if p.pointless(b) { // after the store, so that whoever comes later finds what to interrupt
		return errPointless
	}
	return b.extend(in.fb)
}

// pointless reports whether there is no use in executing a block any more.
func (p *Processor) pointless(b *block) bool {
	select {
	case <-p.done:
		return true
	default:
		return p.cfg.Chain.CurrentBlock().Number.Uint64() >= b.number()
	}
}

// again begins to execute a block anew.
func (p *Processor) again(b *block) {
	if p.redo == nil {
		p.redo = b.snapshot
	}
	p.redone = nil
}

// forget gives up executing a block anew.
func (p *Processor) forget() { p.redo, p.redone = nil, nil }

// conclude ends the second execution of a block. If the outcome is another, what was told is taken back
// and told anew.
func (p *Processor) conclude() {
	if p.redo == nil {
		return
	}
	old, list := p.redo, p.redone
	p.forget()
	if n := len(list); n > 0 && list[n-1].sameOutcome(old) {
		p.publish(list[n-1], false)
		return
	}
	p.withdrawn = append(p.withdrawn, old)
	for _, s := range list {
		p.publish(s, true)
	}
}
