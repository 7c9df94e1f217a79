// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// TestTopology runs everything that an operator and an RPC provider have, without a fault: the blocks are
// the builder's, they are what boost published, and a user sees a transaction in the stream and at the
// follower, whichever of the endpoints it was sent to.
func TestTopology(t *testing.T) {
	t.Parallel()
	n := boot(t, options{external: true, follower: true})
	n.awaitKept(2)
	from := n.head() + 1
	follower, err := ethclient.DialContext(t.Context(), n.ends.FollowerRPC)
	require.NoError(t, err)
	defer follower.Close()
	for nonce, url := range []string{n.ends.BoostRPC, n.ends.SequencerRPC, n.ends.FollowerRPC} {
		n.requireSees(follower, url, uint64(nonce))
	}
	n.awaitKept(2)
	f := n.judge(from, n.head())
	require.Zero(t, f.discarded)
	require.Positive(t, f.users)
	require.Positive(t, n.created("builder"))

	// The follower has the chain of the local execution layer.
	head := n.head()
	want := n.block(head).Hash()
	n.await("the follower has the block", func() bool {
		header, err := follower.HeaderByNumber(t.Context(), new(big.Int).SetUint64(head))
		return err == nil && header.Hash() == want
	})
	n.requireSound()
}

// requireSees sends a transaction to a URL and waits for it in boost's stream, in a block, and at the
// follower.
func (n *network) requireSees(follower *ethclient.Client, url string, nonce uint64) {
	n.t.Helper()
	client, err := ethclient.DialContext(n.t.Context(), url)
	require.NoError(n.t, err)
	defer client.Close()
	key, err := crypto.HexToECDSA(strings.TrimPrefix(n.ends.Keys[0], "0x"))
	require.NoError(n.t, err)
	id := new(big.Int).SetUint64(n.ends.ChainID)
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(id), &types.DynamicFeeTx{
		ChainID: id, Nonce: nonce, Gas: params.TxGas, To: &common.Address{0xb0},
		GasTipCap: big.NewInt(params.GWei), GasFeeCap: big.NewInt(100 * params.GWei),
	})
	require.NoError(n.t, err)
	raw, err := tx.MarshalBinary()
	require.NoError(n.t, err)
	found := n.recorder.awaiting(func(fb *flashblocks.Flashblock) bool {
		return slices.ContainsFunc(fb.Diff.Transactions, func(published []byte) bool { return bytes.Equal(published, raw) })
	})
	require.NoError(n.t, client.SendTransaction(n.t.Context(), tx))
	number := n.recorder.get("with the transaction sent to "+url, found)
	n.await("the transaction is at the follower", func() bool {
		receipt, err := follower.TransactionReceipt(n.t.Context(), tx.Hash())
		return err == nil && receipt.BlockHash != (common.Hash{}) && receipt.BlockNumber.Uint64() == number
	})
}
