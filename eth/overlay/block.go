// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// block is a pending block as the processor builds it up: what its snapshots share and what executing
// the next delta needs. It belongs to the processor's goroutine.
type block struct {
	key    flashblocks.SequenceKey
	base   *flashblocks.Base
	parent *block // pending too, nil if the block builds on a canonical one
	store  *store
	exec   *miner.Execution // nil if the block was executed by this node's builder
	config *gethparams.ChainConfig
	signer types.Signer

	header      *types.Header // the fields that the base fixes
	txs         types.Transactions
	senders     []common.Address
	receipts    types.Receipts
	lookup      *txIndex
	root        *miner.ListRoot // of the receipts, if they were executed here
	receiptRoot common.Hash
	bloom       types.Bloom
	gasUsed     uint64
	footprint   uint64
	diffs       []*miner.StateDiff // one per flashblock
	version     uint64             // of the newest layer in store
	last        *flashblocks.Diff  // of the newest flashblock

	broken     bool      // no further flashblock of this block can be executed
	incomplete bool      // the next flashblock is known to be missing
	snapshot   *Snapshot // the newest, nil before the first flashblock
}

func (b *block) number() uint64 { return b.base.BlockNumber }

// next is the index of the flashblock that the block waits for.
func (b *block) next() int { return len(b.diffs) }

// supports reports whether another block can be executed on this one.
func (b *block) supports() bool { return b.snapshot != nil && !b.broken && !b.incomplete }

// depth is the number of pending blocks up to this one.
func (b *block) depth() int {
	n := 0
	for at := b; at != nil; at = at.parent {
		n++
	}
	return n
}

// extend executes a delta on the block. After an error its snapshots are as they were, but it cannot be
// extended any more.
func (b *block) extend(fb *flashblocks.Flashblock) (err error) {
	defer func() {
		if r := recover(); r != nil {
			log.Error("Panic while executing a flashblock", "number", b.number(), "index", fb.Index, "err", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", errPanic, r)
		}
	}()
	txs, bad := decode(b.signer, fb.Diff.Transactions)
	receipts := make(types.Receipts, len(txs))
	for i, tx := range txs {
		if receipts[i], err = b.exec.Execute(tx); err != nil {
			return fmt.Errorf("%w: %d: %w", errExecution, i, err)
		}
	}
	if bad != nil {
		return bad
	}
	if err := complete(b.config, b.header, b.txs, txs, receipts); err != nil {
		return err
	}
	diff := b.exec.Capture()
	if err := b.exec.Err(); err != nil {
		return err
	}
	for _, receipt := range receipts {
		for k, bits := range receipt.Bloom {
			b.bloom[k] |= bits
		}
	}
	b.gasUsed, b.footprint = b.exec.GasUsed(), b.exec.DAFootprint()
	b.add(fb, txs, receipts, diff)
	b.root.Extend(b.receipts)
	b.receiptRoot = b.root.Hash()
	return nil
}

// adopt appends a delta that this node's builder has executed already.
func (b *block) adopt(built *miner.Built) error {
	fb := built.Flashblock
	receipts := make(types.Receipts, len(built.Receipts))
	for i, receipt := range built.Receipts {
		cpy := *receipt // the builder's own goes into the sealed block
		receipts[i] = &cpy
	}
	if err := complete(b.config, b.header, b.txs, built.Txs, receipts); err != nil {
		return err
	}
	b.receiptRoot, b.bloom, b.gasUsed = fb.Diff.ReceiptsRoot, fb.Diff.LogsBloom, fb.Diff.GasUsed
	if fb.Diff.BlobGasUsed != nil {
		b.footprint = *fb.Diff.BlobGasUsed
	}
	b.add(fb, built.Txs, receipts, built.Diff)
	return nil
}

// add appends what a flashblock did.
func (b *block) add(fb *flashblocks.Flashblock, txs types.Transactions, receipts types.Receipts, diff *miner.StateDiff) {
	for i, tx := range txs {
		b.lookup.add(tx.Hash(), len(b.txs)+i)
		from, _ := types.Sender(b.signer, tx) // cached, or else it could not have been executed
		b.senders = append(b.senders, from)
	}
	b.txs = append(b.txs, txs...)
	b.receipts = append(b.receipts, receipts...)
	b.diffs = append(b.diffs, diff)
	b.version = b.store.add(diff)
	b.last = &fb.Diff
	b.incomplete = false
}

// publishable makes the snapshot of the block as it is.
func (b *block) publishable(index uint64, fresh int, arrived, now time.Time) *Snapshot {
	header := types.CopyHeader(b.header)
	header.GasUsed = b.gasUsed
	header.Bloom = b.bloom
	header.Root = b.last.StateRoot
	header.ReceiptHash = b.receiptRoot
	if b.config.IsJovian(header.Time) {
		footprint := b.footprint
		header.BlobGasUsed = &footprint
	}
	if b.config.IsOptimismIsthmus(header.Time) {
		root := b.last.WithdrawalsRoot
		header.WithdrawalsHash = &root
	} else if b.config.IsShanghai(header.Number, header.Time) {
		root := types.EmptyWithdrawalsHash
		header.WithdrawalsHash = &root
	}
	n := len(b.txs)
	s := &Snapshot{
		PayloadID: b.key.PayloadID,
		Index:     index,
		Header:    header,
		Txs:       b.txs[:n:n],
		Receipts:  b.receipts[:n:n],
		Senders:   b.senders[:n:n],
		Arrived:   arrived,
		Published: now,
		fresh:     fresh,
		lookup:    b.lookup,
		block:     new(lazyBlock),
		store:     b.store,
		version:   b.version,
	}
	if b.parent != nil {
		s.Parent = b.parent.snapshot
	}
	b.snapshot = s
	return s
}
