// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"encoding/binary"
	"math/big"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// fullBlocks makes blocks of 60 million gas, each of transfers to as many new accounts.
func fullBlocks(b *testing.B, count int) (*source, types.Blocks) {
	b.Helper()
	const senders, each, gas = 700, 4, 60_000_000
	s := &source{t: b, Chain: testchain.New(b, testchain.Config{Fork: testchain.Jovian, GasLimit: gas, Accounts: senders, Scalar: 1})}
	s.miner = gethminer.New(s, gethminer.Config{GasCeil: gas, GasPrice: big.NewInt(1), Recommit: 10 * time.Second}, s.BlockChain().Engine())
	var blocks types.Blocks
	for n := range count {
		args := s.Attributes(s.BlockChain().CurrentBlock())
		for i := range senders * each {
			var to common.Address
			binary.BigEndian.PutUint64(to[:], uint64(n*senders*each+i+1)*0x9e3779b97f4a7c15)
			args.Transactions = append(args.Transactions, types.MustSignNewTx(s.Keys[i%senders], s.Signer, &types.DynamicFeeTx{
				ChainID: s.BlockChain().Config().ChainID, Nonce: uint64(n*each + i/senders), Gas: 21_000, To: &to, Value: common.Big1,
				GasTipCap: common.Big1, GasFeeCap: big.NewInt(100 * gethparams.GWei),
			}))
		}
		args.NoTxPool = true
		payload, err := s.miner.BuildPayload(b.Context(), args, false)
		require.NoError(b, err)
		block := s.Block(payload.ResolveFull(), args)
		require.Greater(b, block.GasUsed(), uint64(gas*9/10))
		s.Insert(block)
		blocks = append(blocks, block)
	}
	return s, blocks
}

// processorTime is what this process has used of the processors so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkRecover measures what a full block costs when it is made again after a crash, from the journal and by execution.
func BenchmarkRecover(b *testing.B) {
	s, blocks := fullBlocks(b, 24)
	file := writeBlocks(b, blocks)
	for _, how := range []string{"journal", "execution"} {
		b.Run(how, func(b *testing.B) {
			var spent time.Duration
			for range b.N {
				b.StopTimer()
				cfg := childConfig{
					Dir: b.TempDir(), Blocks: file, Genesis: s.Genesis, Mode: mode{Scheme: rawdb.PathScheme}, Unsafe: true, Bare: how == "execution",
				}
				crashed(b, cfg)
				stack, ethCfg, err := newStack(cfg.Dir, cfg.Mode, s.Genesis)
				require.NoError(b, err)
				journal, err := readContents(stack.ResolvePath(journalDir))
				require.NoError(b, err)
				b.StartTimer()
				begin := processorTime(b)
				require.NoError(b, recoverChain(stack, ethCfg, journal))
				spent += processorTime(b) - begin
				b.StopTimer()
				require.NoError(b, stack.Close())
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N*len(blocks)), "ms/block")
			b.ReportMetric(float64(spent.Milliseconds())/float64(b.N*len(blocks)), "cpu-ms/block")
		})
	}
}

// BenchmarkImport measures what the journal adds to newPayload of a full block.
func BenchmarkImport(b *testing.B) {
	s, blocks := fullBlocks(b, 24)
	for _, how := range []string{"without", "with"} {
		b.Run(how, func(b *testing.B) {
			var spent, used time.Duration
			for range b.N {
				stack, cfg, err := newStack(b.TempDir(), mode{Scheme: rawdb.PathScheme}, s.Genesis)
				require.NoError(b, err)
				if how == "with" {
					require.NoError(b, Prepare(stack, cfg))
				}
				n, err := assemble(stack, cfg)
				require.NoError(b, err)
				before := processorTime(b)
				for _, block := range blocks {
					begin := time.Now()
					_, err := n.newPayload(block)
					spent += time.Since(begin)
					require.NoError(b, err)
					_, err = n.forkchoice(block, nil)
					require.NoError(b, err)
				}
				used += processorTime(b) - before
				n.close()
			}
			b.ReportMetric(float64(used.Milliseconds())/float64(b.N*len(blocks)), "cpu-ms/block")
			b.ReportMetric(float64(spent.Microseconds())/1000/float64(b.N*len(blocks)), "ms/block")
		})
	}
}
