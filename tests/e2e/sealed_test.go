// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// audited is a sealed block that is exactly what one attempt published.
type audited struct {
	block     *types.Block
	attempt   attempt
	abandoned []attempt // other attempts at the same number
}

// users counts the transactions that are no deposits.
func (a *audited) users() int {
	count := 0
	for _, tx := range a.block.Transactions() {
		if !tx.IsDepositTx() {
			count++
		}
	}
	return count
}

// block returns a canonical block with every byte of it, as the node stores it.
func (n *network) block(number uint64) *types.Block {
	n.t.Helper()
	var raw hexutil.Bytes
	call(n.t.Context(), n.t, n.rpc, &raw, "debug_getRawBlock", hexutil.Uint64(number))
	block := new(types.Block)
	require.NoError(n.t, rlp.DecodeBytes(raw, block))
	var header *struct {
		Hash common.Hash
	}
	call(n.t.Context(), n.t, n.rpc, &header, "eth_getBlockByNumber", hexutil.Uint64(number), false)
	require.NotNil(n.t, header)
	require.Equal(n.t, header.Hash, block.Hash(), "the hash of block %d", number)
	return block
}

// audit compares the canonical blocks from first to last with the stream: each has to be the exact
// concatenation of one attempt, contiguous from index 0, and lead to the same header hash. It imports
// them into the plain op-geth, after what it does not have of the chain before.
func (n *network) audit(first, last uint64) []audited {
	n.t.Helper()
	require.LessOrEqual(n.t, first, last, "there is nothing to audit")
	n.importChain(first - 1)
	var list []audited
	for number := first; number <= last; number++ {
		block := n.block(number)
		list = append(list, n.match(block))
		n.geth.requireValid(n.t, block)
	}
	return list
}

// match finds the attempt that a sealed block consists of. There must be one. The stream and the node are
// two connections: the last flashblocks of a block may come here after the block.
func (n *network) match(block *types.Block) audited {
	n.t.Helper()
	var (
		attempts []attempt
		sealed   int
	)
	for deadline := time.Now().Add(patience); ; {
		attempts = n.recorder.At(block.NumberU64())
		// Of several that are this block, the last: only one without user transactions can be built twice.
		for sealed = len(attempts) - 1; sealed >= 0 && !n.isRebuilt(&attempts[sealed], block); sealed-- {
		}
		if sealed >= 0 || time.Now().After(deadline) {
			break
		}
		<-time.After(poll)
	}
	require.GreaterOrEqualf(n.t, sealed, 0, "no attempt is block %d with %d transactions, of %d published: %s; the newest is at block %d, the connection went %v",
		block.NumberU64(), len(block.Transactions()), len(attempts), describe(attempts), newest(n.recorder), n.recorder.Changes())
	for i := range attempts {
		n.requireContiguous(&attempts[i])
	}
	found := audited{block: block, attempt: attempts[sealed]}
	found.abandoned = slices.Delete(attempts, sealed, sealed+1)
	return found
}

// isRebuilt tells whether an attempt's flashblocks add up to a sealed block. The state root and the
// withdrawals root, which the stream leaves out, are the sealed block's; everything else is the stream's.
func (n *network) isRebuilt(a *attempt, sealed *types.Block) bool {
	n.t.Helper()
	config := n.Genesis().Config
	payload, err := flashblocks.Assemble(a.Flashblocks, flashblocks.ForksAt(config, sealed.Time()))
	require.NoErrorf(n.t, err, "attempt %s at block %d", a.ID, a.Number)
	payload.Data.WithdrawalsRoot = sealed.WithdrawalsRoot()
	block, err := payload.Seal(sealed.Root())
	require.NoError(n.t, err)
	if block.Hash() != sealed.Hash() {
		return false
	}
	require.Len(n.t, payload.Data.Transactions, len(sealed.Transactions()))
	for i, tx := range sealed.Transactions() {
		raw, err := tx.MarshalBinary()
		require.NoError(n.t, err)
		require.Equal(n.t, raw, payload.Data.Transactions[i], "transaction %d of block %d", i, sealed.NumberU64())
	}
	return true
}

// requireContiguous checks that indices rise by one from 0, once each, with a base at 0 only.
func (n *network) requireContiguous(a *attempt) {
	n.t.Helper()
	require.Zerof(n.t, a.Restarts, "index 0 of payload %s at block %d was published again", a.ID, a.Number)
	for i, fb := range a.Flashblocks {
		require.EqualValuesf(n.t, i, fb.Index, "index at place %d of block %d", i, a.Number)
		require.Equal(n.t, i == 0, fb.Base != nil, "the base of %d/%d", a.Number, i)
		require.Equal(n.t, a.Number, fb.Metadata.BlockNumber)
	}
}

// firstRecorded is the lowest block number whose stream was seen.
func (n *network) firstRecorded() uint64 {
	numbers := n.recorder.Numbers()
	require.NotEmpty(n.t, numbers, "nothing was published")
	return numbers[0]
}

// importChain feeds the plain op-geth the canonical chain up to last as far as it does not have it.
func (n *network) importChain(last uint64) {
	n.t.Helper()
	var missing []*types.Block
	for number := last; number > 0; number-- {
		block := n.block(number)
		if n.geth.ethereum.BlockChain().HasBlock(block.Hash(), number) {
			break
		}
		missing = append(missing, block)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		n.geth.requireValid(n.t, missing[i])
	}
}

// caughtUp waits until the sequencer builds in time, and returns the number of the first block of which
// every flashblock is to be expected. A machine that took longer to boot than the chain has until its
// genesis makes op-node hurry through the slots that passed, with one flashblock or so each.
func (n *network) caughtUp() uint64 {
	n.t.Helper()
	blockTime := n.Config().BlockTime
	base := n.recorder.Await("early in its slot", func(fb *flashblocks.Flashblock) bool {
		return fb.Base != nil && time.Since(time.Unix(int64(fb.Base.Timestamp), 0))+blockTime < blockTime/2
	}).Base
	return base.BlockNumber + 1
}

// auditAll audits the chain from the first recorded block to last.
func (n *network) auditAll(last uint64) []audited {
	n.t.Helper()
	first := n.firstRecorded()
	return n.audit(first, last)
}

// describe lists attempts for a message.
func describe(attempts []attempt) string {
	text := ""
	for _, a := range attempts {
		txs := 0
		for _, fb := range a.Flashblocks {
			txs += len(fb.Diff.Transactions)
		}
		text += a.ID.String() + ": " + plural(len(a.Flashblocks), "flashblock") + " with " + plural(txs, "transaction") + "; "
	}
	return text
}

// plural names a number of things.
func plural(count int, thing string) string {
	if count == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", count, thing)
}
