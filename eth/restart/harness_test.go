// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/log"
	gethminer "github.com/ethereum/go-ethereum/miner"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		if err := runChild(); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	log.SetDefault(log.NewLogger(log.DiscardHandler()))
	os.Exit(m.Run())
}

// mode is how a node keeps its state.
type mode struct {
	Scheme  string
	Archive bool
}

func (m mode) String() string {
	if m.Archive {
		return m.Scheme + "-archive"
	}
	return m.Scheme + "-full"
}

var allModes = []mode{{rawdb.PathScheme, false}, {rawdb.PathScheme, true}, {rawdb.HashScheme, false}, {rawdb.HashScheme, true}}

// source makes blocks that nodes are given.
type source struct {
	*testchain.Chain

	t     testing.TB
	miner *gethminer.Miner
	mix   *testchain.Mix
}

func newSource(t testing.TB, seed int64) *source {
	t.Helper()
	s := &source{t: t, Chain: testchain.New(t, testchain.Config{Fork: testchain.Jovian})}
	s.miner = gethminer.New(s, gethminer.Config{GasCeil: s.Config.GasLimit, GasPrice: big.NewInt(1), Recommit: 20 * time.Millisecond}, s.BlockChain().Engine())
	mix, deploy := testchain.NewMix(s.Chain, seed)
	s.mix = mix
	s.Send(deploy...)
	return s
}

// block makes the next block, of random transactions and deposits.
func (s *source) block() *types.Block {
	s.t.Helper()
	s.Send(s.mix.Txs(6)...)
	args := s.Attributes(s.BlockChain().CurrentBlock(), s.mix.Deposits()...)
	payload, err := s.miner.BuildPayload(s.t.Context(), args, false)
	require.NoError(s.t, err)
	payload.WaitFull()
	block := s.Block(payload.ResolveFull(), args)
	s.Insert(block)
	return block
}

// blocks makes n blocks.
func (s *source) blocks(n int) types.Blocks {
	s.t.Helper()
	var blocks types.Blocks
	for range n {
		blocks = append(blocks, s.block())
	}
	return blocks
}

// testNode is op-geth's eth service over a data directory, with the keeper before it.
type testNode struct {
	stack    *node.Node
	ethereum *gethEth.Ethereum
	keeper   *Keeper
	unsafe   bool // nothing is safe or finalized, and so nothing is frozen
}

// newStack makes a node with a data directory, and the configuration of its eth service.
func newStack(dir string, m mode, genesis *core.Genesis) (*node.Node, *ethconfig.Config, error) {
	cfg := ethconfig.Defaults
	cfg.Genesis, cfg.NetworkId = genesis, genesis.Config.ChainID.Uint64()
	cfg.SyncMode = ethconfig.FullSync
	cfg.StateScheme, cfg.NoPruning = m.Scheme, m.Archive
	cfg.LogNoHistory = true
	cfg.TxPool.Journal = ""
	stack, err := node.New(&node.Config{
		Name: "geth", DataDir: dir,
		P2P: p2p.Config{NoDiscovery: true, NoDial: true, ListenAddr: "127.0.0.1:0"},
	})
	return stack, &cfg, err
}

// openNode makes a node as flashgeth does: it is prepared, then comes the eth service, then the keeper.
func openNode(dir string, m mode, genesis *core.Genesis) (*testNode, error) {
	stack, cfg, err := newStack(dir, m, genesis)
	if err != nil {
		return nil, err
	}
	if err := Prepare(stack, cfg); err != nil {
		return nil, errors.Join(err, stack.Close())
	}
	return assemble(stack, cfg)
}

// assemble makes the services of a node.
func assemble(stack *node.Node, cfg *ethconfig.Config) (n *testNode, err error) {
	n = &testNode{stack: stack}
	if n.ethereum, err = gethEth.New(stack, cfg); err != nil {
		return nil, errors.Join(err, stack.Close())
	}
	if n.keeper, err = New(stack, n.ethereum, cfg.NoPruning, func(engine.ForkchoiceStateV1) error { return nil }); err != nil {
		return nil, err
	}
	return n, n.keeper.Start(context.Background())
}

