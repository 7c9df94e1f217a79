// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// restoreTime is more than a restarted node needs to include what it had accepted before, and less than the ten
// seconds after which op-geth adds its journal to the pool.
const restoreTime = 8 * time.Second

// TestRestartKeepsTransactions kills the node while the block under construction holds a user's transaction.
// The transaction was preconfirmed, so it has to be in one of the next blocks, and the sender's next one,
// sent to the restarted node, behind it.
func TestRestartKeepsTransactions(t *testing.T) {
	t.Parallel()
	n := boot(t, options{load: 20})
	n.awaitHead(3)
	key, err := crypto.HexToECDSA(n.ends.Keys[0][2:])
	require.NoError(t, err)
	signer := types.LatestSignerForChainID(new(big.Int).SetUint64(n.ends.ChainID))
	send := func(nonce uint64) common.Hash {
		tx := types.MustSignNewTx(key, signer, &types.DynamicFeeTx{
			ChainID: signer.ChainID(), Nonce: nonce, Gas: 21_000, To: &common.Address{0xaa}, Value: common.Big1,
			GasTipCap: big.NewInt(params.GWei), GasFeeCap: big.NewInt(100 * params.GWei),
		})
		harness.Eventually(t, "the transaction is accepted", func() bool {
			_ = n.eth.SendTransaction(t.Context(), tx) // again over a connection that broke with the node
			known, _, err := n.eth.TransactionByHash(t.Context(), tx.Hash())
			return err == nil && known != nil
		})
		return tx.Hash()
	}
	included := func(tx common.Hash) time.Time {
		var at time.Time
		harness.Eventually(t, "the transaction is in a block", func() bool {
			receipt, err := n.eth.TransactionReceipt(t.Context(), tx)
			if err != nil || receipt.BlockHash == (common.Hash{}) {
				return false
			}
			header, err := n.eth.HeaderByHash(t.Context(), receipt.BlockHash)
			if err != nil {
				return false
			}
			at = time.Unix(int64(header.Time), 0)
			return true
		})
		return at
	}

	n.recorder.await("the beginning of a block", func(fb *flashblocks.Flashblock) bool { return fb.Index == 1 })
	first := send(0)
	harness.Eventually(t, "the transaction is preconfirmed", func() bool {
		_, err := n.eth.TransactionReceipt(t.Context(), first)
		return err == nil
	})
	n.KillNode()
	require.NoError(t, n.StartNode(t.Context()))
	back := time.Now()
	second := send(1)
	for _, tx := range []common.Hash{first, second} {
		at := included(tx)
		require.Less(t, at.Sub(back), restoreTime)
		t.Logf("included in the block of %v after the restart", at.Sub(back).Round(time.Millisecond))
	}
}
