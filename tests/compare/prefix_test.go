// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package compare

import (
	"context"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/gasprice"
	"github.com/ethereum/go-ethereum/eth/tracers"
	"github.com/ethereum/go-ethereum/event"
	"github.com/ethereum/go-ethereum/internal/ethapi"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/ethereum/go-ethereum/trie"
)

// prefix is a canonical block cut off behind a number of transactions, with the state that executing
// these alone leaves. op-geth's own code makes the state, so nothing of flashgeth is in it.
type prefix struct {
	block    *types.Block
	receipts types.Receipts
	state    *state.StateDB
}

// prefixBackend is op-geth's backend on a chain whose newest block is a prefix.
type prefixBackend struct {
	*gethEth.EthAPIBackend
	fees gasprice.Config
	now  *prefix
}

// cut makes the prefix of a canonical block with n transactions, at least one.
func (b *prefixBackend) cut(t testing.TB, block *types.Block, receipts types.Receipts, n int) *prefix {
	t.Helper()
	header := types.CopyHeader(block.Header())
	header.GasUsed = receipts[n-1].CumulativeGasUsed
	header.Bloom = types.MergeBloom(receipts[:n])
	header.ReceiptHash = types.DeriveSha(receipts[:n], trie.NewStackTrie(nil))
	header.TxHash = types.DeriveSha(block.Transactions()[:n], trie.NewStackTrie(nil))
	if b.ChainConfig().IsJovian(header.Time) {
		footprint := uint64(0)
		for _, receipt := range receipts[:n] {
			footprint += receipt.BlobGasUsed
		}
		header.BlobGasUsed = &footprint
	}
	body := *block.Body()
	body.Transactions = body.Transactions[:n]
	p := &prefix{block: types.NewBlockWithHeader(header).WithBody(body), receipts: receipts[:n]}
	var (
		release tracers.StateReleaseFunc
		err     error
	)
	if n < len(block.Transactions()) {
		_, _, p.state, release, err = b.EthAPIBackend.StateAtTransaction(t.Context(), block, n, 0)
	} else {
		p.state, release, err = b.EthAPIBackend.StateAtBlock(t.Context(), block, 0, nil, true, false)
	}
	require.NoError(t, err)
	t.Cleanup(release)
	return p
}

// serve opens a server with the APIs of op-geth on the backend.
func (b *prefixBackend) serve(t testing.TB) *rpc.Client {
	t.Helper()
	server := rpc.NewServer()
	for _, api := range []rpc.API{
		{Namespace: "eth", Service: ethapi.NewEthereumAPI(b)},
		{Namespace: "eth", Service: ethapi.NewBlockChainAPI(b)},
		{Namespace: "eth", Service: ethapi.NewTransactionAPI(b, new(ethapi.AddrLocker))},
		{Namespace: "debug", Service: ethapi.NewDebugAPI(b)},
		{Namespace: "debug", Service: tracers.NewAPI(b)},
	} {
		require.NoError(t, server.RegisterName(api.Namespace, api.Service))
	}
	t.Cleanup(server.Stop)
	client := rpc.DialInProc(server)
	t.Cleanup(client.Close)
	return client
}

func (b *prefixBackend) isNumber(number rpc.BlockNumber) bool {
	return number >= 0 && uint64(number) == b.now.block.NumberU64()
}

func (b *prefixBackend) is(at rpc.BlockNumberOrHash) bool {
	if hash, ok := at.Hash(); ok {
		return hash == b.now.block.Hash()
	}
	number, ok := at.Number()
	return ok && b.isNumber(number)
}

// HeaderByNumber implements ethapi.Backend.
func (b *prefixBackend) HeaderByNumber(ctx context.Context, number rpc.BlockNumber) (*types.Header, error) {
	if b.isNumber(number) {
		return b.now.block.Header(), nil
	}
	return b.EthAPIBackend.HeaderByNumber(ctx, number)
}

