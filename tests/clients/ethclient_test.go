// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package clients

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"math/big"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/ethclient/gethclient"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
)

// The devnet's token, with an event per transfer, and a contract that creates another at every call.
var (
	token         = common.HexToAddress("0xf1a5000000000000000000000000000000000004")
	transferTopic = crypto.Keccak256Hash([]byte("Transfer(address,address,uint256)"))
	factory       = common.FromHex("0x600e80600b6000396000f36133ff6000526002601e6000f000")
	pending       = big.NewInt(int64(rpc.PendingBlockNumber))
)

// transferCall is the calldata of a transfer that the holder of nothing can make, or with all set cannot.
func transferCall(all bool) []byte {
	data := append(crypto.Keccak256([]byte("transfer(address,uint256)"))[:4], make([]byte, 64)...)
	if all {
		data[4+32] = 0xff
	}
	return data
}

// user drives an ethclient as one account.
type user struct {
	*ethclient.Client
	t       *testing.T
	at      target
	key     *ecdsa.PrivateKey
	address common.Address
	signer  types.Signer
	flash   time.Duration
}

func newUser(t *testing.T, n *network, at target, hex string) *user {
	t.Helper()
	key, err := crypto.HexToECDSA(hex[2:])
	require.NoError(t, err)
	return &user{
		Client: at.dial(t), t: t, at: at, key: key, address: crypto.PubkeyToAddress(key.PublicKey),
		signer: types.LatestSignerForChainID(new(big.Int).SetUint64(n.ends.ChainID)),
		flash:  n.Config().Interval,
	}
}

// testEthclient goes through the acceptance list with ethclient.
func testEthclient(t *testing.T, n *network, at target, keys []string) {
	t.Helper()
	u, authority := newUser(t, n, at, keys[0]), newUser(t, n, at, keys[1])
	u.testReads()
	u.testReceipts()
	u.testSync()
	u.testLogs()
	u.testNonces(authority)
	u.testSubscriptions()
}

// nonce is the account's nonce at pending.
func (u *user) nonce(of common.Address) uint64 {
	u.t.Helper()
	nonce, err := u.PendingNonceAt(u.t.Context(), of)
	require.NoError(u.t, err)
	return nonce
}

// tx signs a call.
func (u *user) tx(nonce uint64, to *common.Address, data []byte) *types.Transaction {
	u.t.Helper()
	tx, err := types.SignNewTx(u.key, u.signer, &types.DynamicFeeTx{
		ChainID: u.signer.ChainID(), Nonce: nonce, Gas: 300_000, To: to, Value: new(big.Int), Data: data,
		GasTipCap: big.NewInt(params.GWei), GasFeeCap: big.NewInt(100 * params.GWei),
	})
	require.NoError(u.t, err)
	return tx
}

// next signs a token transfer with the next nonce.
func (u *user) next() *types.Transaction {
	return u.tx(u.nonce(u.address), &token, transferCall(false))
}

// receipt waits for a receipt, pending or not.
func (u *user) receipt(hash common.Hash, good func(*types.Receipt) bool) *types.Receipt {
	u.t.Helper()
	var receipt *types.Receipt
	require.Eventually(u.t, func() bool {
		r, err := u.TransactionReceipt(u.t.Context(), hash)
		receipt = r
		return err == nil && good(r)
	}, patience, poll, "a receipt of %v", hash)
	return receipt
}

func preconfirmed(*types.Receipt) bool { return true }
func canonical(r *types.Receipt) bool  { return r.BlockHash != common.Hash{} }

