// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

const (
	readers    = 64
	raceRounds = 6 // blocks, two of each kind
)

// Readers never meet two moments in one answer, whatever arrives while they read.
func TestPendingReadersSeeOneMoment(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.Flashblock(h.Poke())
	h.Settle(h.Seal())

	ctx, stop := context.WithCancel(t.Context())
	var (
		wg     sync.WaitGroup
		counts [len(raceChecks)]atomic.Int64
	)
	for i := range readers {
		kind := i % len(raceChecks)
		client := h.Follower.Stack.Attach()
		wg.Go(func() {
			defer client.Close()
			for ctx.Err() == nil {
				if err := raceChecks[kind](ctx, client); err != nil && ctx.Err() == nil {
					t.Errorf("reader %d: %v", kind, err)
					return
				}
				counts[kind].Add(1)
			}
		})
	}
	for round := range raceRounds {
		h.raceRound(round)
	}
	for i := range counts {
		require.Eventually(t, func() bool { return counts[i].Load() > 0 || t.Failed() }, ethtest.Patience, time.Millisecond, "reader %d read nothing", i)
	}
	stop()
	wg.Wait()
}

// raceRound lets a block arrive: as it was preconfirmed, on a pending parent, or as another one.
func (h *harness) raceRound(round int) {
	h.t.Helper()
	parent := h.Follower.Eth.BlockChain().CurrentBlock()
	h.Begin()
	h.Flashblock(h.Poke(), h.Poke())
	h.Flashblock(h.Poke())
	switch round % 3 {
	case 0:
		h.Settle(h.Seal())
	case 1:
		first := h.Seal()
		h.Begin()
		h.Flashblock(h.Poke())
		h.Settle(first)
		h.Settle(h.Seal())
	default: // the nonces come again, in a block that nobody announced
		h.Build(parent, byte(round))
		for len(h.Next().Diff.Transactions) == 0 {
			continue
		}
		h.Settle(h.Seal())
	}
}

// raceChecks make one request each and check that its answer agrees with itself.
var raceChecks = [...]func(context.Context, *rpc.Client) error{
	checkCall, checkBlock, checkReceipts, checkLogs, checkAccount, checkSimulation,
}

// checkCall compares the environment's number with the one that the block's transactions stored. A block
// that begins has the number before in its state.
func checkCall(ctx context.Context, client *rpc.Client) error {
	var out hexutil.Bytes
	if err := client.CallContext(ctx, &out, "eth_call", object{"to": ethtest.Probe}, "pending"); err != nil {
		return err
	}
	word := func(i int) *big.Int { return new(big.Int).SetBytes(out[32*i : 32*i+32]) }
	number, seconds, stored := word(0), word(1), word(3)
	if want := ethtest.GenesisTime + ethtest.BlockTime*number.Uint64(); seconds.Uint64() != want {
		return fmt.Errorf("block %v at time %v, want %d", number, seconds, want)
	}
	if stored.Cmp(number) > 0 || new(big.Int).Sub(number, stored).Cmp(common.Big1) > 0 {
		return fmt.Errorf("state of block %v under the environment of %v", stored, number)
	}
	return nil
}

type raceBlock struct {
	Number       hexutil.Uint64
	Timestamp    hexutil.Uint64
	GasUsed      hexutil.Uint64
	TxRoot       common.Hash `json:"transactionsRoot"`
	Transactions []struct {
		BlockNumber hexutil.Uint64
		Index       hexutil.Uint64 `json:"transactionIndex"`
	}
}

