// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"encoding/binary"
	"testing"

	"github.com/ethereum-optimism/optimism/op-service/eth"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// TestUnsafeReorg makes op-node give up unsafe blocks in the two ways that happen: an operator hands it
// another head, and the L1 is reorganised under it. Nobody derives from batches here, so that every
// block is unsafe.
func TestUnsafeReorg(t *testing.T) {
	t.Parallel()
	n := boot(t, options{load: 50})
	v0 := listen(t, n.ends.FlashblocksWS)
	n.awaitHead(6)
	withoutReorg(t, n)
	byOperator(t, n, v0)
	byL1(t, n, v0)
}

// withoutReorg stops the sequencer in the middle of a block and starts it on the same head: op-node asks
// for the same payload again, and nothing that was published is lost.
func withoutReorg(t *testing.T, n *network) {
	t.Helper()
	number := n.recorder.Await("the middle of a block", nonEmpty(2)).Metadata.BlockNumber
	_, err := n.StopSequencer(t.Context())
	require.NoError(t, err)
	require.NoError(t, n.StartSequencer(t.Context(), n.settled().Hash()))
	n.awaitHead(number + 3)
	list := n.auditAll(n.head())
	// One attempt is abandoned if the L1 moved on in between, as op-node then takes another L1 origin.
	require.LessOrEqual(t, n.summarise(list).abandoned, 1)
}

// byOperator stops the sequencer in the middle of a block, replaces the block before it through the
// Engine API, as a recovery tool does, and starts the sequencer on the replacement.
func byOperator(t *testing.T, n *network, v0 *listener) {
	t.Helper()
	replaced := n.stopInBlock()
	abandoned := replaced.NumberU64() + 1

	fork := n.replace(replaced)
	require.NotEqual(t, replaced.Hash(), fork.Hash())
	harness.Eventually(t, "v0 says that the block on the stopped head is abandoned", func() bool {
		return len(v0.find(func(m notification) bool {
			return m.Reorg && uint64(m.BlockNumber) == abandoned && m.ParentHash == replaced.Hash() && !m.Sealed
		})) == 1
	})
	call(t.Context(), t, n.opNode(), nil, "admin_resetDerivationPipeline")
	harness.Eventually(t, "op-node has taken the replacement as its head", func() bool {
		status, err := n.SyncStatus(t.Context())
		return err == nil && status.UnsafeL2.Hash == fork.Hash()
	})
	require.NoError(t, n.StartSequencer(t.Context(), fork.Hash()))
	n.awaitHead(abandoned + 4)

	first := n.block(abandoned)
	require.Equal(t, fork.Hash(), first.ParentHash(), "the chain goes on from the replacement")
	require.Equal(t, fork.Hash(), n.block(fork.NumberU64()).Hash())
	list := n.audit(abandoned, n.head())
	v0.requireSealed(t, list)
	require.NotEmpty(t, list[0].abandoned, "the flashblocks on the replaced head are not part of the chain")
	for _, a := range list[0].abandoned {
		require.NotEqual(t, list[0].attempt.ID, a.ID, "the new attempt has a payload id of its own")
		t.Logf("block %d: payload %s was abandoned with %s, payload %s is sealed", abandoned, a.ID, plural(len(a.Flashblocks), "flashblock"), list[0].attempt.ID)
	}
}

// stopInBlock stops the sequencer while the next block is under construction, and returns the head. If a
// busy machine stops it between two blocks, it starts again and tries once more.
func (n *network) stopInBlock() *types.Block {
	n.t.Helper()
	for {
		n.recorder.Await("the middle of a block", nonEmpty(2))
		_, err := n.StopSequencer(n.t.Context())
		require.NoError(n.t, err)
		head := n.settled()
		for _, a := range n.recorder.At(head.NumberU64() + 1) {
			if a.Flashblocks[0].Base.ParentHash == head.Hash() {
				return head
			}
		}
		require.NoError(n.t, n.StartSequencer(n.t.Context(), head.Hash()))
	}
}

// settled waits until a block that was on its way when the sequencer stopped has arrived, and returns the
// head: op-node and its execution layer have had the same one for a while.
func (n *network) settled() *types.Block {
	n.t.Helper()
	const while = 25 // looks
	var (
		head *types.Header
		same int
	)
	harness.Eventually(n.t, "op-node and the node have one head and keep it", func() bool {
		status, err := n.SyncStatus(n.t.Context())
		if err != nil {
			return false
		}
		now, err := n.eth.HeaderByNumber(n.t.Context(), nil)
		if err != nil {
			return false
		}
		if head == nil || now.Hash() != head.Hash() || status.UnsafeL2.Hash != now.Hash() {
			head, same = now, 0
			return false
		}
		same++
		return same >= while
	})
	return n.block(head.Number.Uint64())
}