// testReads reads at pending, over several slots.
func (u *user) testReads() {
	u.t.Helper()
	ctx, call := u.t.Context(), ethereum.CallMsg{From: u.address, To: &token, Data: transferCall(false)}
	start, err := u.BlockNumber(ctx)
	require.NoError(u.t, err)
	for {
		number, err := u.BlockNumber(ctx)
		require.NoError(u.t, err)
		block, err := u.BlockByNumber(ctx, pending) // ethclient checks the roots of lists against their lists
		require.NoError(u.t, err)
		require.GreaterOrEqual(u.t, block.NumberU64(), number)
		_, err = u.PendingTransactionCount(ctx)
		require.NoError(u.t, err)
		balance, err := u.PendingBalanceAt(ctx, u.address)
		require.NoError(u.t, err)
		require.Positive(u.t, balance.Sign())
		code, err := u.PendingCodeAt(ctx, token)
		require.NoError(u.t, err)
		require.NotEmpty(u.t, code)
		_, err = u.PendingStorageAt(ctx, token, common.Hash{})
		require.NoError(u.t, err)
		_, err = u.PendingCallContract(ctx, call)
		require.NoError(u.t, err)
		gas, err := u.EstimateGas(ctx, call)
		require.NoError(u.t, err)
		require.Greater(u.t, gas, uint64(21_000))
		_, gas, _, err = gethclient.New(u.Client.Client()).CreateAccessList(ctx, call)
		require.NoError(u.t, err)
		require.Greater(u.t, gas, uint64(21_000))
		receipts, err := u.BlockReceipts(ctx, rpc.BlockNumberOrHashWithNumber(rpc.PendingBlockNumber))
		require.NoError(u.t, err)
		require.NotEmpty(u.t, receipts)
		fees, err := u.FeeHistory(ctx, 4, pending, []float64{50})
		require.NoError(u.t, err)
		require.NotEmpty(u.t, fees.Reward)
		if number >= start+2 {
			return
		}
	}
}

// testReceipts compares a preconfirmed receipt with the canonical one.
func (u *user) testReceipts() {
	u.t.Helper()
	tx := u.next()
	require.NoError(u.t, u.SendTransaction(u.t.Context(), tx))
	first := u.receipt(tx.Hash(), preconfirmed)
	found, _, err := u.TransactionByHash(u.t.Context(), tx.Hash())
	require.NoError(u.t, err)
	require.Equal(u.t, tx.Hash(), found.Hash())
	last := u.receipt(tx.Hash(), canonical)
	require.Len(u.t, last.Logs, 1)
	last.BlockHash, last.Logs[0].BlockHash = first.BlockHash, first.Logs[0].BlockHash
	require.Equal(u.t, last, first)
}

// codedError is an error as it comes over RPC.
type codedError interface {
	rpc.Error
	rpc.DataError
}

// testSync is SendTransactionSync with every form of timeout.
func (u *user) testSync() {
	u.t.Helper()
	ctx := u.t.Context()
	minute, day := time.Minute, 24*time.Hour
	for _, timeout := range []*time.Duration{nil, &minute, &day} {
		tx := u.next()
		receipt, err := u.SendTransactionSync(ctx, tx, timeout)
		require.NoError(u.t, err)
		require.Equal(u.t, tx.Hash(), receipt.TxHash)
		require.Equal(u.t, types.ReceiptStatusSuccessful, receipt.Status)
	}
	reverted, err := u.SendTransactionSync(ctx, u.tx(u.nonce(u.address), &token, transferCall(true)), nil)
	require.NoError(u.t, err)
	require.Equal(u.t, types.ReceiptStatusFailed, reverted.Status)

	var failed codedError
	var tx *types.Transaction
	for short := time.Millisecond; err == nil; { // a flashblock may come within it
		tx = u.next()
		_, err = u.SendTransactionSync(ctx, tx, &short)
		u.receipt(tx.Hash(), preconfirmed)
	}
	require.ErrorAs(u.t, err, &failed)
	require.Equal(u.t, 4, failed.ErrorCode())
	require.Equal(u.t, tx.Hash().Hex(), failed.ErrorData())
	_, err = u.SendTransactionSync(ctx, tx, &minute)
	if err != nil {
		require.Regexp(u.t, "already known|nonce too low", err)
	}

	gap, wait := u.tx(u.nonce(u.address)+1, &token, transferCall(false)), 3*u.flash
	_, err = u.SendTransactionSync(ctx, gap, &wait)
	require.ErrorAs(u.t, err, &failed)
	require.Equal(u.t, 4, failed.ErrorCode())
	require.Equal(u.t, gap.Hash().Hex(), failed.ErrorData())
	_, err = u.SendTransactionSync(ctx, u.next(), nil)
	require.NoError(u.t, err)
	u.receipt(gap.Hash(), preconfirmed)
}