func checkBlock(ctx context.Context, client *rpc.Client) error {
	var block *raceBlock
	if err := client.CallContext(ctx, &block, "eth_getBlockByNumber", "pending", true); err != nil {
		return err
	}
	if block == nil {
		return fmt.Errorf("no pending block")
	}
	if want := ethtest.GenesisTime + ethtest.BlockTime*uint64(block.Number); uint64(block.Timestamp) != want {
		return fmt.Errorf("block %d at time %d, want %d", block.Number, block.Timestamp, want)
	}
	for i, tx := range block.Transactions {
		if tx.BlockNumber != block.Number || int(tx.Index) != i {
			return fmt.Errorf("transaction %d/%d in block %d at %d", tx.BlockNumber, tx.Index, block.Number, i)
		}
	}
	return nil
}

func checkReceipts(ctx context.Context, client *rpc.Client) error {
	var receipts []struct {
		BlockNumber hexutil.Uint64
		GasUsed     hexutil.Uint64
		Cumulative  hexutil.Uint64 `json:"cumulativeGasUsed"`
		Logs        []types.Log
	}
	if err := client.CallContext(ctx, &receipts, "eth_getBlockReceipts", "pending"); err != nil {
		return err
	}
	var gas hexutil.Uint64
	var logs uint
	for i, r := range receipts {
		gas += r.GasUsed
		if r.Cumulative != gas || r.BlockNumber != receipts[0].BlockNumber {
			return fmt.Errorf("receipt %d: cumulative gas %d, want %d, block %d", i, r.Cumulative, gas, r.BlockNumber)
		}
		for _, log := range r.Logs {
			if log.Index != logs || log.BlockNumber != uint64(r.BlockNumber) {
				return fmt.Errorf("log %d of block %d, want %d of %d", log.Index, log.BlockNumber, logs, r.BlockNumber)
			}
			logs++
		}
	}
	return nil
}

// checkLogs wants the count that the probe keeps: every log once and in order, across the boundary.
func checkLogs(ctx context.Context, client *rpc.Client) error {
	var logs []types.Log
	err := client.CallContext(ctx, &logs, "eth_getLogs", object{"fromBlock": "0x1", "toBlock": "pending"})
	if err != nil {
		return err
	}
	for i, log := range logs {
		if i == 0 {
			continue
		}
		last := logs[i-1]
		next := log.BlockNumber == last.BlockNumber && log.Index == last.Index+1
		if !next && (log.BlockNumber <= last.BlockNumber || log.Index != 0) {
			return fmt.Errorf("log %d/%d after %d/%d", log.BlockNumber, log.Index, last.BlockNumber, last.Index)
		}
	}
	return nil
}

// checkAccount asks for two slots of one state: the count never falls behind the blocks.
func checkAccount(ctx context.Context, client *rpc.Client) error {
	var out map[common.Address][]common.Hash
	slots := map[common.Address][]common.Hash{ethtest.Probe: {{}, {31: 1}}}
	if err := client.CallContext(ctx, &out, "eth_getStorageValues", slots, "pending"); err != nil {
		return err
	}
	number, count := out[ethtest.Probe][0].Big(), out[ethtest.Probe][1].Big()
	if number.Sign() == 0 || count.Sign() == 0 {
		return fmt.Errorf("count %v at block %v", count, number)
	}
	return nil
}

// checkSimulation wants the simulated block to follow the state it is simulated on.
func checkSimulation(ctx context.Context, client *rpc.Client) error {
	var out []struct {
		Number hexutil.Uint64
		Calls  []struct{ ReturnData hexutil.Bytes }
	}
	request := object{"blockStateCalls": []object{{"calls": []object{{"to": ethtest.Probe}}}}}
	if err := client.CallContext(ctx, &out, "eth_simulateV1", request, "pending"); err != nil {
		return err
	}
	read := out[0].Calls[0].ReturnData
	number, stored := new(big.Int).SetBytes(read[:32]), new(big.Int).SetBytes(read[96:128])
	if number.Uint64() != uint64(out[0].Number) || stored.Cmp(number) >= 0 {
		return fmt.Errorf("block %s simulated as %v on the state of block %v", strconv.FormatUint(uint64(out[0].Number), 10), number, stored)
	}
	return nil
}
