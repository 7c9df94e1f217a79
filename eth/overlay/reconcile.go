// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// likeness is how a pending block compares to the canonical block of its number.
type likeness uint8

const (
	other    likeness = iota // another block
	diverged                 // the same transactions, or the first of them, with another outcome
	prefix                   // the canonical block begins with it
	same                     // they are the same
)

// follow takes in the canonical head if it has changed.
func (p *Processor) follow() {
	head := p.cfg.Chain.CurrentBlock()
	if head == p.head {
		return
	}
	hash := p.running.hash(head)
	if p.head != nil && hash == p.headHash {
		p.head = head
		return
	}
	p.head, p.headHash = head, hash
	if parent := p.cfg.Chain.GetHeader(head.ParentHash, head.Number.Uint64()-1); parent != nil {
		p.blockTime = min(time.Duration(head.Time-parent.Time)*time.Second, maxBlockTime)
	}
	p.advanced()
	p.reconcile()
}

// reconcile compares the pending blocks with the canonical chain after its head has changed: what became
// canonical as it was moves below the pending state without being executed again, what became something
// else is withdrawn with everything on top of it.
func (p *Processor) reconcile() {
	var (
		blocks = p.pendingBlocks()
		number = p.head.Number.Uint64()
		exact  = true // the state under the rest is the one it was executed on
	)
	for len(blocks) > 0 && blocks[0].number() <= number {
		alike, field := p.compare(blocks[0])
		if field != "" && exact {
			p.metrics.canonicalDiverged[field].Inc()
			log.Warn("Canonical block differs from what its flashblocks gave here", "number", blocks[0].number(), "payload", blocks[0].key.PayloadID, "field", field)
		}
		switch alike {
		case other, diverged:
			if alike == other || !exact { // on a state that was not its parent's any outcome is another one
				log.Info("Preconfirmed block was replaced", "number", blocks[0].number(), "payload", blocks[0].key.PayloadID)
				p.metrics.reorged.Inc()
			}
			p.undo(blocks)
			return
		case prefix:
			p.metrics.partial.Inc()
			exact = false
		case same:
			exact = true
		}
		blocks = blocks[1:]
	}
	if p.redo != nil && p.redo.Number() <= number {
		p.forget()
	}
	switch {
	case len(blocks) == 0:
		p.block = nil
	case blocks[0].base.ParentHash != p.headHash:
		p.metrics.reorged.Inc()
		p.undo(blocks)
	case !exact:
		p.undo(blocks)
	case blocks[0].parent != nil:
		p.rebase(blocks)
	}
}

// pendingBlocks returns the pending blocks, oldest first.
func (p *Processor) pendingBlocks() []*block {
	var list []*block
	for b := p.block; b != nil; b = b.parent {
		list = append([]*block{b}, list...)
	}
	return list
}

// undo gives up pending blocks that stand on something that has not become canonical. The block in progress
// is executed again if it builds on the new head.
func (p *Processor) undo(blocks []*block) {
	p.tip.Store(nil) // not to be shown while the rest is worked out
	if b := p.inProgress(); b != nil && b.base.ParentHash == p.headHash && b.snapshot != nil {
		p.again(b)
		p.block = b.parent
		redo := p.redo
		p.redo = nil // not withdrawn yet
		p.withdraw(blocks[0].number())
		p.redo = redo
	} else {
		p.withdraw(blocks[0].number())
	}
	p.block, p.verdict = nil, nil
}

// compare tells what has become of a pending block, as far as it was told, and the first field by which the
// canonical block of the same transactions differs, if it does.
func (p *Processor) compare(b *block) (likeness, string) {
	told := b.snapshot
	if p.redo != nil && p.redo.Number() == b.number() {
		told = p.redo
	}
	canonical := p.cfg.Chain.GetBlockByNumber(b.number())
	if canonical == nil || told == nil {
		return prefix, "" // not known is not replaced: a node that syncs may have the header only
	}
	n := len(told.Txs)
	if !b.fixes(canonical.Header()) || len(canonical.Transactions()) < n {
		return other, ""
	}
	for i, tx := range told.Txs {
		if canonical.Transactions()[i].Hash() != tx.Hash() {
			return other, ""
		}
	}
	if len(canonical.Transactions()) == n {
		if field := told.outcome().differs(outcomeOf(canonical.Header())); field != "" {
			return diverged, field
		}
		if b.hashable() && told.Block().Hash() != canonical.Hash() {
			return same, fieldBlockHash // by what only the stream tells: nothing that was answered was wrong
		}
		return same, ""
	}
	receipts := p.cfg.Chain.GetReceiptsByHash(canonical.Hash())
	if len(receipts) < n {
		return prefix, ""
	}
	root := miner.NewListRoot()
	root.Extend(receipts[:n])
	if root.Hash() != told.Header.ReceiptHash {
		return diverged, fieldReceiptsRoot
	}
	return prefix, ""
}

// fixes reports whether a header has the fields that the base fixed.
func (b *block) fixes(canonical *types.Header) bool {
	h := b.header
	return h.ParentHash == canonical.ParentHash && h.Time == canonical.Time && h.Coinbase == canonical.Coinbase &&
		h.MixDigest == canonical.MixDigest && h.GasLimit == canonical.GasLimit &&
		canonical.BaseFee != nil && h.BaseFee.Cmp(canonical.BaseFee) == 0 &&
		equal(h.ParentBeaconRoot, canonical.ParentBeaconRoot) && string(h.Extra) == string(canonical.Extra)
}

func equal(a, b *common.Hash) bool { return a == b || a != nil && b != nil && *a == *b }

// rebase puts pending blocks on the canonical state that their ancestors have become.
func (p *Processor) rebase(blocks []*block) {
	db := p.stateDatabase()
	anchor, err := db.Reader(p.head.Root)
	if err == nil {
		err = move(blocks, &store{anchor: p.head, db: db}, anchor)
	}
	if err != nil {
		// The old store still answers, and what it answers is right.
		log.Warn("Failed to put pending blocks on the canonical head", "number", p.head.Number, "err", err)
		return
	}
	p.metrics.rebased.Inc()
}

// move puts blocks into a store. They are unchanged if it fails.
func move(blocks []*block, to *store, anchor state.Reader) error {
	versions := make([]uint64, len(blocks))
	diffs := make([][]*miner.StateDiff, len(blocks))
	for i, b := range blocks {
		for _, diff := range b.diffs {
			rerooted, err := to.reroot(anchor, diff)
			if err != nil {
				return err
			}
			to.add(rerooted)
			diffs[i] = append(diffs[i], rerooted)
		}
		versions[i] = to.version
	}
	for i, b := range blocks {
		if i == 0 {
			b.parent = nil
		}
		b.store, b.version, b.diffs = to, versions[i], diffs[i]
		if b.snapshot == nil {
			continue
		}
		cpy := *b.snapshot
		cpy.store, cpy.version, cpy.Parent = to, b.version, nil
		if b.parent != nil {
			cpy.Parent = b.parent.snapshot
		}
		b.snapshot = &cpy
	}
	return nil
}
