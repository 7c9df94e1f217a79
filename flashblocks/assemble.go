// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// Payload is a block assembled from flashblocks, in the form of the Engine API.
type Payload struct {
	// Data is the execution payload. Its BlockHash is the one the last flashblock claims, which is not
	// the hash of the block if the builder defers the state root; see Seal.
	Data *engine.ExecutableData

	ParentBeaconBlockRoot *common.Hash // nil before Ecotone
	Requests              [][]byte     // nil before Isthmus, empty from then on
	Forks                 Forks
}

// Assemble builds the payload of the block in progress. It fails with ErrEmptySequence if there is none.
func (s *Sequence) Assemble(forks Forks) (*Payload, error) {
	return Assemble(s.blocks, forks)
}

// Assemble builds a payload from the flashblocks of one attempt, in order from index 0: the fields of
// the base, the cumulative fields of the last diff, and the transactions and withdrawals of all diffs,
// followed by the last post-exec transaction. It shares the bytes of transactions with the flashblocks.
// Errors: ErrEmptySequence, ErrBrokenSequence.
func Assemble(fbs []*Flashblock, forks Forks) (*Payload, error) {
	if err := checkContiguous(fbs); err != nil {
		return nil, err
	}
	base, last := fbs[0].Base, &fbs[len(fbs)-1].Diff
	data := &engine.ExecutableData{
		ParentHash:    base.ParentHash,
		FeeRecipient:  base.FeeRecipient,
		StateRoot:     last.StateRoot,
		ReceiptsRoot:  last.ReceiptsRoot,
		LogsBloom:     last.LogsBloom.Bytes(),
		Random:        base.PrevRandao,
		Number:        base.BlockNumber,
		GasLimit:      base.GasLimit,
		GasUsed:       last.GasUsed,
		Timestamp:     base.Timestamp,
		ExtraData:     base.ExtraData,
		BaseFeePerGas: new(big.Int),
		BlockHash:     last.BlockHash,
		Transactions:  concatTransactions(fbs),
	}
	if base.BaseFeePerGas != nil {
		data.BaseFeePerGas = base.BaseFeePerGas.ToBig()
	}
	payload := &Payload{Data: data, Forks: forks}
	if forks.Canyon {
		data.Withdrawals = []*types.Withdrawal{}
		for _, fb := range fbs {
			data.Withdrawals = append(data.Withdrawals, fb.Diff.Withdrawals...)
		}
	}
	if forks.Ecotone {
		data.ExcessBlobGas = new(uint64)
		data.BlobGasUsed = new(uint64)
		if last.BlobGasUsed != nil {
			*data.BlobGasUsed = *last.BlobGasUsed
		}
		payload.ParentBeaconBlockRoot = base.ParentBeaconBlockRoot
	}
	if forks.Isthmus {
		root := last.WithdrawalsRoot
		data.WithdrawalsRoot = &root
		payload.Requests = [][]byte{}
	}
	return payload, nil
}

func checkContiguous(fbs []*Flashblock) error {
	if len(fbs) == 0 {
		return ErrEmptySequence
	}
	if fbs[0].Base == nil {
		return fmt.Errorf("%w: no base at its start", ErrBrokenSequence)
	}
	for i, fb := range fbs {
		if fb.Index != uint64(i) {
			return fmt.Errorf("%w: index %d at place %d", ErrBrokenSequence, fb.Index, i)
		}
		if fb.PayloadID != fbs[0].PayloadID {
			return fmt.Errorf("%w: payload ids %s and %s", ErrBrokenSequence, fbs[0].PayloadID, fb.PayloadID)
		}
	}
	return nil
}

func concatTransactions(fbs []*Flashblock) [][]byte {
	count := 1
	for _, fb := range fbs {
		count += len(fb.Diff.Transactions)
	}
	txs := make([][]byte, 0, count)
	for _, fb := range fbs {
		txs = append(txs, fb.Diff.Transactions...)
	}
	if postExec := fbs[len(fbs)-1].Diff.PostExecTx; postExec != nil {
		txs = append(txs, postExec)
	}
	return txs
}

// Block builds the block from the fields of the payload, without looking at the BlockHash it claims.
// It fails if a transaction does not decode, carries blobs, or the fields contradict the forks.
func (p *Payload) Block() (*types.Block, error) {
	config := types.DefaultBlockConfig
	if p.Forks.Isthmus {
		config = types.IsthmusBlockConfig
	}
	block, err := engine.ExecutableDataToBlockNoHash(*p.Data, nil, p.ParentBeaconBlockRoot, p.Requests, config)
	if err != nil {
		return nil, fmt.Errorf("assemble block %d: %w", p.Data.Number, err)
	}
	return block, nil
}

// Hash computes the hash of the block from its fields. Errors are those of Block.
func (p *Payload) Hash() (common.Hash, error) {
	block, err := p.Block()
	if err != nil {
		return common.Hash{}, err
	}
	return block.Hash(), nil
}

// Seal puts the real state root in place of the one on the wire, and the hash that follows from it. The
// payload is unchanged if it fails. Errors are those of Block.
func (p *Payload) Seal(stateRoot common.Hash) (*types.Block, error) {
	sealed := *p
	data := *p.Data
	sealed.Data = &data
	data.StateRoot = stateRoot
	block, err := sealed.Block()
	if err != nil {
		return nil, err
	}
	p.Data.StateRoot, p.Data.BlockHash = stateRoot, block.Hash()
	return block, nil
}

// Envelope wraps the payload as engine_getPayload answers it, with the block value 0 and no blobs, as
// neither is known from flashblocks.
func (p *Payload) Envelope() *engine.ExecutionPayloadEnvelope {
	return &engine.ExecutionPayloadEnvelope{
		ExecutionPayload: p.Data,
		BlockValue:       new(big.Int),
		BlobsBundle: &engine.BlobsBundle{
			Commitments: []hexutil.Bytes{},
			Proofs:      []hexutil.Bytes{},
			Blobs:       []hexutil.Bytes{},
		},
		Requests:              p.Requests,
		ParentBeaconBlockRoot: p.ParentBeaconBlockRoot,
	}
}
