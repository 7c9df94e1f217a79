// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"time"

	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// assembled is a flashblock ready to be published.
type assembled struct {
	prefix   prefix // of the block, this flashblock included
	diff     *StateDiff
	payload  *flashblocks.Flashblock
	message  stream.Message
	deadline int           // in the schedule, 0-based; 0 also for index 0
	took     time.Duration // from the start of its selection
}

// assemble makes a flashblock of everything executed since the last one. Its cost is that of the new
// transactions, however long the block is already.
func (j *job) assemble(deadline int, start mclock.AbsTime) *assembled {
	last := j.lastPrefix
	p := j.env.extend(&last, j.receiptRoot)
	p.indices++
	fb := &assembled{prefix: p, diff: j.env.state.capture(), deadline: deadline}
	fb.payload = j.newFlashblock(&last, fb)
	fb.message = stream.Message{
		PayloadID:   j.id,
		BlockNumber: j.header.Number.Uint64(),
		Index:       fb.payload.Index,
	}
	if !j.config.PublishRoots {
		j.encode(fb)
	}
	fb.took = j.clock.Now().Sub(start)
	fb.prefix.buildTime = last.buildTime + fb.took
	return fb
}

// newFlashblock fills the wire type with the difference between two prefixes. With deferred roots, the
// roots that hashing gives and the block hash are zero, as OP Subblocks specify.
func (j *job) newFlashblock(last *prefix, fb *assembled) *flashblocks.Flashblock {
	var (
		p       = &fb.prefix
		payload = &flashblocks.Flashblock{
			PayloadID: j.id,
			Index:     p.indices - 1,
			Diff: flashblocks.Diff{
				ReceiptsRoot: p.receipt,
				LogsBloom:    p.bloom,
				GasUsed:      p.used.gas,
				Transactions: p.raws[len(last.raws):],
			},
		}
	)
	if payload.Index == 0 {
		payload.Base = j.base
		payload.Diff.Withdrawals = j.args.Withdrawals // consumers concatenate, as they do transactions
	}
	if j.chain.Config().IsJovian(j.header.Time) {
		footprint := p.used.footprint
		payload.Diff.BlobGasUsed = &footprint
	}
	payload.Metadata = j.newMetadata(last, fb)
	return payload
}

func (j *job) newMetadata(last *prefix, fb *assembled) flashblocks.Metadata {
	number := j.header.Number.Uint64()
	if j.config.Metadata == params.MetadataTrimmed {
		m := flashblocks.Metadata{BlockNumber: number, Dialect: flashblocks.DialectTrimmed}
		if fb.prefix.indices > 1 {
			m.PrevFlashblockID = &flashblocks.FlashblockID{BlockNumber: number, Index: fb.prefix.indices - 2}
		} else if prev := j.prevBlock; prev != nil {
			m.PrevFlashblockID = prev
		}
		return m
	}
	m := flashblocks.Metadata{
		BlockNumber:        number,
		NewAccountBalances: make([]flashblocks.AccountBalance, len(fb.diff.Accounts)),
		Receipts:           make([]flashblocks.Receipt, 0, len(fb.prefix.receipts)-len(last.receipts)),
		Dialect:            flashblocks.DialectFull,
	}
	for i := range fb.diff.Accounts {
		acct := &fb.diff.Accounts[i]
		m.NewAccountBalances[i] = flashblocks.AccountBalance{Address: acct.Address, Balance: &acct.Balance}
	}
	for _, receipt := range fb.prefix.receipts[len(last.receipts):] {
		m.Receipts = append(m.Receipts, flashblocks.Receipt{TxHash: receipt.TxHash, Receipt: receipt})
	}
	return m
}

// encode makes the message's bytes. The v0 form is left to whoever asks for it first.
func (j *job) encode(fb *assembled) {
	payload, base := fb.payload, j.base
	fb.message.V1 = payload.AppendJSON(make([]byte, 0, payload.SizeHint()))
	fb.message.V0 = func() []byte {
		return flashblocks.NewNotification(payload, base).AppendJSON(nil)
	}
}

// publish hands the flashblock to the stream and its diff to the hasher, if the gate is open.
func (j *job) publish(fb *assembled) bool {
	ok := j.gate.pass(fb.prefix, func() bool {
		j.roots.push(step{diff: fb.diff, txs: fb.prefix.raws})
		if j.config.PublishRoots && !j.fillRoots(fb) {
			return false
		}
		j.stream.Publish(fb.message)
		return true
	})
	if !ok {
		return false
	}
	j.announce(fb, &j.lastPrefix)
	j.meter(fb)
	j.lastPrefix = fb.prefix
	return true
}

// fillRoots waits for the state root of the block so far and encodes the flashblock with it.
func (j *job) fillRoots(fb *assembled) bool {
	r := j.roots.current()
	if r.err != nil {
		return false
	}
	header := j.sealedHeader(&fb.prefix, r)
	fb.payload.Diff.StateRoot = r.state
	fb.payload.Diff.BlockHash = header.Hash()
	if header.WithdrawalsHash != nil && *header.WithdrawalsHash != types.EmptyWithdrawalsHash {
		fb.payload.Diff.WithdrawalsRoot = *header.WithdrawalsHash
	}
	j.encode(fb)
	return true
}

// newBase fills the part of the wire that is fixed before execution.
func newBase(header *types.Header) *flashblocks.Base {
	base := &flashblocks.Base{
		ParentBeaconBlockRoot: header.ParentBeaconRoot,
		ParentHash:            header.ParentHash,
		FeeRecipient:          header.Coinbase,
		PrevRandao:            header.MixDigest,
		BlockNumber:           header.Number.Uint64(),
		GasLimit:              header.GasLimit,
		Timestamp:             header.Time,
		ExtraData:             header.Extra,
		BaseFeePerGas:         new(uint256.Int),
	}
	if header.BaseFee != nil {
		base.BaseFeePerGas = uint256.MustFromBig(header.BaseFee)
	}
	return base
}