// open is openNode for a test, at whose end the node is closed.
func open(t testing.TB, dir string, m mode, genesis *core.Genesis) *testNode {
	t.Helper()
	n, err := openNode(dir, m, genesis)
	require.NoError(t, err)
	t.Cleanup(n.close)
	return n
}

func (n *testNode) chain() *core.BlockChain { return n.ethereum.BlockChain() }

// close ends the node in good order; a second time it does nothing.
func (n *testNode) close() {
	if n.stack == nil {
		return
	}
	_ = n.keeper.Stop()
	_ = n.ethereum.TxPool().Close()
	n.chain().Stop()
	awaitGenerators()
	_ = n.stack.Close()
	_ = Closed(n.stack)
	n.stack = nil
}

// awaitGenerators waits for the goroutines that generate the hash scheme's snapshots. op-geth ends them when it stops the chain,
// but they read the database for a moment longer. Those of other nodes wait for their end, or come to that.
func awaitGenerators() {
	stacks := make([]byte, 8<<20)
	for {
		busy := false
		for goroutine := range bytes.SplitSeq(stacks[:runtime.Stack(stacks, true)], []byte("\n\n")) {
			state, _, _ := bytes.Cut(goroutine, []byte("\n"))
			busy = busy || bytes.Contains(goroutine, []byte("snapshot.(*diskLayer).generate(")) && !bytes.Contains(state, []byte("[chan receive"))
		}
		if !busy {
			return
		}
		runtime.Gosched()
	}
}

// newPayload sends a block as a consensus client does.
func (n *testNode) newPayload(block *types.Block) (engine.PayloadStatusV1, error) {
	data := engine.BlockToExecutableData(block, nil, nil, nil).ExecutionPayload
	return n.keeper.ConsensusAPI().NewPayloadV4(context.Background(), *data, []common.Hash{}, block.BeaconRoot(), []hexutil.Bytes{})
}

// forkchoice sets a head, with the block before it as safe and finalized.
func (n *testNode) forkchoice(head *types.Block, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
	state := engine.ForkchoiceStateV1{HeadBlockHash: head.Hash()}
	if !n.unsafe {
		state.SafeBlockHash, state.FinalizedBlockHash = head.ParentHash(), head.ParentHash()
	}
	return n.keeper.ConsensusAPI().ForkchoiceUpdatedV3(context.Background(), state, attrs)
}

// extend sends a block, and makes it the head once that was answered VALID.
func (n *testNode) extend(block *types.Block, valid func()) error {
	status, err := n.newPayload(block)
	if err != nil || status.Status != engine.VALID {
		return fmt.Errorf("newPayload %d: %s, %w", block.NumberU64(), status.Status, err)
	}
	valid()
	res, err := n.forkchoice(block, nil)
	if err != nil || res.PayloadStatus.Status != engine.VALID {
		return fmt.Errorf("forkchoiceUpdated %d: %s, %w", block.NumberU64(), res.PayloadStatus.Status, err)
	}
	return nil
}

// attributes are those of the block after parent.
func (s *source) attributes(parent *types.Header) *engine.PayloadAttributes {
	s.t.Helper()
	args := s.Attributes(parent)
	attrs := &engine.PayloadAttributes{
		Timestamp: args.Timestamp, Random: args.Random, SuggestedFeeRecipient: args.FeeRecipient, Withdrawals: args.Withdrawals,
		BeaconRoot: args.BeaconRoot, NoTxPool: true, GasLimit: args.GasLimit, EIP1559Params: args.EIP1559Params, MinBaseFee: args.MinBaseFee,
	}
	for _, tx := range args.Transactions {
		raw, err := tx.MarshalBinary()
		require.NoError(s.t, err)
		attrs.Transactions = append(attrs.Transactions, raw)
	}
	return attrs
}
