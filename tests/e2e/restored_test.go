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
const (
	restoreTime   = 8 * time.Second
	restoreBlocks = 6 // in blocks of 1 s
)

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
	included := func(tx common.Hash) *types.Header {
		var header *types.Header
		harness.Eventually(t, "the transaction is in a block", func() bool {
			receipt, err := n.eth.TransactionReceipt(t.Context(), tx)
			if err != nil || receipt.BlockHash == (common.Hash{}) {
				return false
			}
			header, err = n.eth.HeaderByHash(t.Context(), receipt.BlockHash)
			return err == nil
		})
		return header
	}

	n.recorder.Await("the beginning of a block", func(fb *flashblocks.Flashblock) bool { return fb.Index == 1 })
	first := send(0)
	harness.Eventually(t, "the transaction is preconfirmed", func() bool {
		_, err := n.eth.TransactionReceipt(t.Context(), first)
		return err == nil
	})
	n.KillNode()
	n.revive()
	back, head := time.Now(), n.head()
	second := send(1)
	for _, tx := range []common.Hash{first, second} {
		header := included(tx)
		after, blocks := time.Unix(int64(header.Time), 0).Sub(back), int64(header.Number.Uint64())-int64(head)
		t.Logf("included in block %d after the restart, of %v after it", blocks, after.Round(time.Millisecond))
		// A busy machine may need that time for the first blocks.
		require.True(t, after < restoreTime || blocks <= restoreBlocks, "preconfirmed transactions come first")
	}
}
