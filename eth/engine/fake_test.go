// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// fakeBuilder stands in for the builder where a test is about the Engine API alone. It checks arguments
// as op-geth's miner does, and its payloads are whatever the test puts there.
type fakeBuilder struct {
	chain *core.BlockChain

	mu       sync.Mutex
	jobs     []*gethminer.BuildPayloadArgs
	opts     []miner.Options
	heads    []common.Hash
	payloads map[engine.PayloadID]*engine.ExecutionPayloadEnvelope
	limits   []any
	sealed   []engine.PayloadID
	refusal  error
}

var _ Builder = (*fakeBuilder)(nil)

func (b *fakeBuilder) BuildPayload(args *gethminer.BuildPayloadArgs, opts miner.Options) (engine.PayloadID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refusal != nil {
		return engine.PayloadID{}, b.refusal
	}
	parent := b.chain.GetHeaderByHash(args.Parent)
	if parent == nil {
		return engine.PayloadID{}, errors.New("missing parent")
	}
	if args.Timestamp <= parent.Time {
		return engine.PayloadID{}, fmt.Errorf("invalid timestamp, parent %d given %d", parent.Time, args.Timestamp)
	}
	if b.payloads == nil {
		b.payloads = make(map[engine.PayloadID]*engine.ExecutionPayloadEnvelope)
	}
	id := args.Id()
	if b.payloads[id] == nil {
		b.jobs = append(b.jobs, args)
		b.opts = append(b.opts, opts)
		b.payloads[id] = &engine.ExecutionPayloadEnvelope{
			ExecutionPayload: &engine.ExecutableData{
				Timestamp: args.Timestamp, ParentHash: args.Parent, BaseFeePerGas: new(big.Int),
				ExtraData: []byte("fake"), LogsBloom: []byte{}, Transactions: [][]byte{},
			},
			BlockValue: new(big.Int),
		}
	}
	return id, nil
}

func (b *fakeBuilder) Has(id engine.PayloadID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.payloads[id] != nil
}

func (b *fakeBuilder) GetPayload(id engine.PayloadID) (*engine.ExecutionPayloadEnvelope, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealed = append(b.sealed, id)
	if env := b.payloads[id]; env != nil && env.BlockValue != nil {
		return env, nil
	}
	return nil, errors.New("injected")
}

func (b *fakeBuilder) BuildTestBlock(*gethminer.BuildPayloadArgs, []*types.Transaction, []byte) (*engine.ExecutionPayloadEnvelope, error) {
	return nil, errors.New("injected")
}

func (b *fakeBuilder) NewHead(h common.Hash) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heads = append(b.heads, h)
}

func (b *fakeBuilder) SetMaxDASize(maxTx, maxBlock *big.Int) {
	b.limit(maxTx.String(), maxBlock.String())
}
func (b *fakeBuilder) SetGasLimit(limit uint64) { b.limit(limit) }
func (b *fakeBuilder) SetGasTip(tip *big.Int)   { b.limit(tip) }

func (b *fakeBuilder) limit(values ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limits = append(b.limits, values...)
}