// replace builds, through the Engine API, another block in the place of the head: the same L1 attributes,
// another fee recipient and no user transactions.
func (n *network) replace(head *types.Block) *types.Block {
	n.t.Helper()
	var (
		client  = n.engine()
		answer  engine.ForkChoiceResponse
		built   *engine.ExecutionPayloadEnvelope
		status  engine.PayloadStatusV1
		genesis = n.Genesis().ToBlock().Hash()
		state   = engine.ForkchoiceStateV1{HeadBlockHash: head.ParentHash(), SafeBlockHash: genesis, FinalizedBlockHash: genesis}
	)
	call(n.t.Context(), n.t, client, &answer, "engine_forkchoiceUpdatedV3", state, n.attributes(head))
	require.Equal(n.t, engine.VALID, answer.PayloadStatus.Status)
	require.NotNil(n.t, answer.PayloadID)
	call(n.t.Context(), n.t, client, &built, "engine_getPayloadV4", answer.PayloadID)
	call(n.t.Context(), n.t, client, &status, "engine_newPayloadV4", built.ExecutionPayload, []common.Hash{}, head.BeaconRoot(), []hexutil.Bytes{})
	require.Equal(n.t, engine.VALID, status.Status)
	state.HeadBlockHash = built.ExecutionPayload.BlockHash
	call(n.t.Context(), n.t, client, &answer, "engine_forkchoiceUpdatedV3", state, nil)
	require.Equal(n.t, engine.VALID, answer.PayloadStatus.Status)
	block := n.block(head.NumberU64())
	require.Equal(n.t, state.HeadBlockHash, block.Hash())
	return block
}

// attributes returns payload attributes for another block in the place of head.
func (n *network) attributes(head *types.Block) *engine.PayloadAttributes {
	n.t.Helper()
	var deposits [][]byte
	for _, tx := range head.Transactions() {
		if tx.IsDepositTx() {
			raw, err := tx.MarshalBinary()
			require.NoError(n.t, err)
			deposits = append(deposits, raw)
		}
	}
	extra := head.Extra() // Jovian: version, EIP-1559 parameters, minimum base fee
	require.Len(n.t, extra, 17)
	gasLimit, minBaseFee := head.GasLimit(), binary.BigEndian.Uint64(extra[9:])
	return &engine.PayloadAttributes{
		Timestamp:             head.Time(),
		Random:                head.MixDigest(),
		SuggestedFeeRecipient: common.Address{0x0f},
		Withdrawals:           []*types.Withdrawal{},
		BeaconRoot:            head.BeaconRoot(),
		Transactions:          deposits,
		NoTxPool:              true,
		GasLimit:              &gasLimit,
		EIP1559Params:         extra[1:9],
		MinBaseFee:            &minBaseFee,
	}
}

// byL1 rewinds the L1 by two blocks while the sequencer runs. op-node drops the blocks whose L1 origin is
// gone and builds others in their place, without being told.
func byL1(t *testing.T, n *network, v0 *listener) {
	t.Helper()
	l1, err := rpc.DialContext(t.Context(), n.ends.L1RPC)
	require.NoError(t, err)
	defer l1.Close()
	var status *eth.SyncStatus
	harness.Eventually(t, "the L2 is at the third block of the L1", func() bool {
		status, err = n.SyncStatus(t.Context())
		return err == nil && status.UnsafeL2.L1Origin.Number > 2
	})
	origin := status.UnsafeL2.L1Origin
	old := n.block(status.UnsafeL2.Number)
	reorgs := len(v0.find(func(m notification) bool { return m.Reorg }))
	call(t.Context(), t, l1, nil, "debug_setHead", hexutil.Uint64(origin.Number-1))

	harness.Eventually(t, "op-node has replaced the block whose L1 origin is gone", func() bool {
		if n.head() < old.NumberU64() {
			return false
		}
		header, err := n.eth.HeaderByNumber(t.Context(), old.Number())
		return err == nil && header.Hash() != old.Hash()
	})
	fork := n.forkOf(old)
	n.awaitHead(old.NumberU64() + 4)
	list := n.audit(fork, n.head())
	v0.requireSealed(t, list)
	replaced := 0
	for _, a := range list {
		for _, other := range a.abandoned {
			require.NotEqual(t, a.attempt.ID, other.ID)
			replaced++
		}
	}
	require.Positive(t, replaced, "new payload ids at numbers that were published before")
	count := len(v0.find(func(m notification) bool { return m.Reorg })) - reorgs
	t.Logf("the L1 lost block %d; the L2 forked at block %d, %s at its numbers replaced, %s on v0",
		origin.Number, fork, plural(replaced, "attempt"), plural(count, "reorg notification"))
}

// forkOf returns the number of the first canonical block that is not in the chain of old.
func (n *network) forkOf(old *types.Block) uint64 {
	n.t.Helper()
	number := old.NumberU64()
	for hash := old.ParentHash(); number > 1; number-- {
		var parent *types.Header
		call(n.t.Context(), n.t, n.rpc, &parent, "eth_getBlockByHash", hash, false)
		require.NotNil(n.t, parent)
		canonical, err := n.eth.HeaderByNumber(n.t.Context(), parent.Number)
		require.NoError(n.t, err)
		if canonical.Hash() == hash {
			return number
		}
		hash = parent.ParentHash
	}
	return number
}

// opNode returns a client of op-node's RPC.
func (n *network) opNode() *rpc.Client {
	n.t.Helper()
	client, err := rpc.DialContext(n.t.Context(), n.ends.OpNodeRPC)
	require.NoError(n.t, err)
	n.t.Cleanup(client.Close)
	return client
}
