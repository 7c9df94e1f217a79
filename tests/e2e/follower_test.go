// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// followerNode is the follower of a devnet as its clients see it.
type followerNode struct {
	*network
	client *ethclient.Client
}

func (n *network) follower() *followerNode {
	n.t.Helper()
	client, err := ethclient.DialContext(n.t.Context(), n.ends.FollowerRPC)
	require.NoError(n.t, err)
	n.t.Cleanup(client.Close)
	return &followerNode{network: n, client: client}
}

// readiness asks /readyz. An endpoint that is down is not ready.
func (f *followerNode) readiness() (ready bool, reason string) {
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, f.ends.FollowerRPC+"/readyz", nil)
	require.NoError(f.t, err)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, "down"
	}
	defer func() { _ = res.Body.Close() }()
	var body struct {
		Ready  bool   `json:"ready"`
		Reason string `json:"reason"`
	}
	require.NoError(f.t, json.NewDecoder(res.Body).Decode(&body))
	require.Equal(f.t, body.Ready, res.StatusCode == http.StatusOK)
	return body.Ready, body.Reason
}

// awaitReady waits for a readiness.
func (f *followerNode) awaitReady(want bool, what string) {
	f.t.Helper()
	begin := time.Now()
	require.Eventually(f.t, func() bool { ready, _ := f.readiness(); return ready == want }, patience, 50*time.Millisecond, what)
	f.t.Logf("%s after %v", what, time.Since(begin).Round(time.Millisecond))
}

// requireSameChain waits until the follower has the sequencer's block of a number.
func (f *followerNode) requireSameChain(number uint64) {
	f.t.Helper()
	want := f.block(number).Hash()
	require.Eventually(f.t, func() bool {
		block, err := f.client.HeaderByNumber(f.t.Context(), new(big.Int).SetUint64(number))
		return err == nil && block.Hash() == want
	}, patience, 50*time.Millisecond, "block %d of the sequencer", number)
}

// preconfirm sends a transaction to the follower, from one of the accounts, and returns when the follower has its receipt, before the
// block is sealed or after.
func (f *followerNode) preconfirm(from int, nonce uint64) (took time.Duration, preconfirmed bool) {
	f.t.Helper()
	key, err := crypto.HexToECDSA(strings.TrimPrefix(f.ends.Keys[from], "0x"))
	require.NoError(f.t, err)
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(new(big.Int).SetUint64(f.ends.ChainID)), &types.DynamicFeeTx{
		ChainID: new(big.Int).SetUint64(f.ends.ChainID), Nonce: nonce, Gas: 21_000, To: &common.Address{1},
		GasTipCap: big.NewInt(params.GWei), GasFeeCap: big.NewInt(100 * params.GWei),
	})
	require.NoError(f.t, err)
	raw, err := tx.MarshalBinary()
	require.NoError(f.t, err)
	var receipt struct {
		TransactionHash common.Hash    `json:"transactionHash"`
		BlockHash       common.Hash    `json:"blockHash"`
		Status          hexutil.Uint64 `json:"status"`
	}
	begin := time.Now()
	require.NoError(f.t, f.client.Client().CallContext(f.t.Context(), &receipt, "eth_sendRawTransactionSync", hexutil.Bytes(raw), patience.Milliseconds()))
	require.Equal(f.t, tx.Hash(), receipt.TransactionHash)
	require.Equal(f.t, hexutil.Uint64(1), receipt.Status)
	return time.Since(begin), receipt.BlockHash == common.Hash{}
}

// TestFollower runs a follower with an op-node of its own beside the sequencer: it preconfirms what is
// sent to it, turns red and falls back to latest while the sequencer's node is down, and comes back by
// itself from the loss of its stream and from its own.
func TestFollower(t *testing.T) {
	t.Parallel()
	n := boot(t, options{load: 30, follower: true})
	f := n.follower()
	n.awaitHead(4)
	f.awaitReady(true, "the follower is ready")
	f.requireSameChain(4)
	var nonce uint64
	for range 5 {
		f.requirePreconfirms(0, &nonce)
	}

	n.KillNode()
	harness.Eventually(t, "the loss of the stream is seen", func() bool {
		_, reason := f.readiness()
		return reason == "no flashblocks stream is connected"
	})
	n.revive()
	f.awaitReady(true, "ready again after the sequencer's crash")
	head := n.head()
	n.awaitHead(head + 3)
	f.requireSameChain(head + 3)

	n.KillFollower()
	head = n.head()
	require.NoError(t, n.StartFollower(t.Context()))
	f.awaitReady(true, "ready again after its own crash")
	n.awaitHead(head + 3)
	f.requireSameChain(head + 3)
	nonce = 0 // of another account: the crash may have taken transactions of the first one with it
	for range 3 {
		f.requirePreconfirms(1, &nonce)
	}
}
