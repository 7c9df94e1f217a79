// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// block is a pending block as the processor builds it up: what its snapshots share and what executing
// the next delta needs. It belongs to the processor's goroutine.
type block struct {
	base    *flashblocks.Base
	payload engine.PayloadID
	parent  *block // pending too, nil if the block builds on a canonical one
	store   *store
	exec    *miner.Execution
	signer  types.Signer

	header   *types.Header
	txs      types.Transactions
	senders  []common.Address
	receipts types.Receipts
	lookup   *txIndex
	root     *miner.ListRoot // of the receipts
	bloom    types.Bloom
	diffs    []*miner.StateDiff // one per flashblock
	version  uint64             // of the newest layer in store
	index    uint64             // of the newest flashblock
	last     *flashblocks.Diff  // of the newest flashblock
	broken   bool               // no further flashblock of this block can be executed
	snapshot *Snapshot          // the newest
}

func (b *block) number() uint64 { return b.base.BlockNumber }

// newHeader makes the header of a block from the base that its index 0 carries.
func newHeader(cfg *gethparams.ChainConfig, base *flashblocks.Base) *types.Header {
	header := &types.Header{
		ParentHash:       base.ParentHash,
		UncleHash:        types.EmptyUncleHash,
		Coinbase:         base.FeeRecipient,
		Difficulty:       new(big.Int),
		Number:           new(big.Int).SetUint64(base.BlockNumber),
		GasLimit:         base.GasLimit,
		Time:             base.Timestamp,
		Extra:            base.ExtraData,
		MixDigest:        base.PrevRandao,
		ParentBeaconRoot: base.ParentBeaconBlockRoot,
	}
	if base.BaseFeePerGas != nil {
		header.BaseFee = base.BaseFeePerGas.ToBig()
	}
	if cfg.IsCancun(header.Number, header.Time) {
		header.BlobGasUsed, header.ExcessBlobGas = new(uint64), new(uint64)
	}
	if cfg.IsOptimismIsthmus(header.Time) {
		hash := types.EmptyRequestsHash
		header.RequestsHash = &hash
	}
	return header
}

// decode turns the delta's transactions into objects with their senders.
func (b *block) decode(diff *flashblocks.Diff) (types.Transactions, []common.Address, error) {
	var (
		txs     = make(types.Transactions, len(diff.Transactions))
		senders = make([]common.Address, len(diff.Transactions))
	)
	for i, raw := range diff.Transactions {
		tx := new(types.Transaction)
		if err := tx.UnmarshalBinary(raw); err != nil {
			return nil, nil, fmt.Errorf("%w: %d: %w", errBadTransaction, i, err)
		}
		from, err := types.Sender(b.signer, tx)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %d: %w", errBadTransaction, i, err)
		}
		txs[i], senders[i] = tx, from
	}
	return txs, senders, nil
}

// extend executes a delta on the block. After an error the block is as it was, but cannot be extended any
// more.
func (b *block) extend(fb *flashblocks.Flashblock) error {
	txs, senders, err := b.decode(&fb.Diff)
	if err != nil {
		return err
	}
	receipts := make(types.Receipts, len(txs))
	for i, tx := range txs {
		if receipts[i], err = b.exec.Execute(tx); err != nil {
			return fmt.Errorf("%w: %d: %w", errExecution, i, err)
		}
	}
	for i, tx := range txs {
		b.lookup.add(tx.Hash(), len(b.txs)+i)
		for k, bits := range receipts[i].Bloom {
			b.bloom[k] |= bits
		}
	}
	b.txs = append(b.txs, txs...)
	b.senders = append(b.senders, senders...)
	b.receipts = append(b.receipts, receipts...)
	b.root.Extend(b.receipts)
	diff := b.exec.Capture()
	b.diffs = append(b.diffs, diff)
	b.version = b.store.add(diff)
	b.index, b.last = fb.Index, &fb.Diff
	return nil
}

// publishable makes the snapshot of the block as it is.
func (b *block) publishable(cfg *gethparams.ChainConfig, fresh int, arrived, now time.Time) *Snapshot {
	header := types.CopyHeader(b.header)
	header.GasUsed = b.exec.GasUsed()
	header.Bloom = b.bloom
	header.Root = b.last.StateRoot
	header.ReceiptHash = b.root.Hash()
	if cfg.IsJovian(header.Time) {
		footprint := b.exec.DAFootprint()
		header.BlobGasUsed = &footprint
	}
	if cfg.IsShanghai(header.Number, header.Time) {
		root := types.EmptyWithdrawalsHash
		if cfg.IsOptimismIsthmus(header.Time) {
			root = b.last.WithdrawalsRoot
		}
		header.WithdrawalsHash = &root
	}
	n := len(b.txs)
	s := &Snapshot{
		PayloadID: b.payload,
		Index:     b.index,
		Header:    header,
		Txs:       b.txs[:n:n],
		Receipts:  b.receipts[:n:n],
		Senders:   b.senders[:n:n],
		Arrived:   arrived,
		Published: now,
		fresh:     fresh,
		lookup:    b.lookup,
		reader:    &reader{store: b.store, version: b.version},
	}
	if b.parent != nil {
		s.Parent = b.parent.snapshot
	}
	b.snapshot = s
	return s
}

// matches reports whether a canonical block is what the stream said and execution gave: the same
// transactions on the same parent with the same receipts.
func (b *block) matches(canonical *types.Block) bool {
	if canonical.ParentHash() != b.base.ParentHash || canonical.Time() != b.base.Timestamp || len(canonical.Transactions()) != len(b.txs) {
		return false
	}
	for i, tx := range canonical.Transactions() {
		if tx.Hash() != b.txs[i].Hash() {
			return false
		}
	}
	return b.root.Hash() == canonical.ReceiptHash() && b.bloom == canonical.Bloom()
}

// divergence compares the execution with what the stream says of it, and names the first difference.
func (b *block) divergence() string {
	switch root := b.root.Hash(); {
	case b.exec.GasUsed() != b.last.GasUsed:
		return "gas_used"
	case b.bloom != b.last.LogsBloom:
		return "logs_bloom"
	case root != b.last.ReceiptsRoot:
		return "receipts_root"
	}
	return ""
}