// testLogs queries logs up to pending.
func (u *user) testLogs() {
	u.t.Helper()
	ctx := u.t.Context()
	receipt, err := u.SendTransactionSync(ctx, u.next(), nil)
	require.NoError(u.t, err)
	has := func(query ethereum.FilterQuery) bool {
		query.Addresses, query.Topics = []common.Address{token}, [][]common.Hash{{transferTopic}}
		logs, err := u.FilterLogs(ctx, query)
		require.NoError(u.t, err)
		for _, log := range logs {
			if log.TxHash == receipt.TxHash {
				return true
			}
		}
		return false
	}
	require.True(u.t, has(ethereum.FilterQuery{FromBlock: receipt.BlockNumber, ToBlock: pending}))
	if !has(ethereum.FilterQuery{FromBlock: pending, ToBlock: pending}) {
		number, err := u.BlockNumber(ctx)
		require.NoError(u.t, err)
		require.GreaterOrEqual(u.t, number+1, receipt.BlockNumber.Uint64())
	}
	hash := u.receipt(receipt.TxHash, canonical).BlockHash
	require.True(u.t, has(ethereum.FilterQuery{BlockHash: &hash}))
}

// testNonces is about nonces that change in other ways than by a canonical block.
func (u *user) testNonces(authority *user) {
	u.t.Helper()
	ctx, nonce := u.t.Context(), u.nonce(u.address)
	for i := range uint64(2) {
		_, err := u.SendTransactionSync(ctx, u.tx(nonce+i, &token, transferCall(false)), nil)
		require.NoError(u.t, err)
		require.Equal(u.t, nonce+i+1, u.nonce(u.address))
	}
	queued := u.tx(nonce+2, &token, transferCall(false))
	require.NoError(u.t, u.SendTransaction(ctx, queued))
	require.Equal(u.t, nonce+3, u.nonce(u.address))

	before := u.nonce(authority.address)
	auth, err := types.SignSetCode(authority.key, types.SetCodeAuthorization{
		ChainID: *uint256.MustFromBig(u.signer.ChainID()), Address: token, Nonce: before,
	})
	require.NoError(u.t, err)
	tx, err := types.SignNewTx(u.key, u.signer, &types.SetCodeTx{
		ChainID: uint256.MustFromBig(u.signer.ChainID()), Nonce: nonce + 3, Gas: 300_000, To: token, Data: transferCall(false),
		GasTipCap: uint256.NewInt(params.GWei), GasFeeCap: uint256.NewInt(100 * params.GWei), AuthList: []types.SetCodeAuthorization{auth},
	})
	require.NoError(u.t, err)
	_, err = u.SendTransactionSync(ctx, tx, nil)
	require.NoError(u.t, err)
	require.Equal(u.t, before+1, u.nonce(authority.address))

	created, err := u.SendTransactionSync(ctx, u.tx(u.nonce(u.address), nil, factory), nil)
	require.NoError(u.t, err)
	require.Equal(u.t, uint64(1), u.nonce(created.ContractAddress))
	_, err = u.SendTransactionSync(ctx, u.tx(u.nonce(u.address), &created.ContractAddress, nil), nil)
	require.NoError(u.t, err)
	require.Equal(u.t, uint64(2), u.nonce(created.ContractAddress))
}

// testSubscriptions subscribes to every kind.
func (u *user) testSubscriptions() {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.t.Context(), patience)
	defer cancel()
	var (
		kinds = map[string][]any{
			"blocks":               {"newFlashblocks"},
			"logs":                 {"pendingLogs"},
			"logs of the token":    {"pendingLogs", map[string]any{"address": token}},
			"hashes":               {"newFlashblockTransactions"},
			"transactions":         {"newFlashblockTransactions", true},
			"transactions of logs": {"newFlashblockTransactions", map[string]any{"address": token, "topics": []common.Hash{transferTopic}}},
		}
		came = make(chan string, 4096)
		open []*rpc.ClientSubscription
	)
	for name, params := range kinds {
		items := make(chan json.RawMessage, 4096)
		sub, err := u.Client.Client().EthSubscribe(ctx, items, params...)
		require.NoError(u.t, err, name)
		open = append(open, sub)
		go func() {
			for {
				select {
				case <-items:
					came <- name
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	missing := len(kinds)
	seen := make(map[string]bool)
	_, err := u.SendTransactionSync(ctx, u.next(), nil)
	require.NoError(u.t, err)
	for missing > 0 {
		select {
		case name := <-came:
			if !seen[name] {
				seen[name] = true
				missing--
			}
		case <-ctx.Done():
			require.Failf(u.t, "subscriptions are silent", "heard of %v", seen)
		}
	}
	for _, sub := range open {
		sub.Unsubscribe()
	}
}