// HeaderByNumberOrHash implements ethapi.Backend.
func (b *prefixBackend) HeaderByNumberOrHash(ctx context.Context, at rpc.BlockNumberOrHash) (*types.Header, error) {
	if b.is(at) {
		return b.now.block.Header(), nil
	}
	return b.EthAPIBackend.HeaderByNumberOrHash(ctx, at)
}

// HeaderByHash implements ethapi.Backend.
func (b *prefixBackend) HeaderByHash(ctx context.Context, hash common.Hash) (*types.Header, error) {
	if hash == b.now.block.Hash() {
		return b.now.block.Header(), nil
	}
	return b.EthAPIBackend.HeaderByHash(ctx, hash)
}

// BlockByNumber implements ethapi.Backend.
func (b *prefixBackend) BlockByNumber(ctx context.Context, number rpc.BlockNumber) (*types.Block, error) {
	if b.isNumber(number) {
		return b.now.block, nil
	}
	return b.EthAPIBackend.BlockByNumber(ctx, number)
}

// BlockByNumberOrHash implements ethapi.Backend.
func (b *prefixBackend) BlockByNumberOrHash(ctx context.Context, at rpc.BlockNumberOrHash) (*types.Block, error) {
	if b.is(at) {
		return b.now.block, nil
	}
	return b.EthAPIBackend.BlockByNumberOrHash(ctx, at)
}

// BlockByHash implements ethapi.Backend.
func (b *prefixBackend) BlockByHash(ctx context.Context, hash common.Hash) (*types.Block, error) {
	if hash == b.now.block.Hash() {
		return b.now.block, nil
	}
	return b.EthAPIBackend.BlockByHash(ctx, hash)
}

// GetReceipts implements ethapi.Backend.
func (b *prefixBackend) GetReceipts(ctx context.Context, hash common.Hash) (types.Receipts, error) {
	if hash == b.now.block.Hash() {
		return b.now.receipts, nil
	}
	return b.EthAPIBackend.GetReceipts(ctx, hash)
}

// StateAndHeaderByNumber implements ethapi.Backend.
func (b *prefixBackend) StateAndHeaderByNumber(ctx context.Context, number rpc.BlockNumber) (*state.StateDB, *types.Header, error) {
	if b.isNumber(number) {
		return b.now.state.Copy(), b.now.block.Header(), nil
	}
	return b.EthAPIBackend.StateAndHeaderByNumber(ctx, number)
}

// StateAndHeaderByNumberOrHash implements ethapi.Backend.
func (b *prefixBackend) StateAndHeaderByNumberOrHash(ctx context.Context, at rpc.BlockNumberOrHash) (*state.StateDB, *types.Header, error) {
	if b.is(at) {
		return b.now.state.Copy(), b.now.block.Header(), nil
	}
	return b.EthAPIBackend.StateAndHeaderByNumberOrHash(ctx, at)
}

// StateAtBlock implements tracers.Backend.
func (b *prefixBackend) StateAtBlock(ctx context.Context, block *types.Block, reexec uint64, base *state.StateDB, readOnly, preferDisk bool) (*state.StateDB, tracers.StateReleaseFunc, error) {
	if block.Hash() == b.now.block.Hash() {
		return b.now.state.Copy(), func() {}, nil
	}
	return b.EthAPIBackend.StateAtBlock(ctx, block, reexec, base, readOnly, preferDisk)
}

// FeeHistory implements ethapi.Backend. The node's own oracle keeps what it computes by number.
func (b *prefixBackend) FeeHistory(ctx context.Context, blocks uint64, last rpc.BlockNumber, percentiles []float64) (*big.Int, [][]*big.Int, []*big.Int, []float64, []*big.Int, []float64, error) {
	return gasprice.NewOracle(&unsubscribed{b}, b.fees, nil).FeeHistory(ctx, blocks, last, percentiles)
}

// unsubscribed keeps an oracle from starting what would outlive its request.
type unsubscribed struct{ *prefixBackend }

// SubscribeChainHeadEvent implements gasprice.OracleBackend.
func (*unsubscribed) SubscribeChainHeadEvent(chan<- core.ChainHeadEvent) event.Subscription {
	return nil
}
