// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// countingProcessor counts the blocks that are really executed.
type countingProcessor struct {
	core.Processor
	blocks int
}

// Process implements core.Processor.
func (p *countingProcessor) Process(ctx context.Context, block *types.Block, db *state.StateDB, cfg vm.Config) (*core.ProcessResult, error) {
	p.blocks++
	return p.Processor.Process(ctx, block, db, cfg)
}

// counted puts a counter between the builder's processor and op-geth's.
func (h *harness) counted() *countingProcessor {
	counter := &countingProcessor{Processor: core.NewStateProcessor(h.chain)}
	h.chain.SetBlockValidatorAndProcessorForTesting(core.NewBlockValidator(h.chain.Config(), h.chain), h.builder.Processor(counter))
	return counter
}

// seal builds one block with a few transactions.
func (s *timed) seal() (*types.Block, *slot) {
	s.t.Helper()
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	slot.send(s.transfer(0, s.txpool.PoolNonce(s.addrs[0]), 5), s.tx(1, s.txpool.PoolNonce(s.addrs[1]), 4, &loggerAddr, 60_000, nil))
	slot.steps()
	return s.toBlock(slot.end(), slot.args), slot
}

// An own block is imported without being executed, and its receipts, logs and lookups are stored as if
// it had been.
func TestOwnBlockIsNotExecuted(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{rawdb.PathScheme, rawdb.HashScheme} {
		s := newTimed(t, harnessConfig{fork: jovian, scheme: scheme})
		counter := s.counted()
		plain := s.newChain()
		logs := make(chan []*types.Log, 8)
		sub := s.chain.SubscribeLogsEvent(logs)
		defer sub.Unsubscribe()
		for range 3 {
			block, _ := s.seal()
			testchain.Insert(t, s.chain, block)
			require.NoError(t, s.txpool.Sync())
			testchain.Insert(t, plain, block)
			require.Equal(t, plain.GetReceiptsByHash(block.Hash()), s.chain.GetReceiptsByHash(block.Hash()))
			list := <-logs
			require.Len(t, list, 1)
			require.Equal(t, block.Hash(), list[0].BlockHash)
			require.Equal(t, block.Transactions()[2].Hash(), list[0].TxHash)
			for _, fb := range s.stream.all() {
				require.NotContains(t, string(fb.V1), block.Hash().Hex()[2:], "the stream's receipts are not written to")
			}
		}
		require.Zero(t, counter.blocks)
		requireSameState(t, s.chain, plain)
	}
}

// What is not to be taken over is executed: when the flag is off, with a tracer, the second time, and a
// block that differs in anything.
func TestExecutedAfterAll(t *testing.T) {
	t.Parallel()
	t.Run("flag off", func(t *testing.T) {
		t.Parallel()
		s := newTimed(t, harnessConfig{fork: jovian, builder: func(c *Config) { c.ReuseExecution = false }})
		counter := s.counted()
		block, _ := s.seal()
		testchain.Insert(t, s.chain, block)
		require.Equal(t, 1, counter.blocks)
		require.Zero(t, s.builder.metrics.reused.Get())
	})
	t.Run("once only", func(t *testing.T) {
		t.Parallel()
		s := newTimed(t, harnessConfig{fork: jovian})
		block, slot := s.seal()
		require.NotNil(t, s.builder.takeSealed(block.Hash()))
		_, err := s.builder.GetPayload(slot.id)
		require.NoError(t, err)
		require.Nil(t, s.builder.takeSealed(block.Hash()), "a state is given away once")
		counter := s.counted()
		testchain.Insert(t, s.chain, block)
		require.Equal(t, 1, counter.blocks)
	})
	t.Run("by-products wanted", func(t *testing.T) {
		t.Parallel()
		s := newTimed(t, harnessConfig{fork: jovian})
		block, _ := s.seal()
		counter := s.counted()
		db, err := s.chain.State()
		require.NoError(t, err)
		proc := s.builder.Processor(counter)
		_, err = proc.Process(t.Context(), block, db, vm.Config{EnablePreimageRecording: true})
		require.NoError(t, err)
		require.Equal(t, 1, counter.blocks)
		testchain.Insert(t, s.chain, block)
		require.Equal(t, 1, counter.blocks, "the sealed state was kept")
	})
	t.Run("another block", func(t *testing.T) {
		t.Parallel()
		s := newTimed(t, harnessConfig{fork: jovian})
		block, _ := s.seal()
		header := block.Header()
		header.GasUsed++
		forged := types.NewBlockWithHeader(header).WithBody(*block.Body())
		counter := s.counted()
		_, err := s.chain.InsertBlockWithoutSetHead(t.Context(), forged, false)
		require.Error(t, err)
		require.Equal(t, 1, counter.blocks)
		testchain.Insert(t, s.chain, block)
		require.Equal(t, 1, counter.blocks)
	})
}

// A chain whose blocks were all handed over survives a reorganisation to blocks it has executed, and back.
func TestReorgOverOwnBlocks(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{rawdb.PathScheme, rawdb.HashScheme} {
		s := newTimed(t, harnessConfig{fork: isthmus, scheme: scheme})
		var own []*types.Block
		for range 4 {
			block, _ := s.seal()
			testchain.Insert(t, s.chain, block)
			require.NoError(t, s.txpool.Sync())
			own = append(own, block)
		}
		parent := s.chain.Genesis().Header()
		for range 3 { // another branch, which is executed
			args := s.attributes(parent)
			args.Random = common.Hash{0x99}
			slot := s.begin(args)
			slot.steps()
			block := s.toBlock(slot.end(), args)
			require.NotNil(t, s.builder.takeSealed(block.Hash()))
			testchain.Insert(t, s.chain, block)
			require.NoError(t, s.txpool.Sync())
			parent = block.Header()
		}
		require.EqualValues(t, 3, s.chain.CurrentBlock().Number.Uint64())
		_, err := s.chain.SetCanonical(own[3])
		require.NoError(t, err)
		db, err := s.chain.State()
		require.NoError(t, err)
		require.EqualValues(t, 4, db.GetNonce(s.addrs[0]))
	}
}
