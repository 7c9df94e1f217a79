// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
)

// reconcile compares the pending blocks with the canonical chain after its head has changed: what became
// canonical as it was moves below the pending state without being executed again, what became something
// else is withdrawn with everything on top of it.
func (p *Processor) reconcile() {
	head := p.cfg.Chain.CurrentBlock()
	if p.block == nil {
		p.unpark()
		return
	}
	blocks := p.chainOf()
	settled := 0 // blocks that are canonical now
	for _, b := range blocks {
		if b.number() > head.Number.Uint64() {
			break
		}
		canonical := p.cfg.Chain.GetBlockByNumber(b.number())
		if canonical == nil || !b.matches(canonical) {
			log.Info("Preconfirmed block was replaced", "number", b.number(), "flashblocks", b.index+1)
			p.metrics.reorged.Inc()
			p.replaceFrom(blocks[settled:], head)
			return
		}
		settled++
	}
	rest := blocks[settled:]
	switch {
	case len(rest) == 0:
		// Everything is canonical: pending is latest until the next flashblock.
		p.block = nil
		p.publish(nil, false, nil)
		p.unpark()
	case settled > 0 && rest[0].base.ParentHash != head.Hash():
		p.replaceFrom(rest, head)
	case settled > 0:
		p.rebase(rest, head)
	case rest[0].store.anchor.Hash() != head.Hash() && !p.onCanonical(rest[0].store.anchor):
		// The ground moved: the block underneath is no longer canonical, at the same height or below.
		p.metrics.reorged.Inc()
		p.replaceFrom(rest, head)
	}
}

// chainOf returns the pending blocks, oldest first.
func (p *Processor) chainOf() []*block {
	var list []*block
	for b := p.block; b != nil; b = b.parent {
		list = append([]*block{b}, list...)
	}
	return list
}

func (p *Processor) onCanonical(header *types.Header) bool {
	return p.cfg.Chain.GetCanonicalHash(header.Number.Uint64()) == header.Hash()
}

// rebase puts pending blocks on the canonical state that their ancestors have become.
func (p *Processor) rebase(rest []*block, head *types.Header) {
	store, err := newStore(head, stateDatabase(p.cfg.Chain))
	if err != nil {
		log.Error("State of the canonical head is not available", "number", head.Number, "err", err)
		return // the old store still answers
	}
	tip := p.tip.Load()
	for i, b := range rest {
		if i == 0 {
			b.parent = nil
		}
		b.store = store
		for _, diff := range b.diffs {
			b.version = store.add(diff)
		}
		if b.snapshot == nil {
			continue
		}
		cpy := *b.snapshot
		cpy.reader = &reader{store: store, version: b.version}
		cpy.Parent = nil
		if b.parent != nil {
			cpy.Parent = b.parent.snapshot
		}
		b.snapshot = &cpy
	}
	p.metrics.rebased.Inc()
	if newest := rest[len(rest)-1].snapshot; newest != nil && tip != nil {
		p.publish(newest, false, nil)
	}
}

// replaceFrom withdraws pending blocks that the canonical chain has overtaken with others, and executes
// the block in progress again if it builds on the new head.
func (p *Processor) replaceFrom(blocks []*block, head *types.Header) {
	withdrawn := p.withdrawFrom(blocks[0].number())
	p.block = nil
	p.publish(nil, false, withdrawn)
	base := p.sequence.Base()
	if base == nil || base.ParentHash != head.Hash() {
		p.unpark()
		return
	}
	held := p.sequence.Flashblocks()
	p.parked = nil
	now := p.cfg.Now()
	for _, fb := range held {
		p.parked = append(p.parked, input{fb: fb, arrived: now})
	}
	p.unpark()
}

// unpark tries the flashblocks again that wait for their parent.
func (p *Processor) unpark() {
	if len(p.parked) == 0 {
		return
	}
	waiting := p.parked
	p.parked = nil
	head := p.cfg.Chain.CurrentBlock()
	first := waiting[0]
	if first.fb.Base == nil || first.fb.Base.BlockNumber <= head.Number.Uint64() {
		p.metrics.superseded.Add(len(waiting))
		return
	}
	b, err := p.open(first.fb.Base, first.fb)
	if err != nil {
		p.parked = waiting
		return
	}
	p.block = b
	for _, in := range waiting {
		if p.block == nil || p.block.broken {
			return
		}
		p.step(in, nil)
	}
}
