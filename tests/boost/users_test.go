// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"math/big"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// playUsers looks at the devnet as users do, with no fault in place: a transaction is in boost's stream, in the
// block that was published, and at the follower, whichever of the endpoints it was sent to. nonce is that of
// the first of three.
func (n *network) playUsers(nonce uint64) {
	n.t.Helper()
	n.awaitKept(1)
	from := n.head() + 1
	follower, err := ethclient.DialContext(n.t.Context(), n.ends.FollowerRPC)
	require.NoError(n.t, err)
	defer follower.Close()
	for i, url := range []string{n.ends.BoostRPC, n.ends.SequencerRPC, n.ends.FollowerRPC} {
		n.requireSees(follower, url, nonce+uint64(i))
	}
	f := n.judge(from, n.head())
	require.Zero(n.t, f.discarded)
	require.Positive(n.t, f.users)
	require.Positive(n.t, n.created("builder"))

	// The follower has the chain of the local execution layer.
	head := n.head()
	want := n.block(head).Hash()
	n.await("the follower has the block", func() bool {
		header, err := follower.HeaderByNumber(n.t.Context(), new(big.Int).SetUint64(head))
		return err == nil && header.Hash() == want
	})
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
	found := n.recorder.Awaiting(func(fb *flashblocks.Flashblock) bool {
		return slices.ContainsFunc(fb.Diff.Transactions, func(published []byte) bool { return bytes.Equal(published, raw) })
	})
	require.NoError(n.t, client.SendTransaction(n.t.Context(), tx))
	number := found.Get("with the transaction sent to " + url).Metadata.BlockNumber
	n.await("the transaction is at the follower", func() bool {
		receipt, err := follower.TransactionReceipt(n.t.Context(), tx.Hash())
		return err == nil && receipt.BlockHash != (common.Hash{}) && receipt.BlockNumber.Uint64() == number
	})
}
