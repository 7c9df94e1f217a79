// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"fmt"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"

	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// figures sum up what became of a range of blocks.
type figures struct {
	blocks    int
	kept      int // hold everything that was published of one round, in its order
	exact     int // of these: hold nothing else
	silent    int // nothing was published for them
	discarded int // rounds that were published and are not in the chain, each taken back on v0
	users     int // transactions that are no deposits
}

func (f figures) String() string {
	return fmt.Sprintf("%d blocks with %d user transactions: %d as published and %d longer, %d without flashblocks; %d rounds taken back",
		f.blocks, f.users, f.exact, f.kept-f.exact, f.silent, f.discarded)
}

// block returns a canonical block with every byte of it, as the local execution layer stores it.
func (n *network) block(number uint64) *types.Block {
	n.t.Helper()
	var raw hexutil.Bytes
	require.NoError(n.t, n.eth.Client().CallContext(n.t.Context(), &raw, "debug_getRawBlock", hexutil.Uint64(number)))
	block := new(types.Block)
	require.NoError(n.t, rlp.DecodeBytes(raw, block))
	return block
}

// judge compares the chain from one block to another with what boost published, and tells the sum. The
// chain must be without a gap. Of every round that was published, v0 must have told the outcome: sealed,
// and then the block holds all of it, or taken back.
func (n *network) judge(from, to uint64) figures {
	n.t.Helper()
	var f figures
	previous := n.block(from - 1)
	for number := from; number <= to; number++ {
		block := n.block(number)
		require.Equal(n.t, previous.Hash(), block.ParentHash(), "the parent of block %d", number)
		require.Equal(n.t, previous.Time()+uint64(n.Config().BlockTime/time.Second), block.Time(), "the time of block %d", number)
		previous = block
		f.blocks++
		f.users += users(block)
		if n.excused[number] {
			continue
		}
		n.judgeBlock(block, &f)
	}
	n.t.Logf("blocks %d to %d: %v", from, to, f)
	return f
}

// judgeBlock compares one block with the rounds of its number.
func (n *network) judgeBlock(block *types.Block, f *figures) {
	n.t.Helper()
	number := block.NumberU64()
	var (
		rounds  []harness.Attempt
		notices []notice
	)
	told := assert.Eventually(n.t, func() bool {
		rounds, notices = n.recorder.at(number)
		if len(rounds) != len(notices) {
			return false
		}
		for i := range notices {
			if notices[i].open() || notices[i].count != len(rounds[i].Flashblocks) {
				return false
			}
		}
		return true
	}, harness.Patience, harness.Poll)
	require.True(n.t, told, "both streams tell everything of block %d: v1 has %d rounds, v0 %+v", number, len(rounds), notices)
	sealed := 0
	for i, round := range rounds {
		if !notices[i].sealed {
			f.discarded++
			continue
		}
		sealed++
		require.Equal(n.t, block.ParentHash(), round.Flashblocks[0].Base.ParentHash, "the parent of block %d as published", number)
		require.Equal(n.t, block.Root(), notices[i].root, "the state root of block %d as told on v0", number)
		require.Equal(n.t, block.GasUsed(), notices[i].gas, "the gas of block %d as told on v0", number)
		require.LessOrEqual(n.t, len(round.Txs()), len(block.Transactions()), "published transactions of block %d", number)
		for k, raw := range round.Txs() {
			want, err := block.Transactions()[k].MarshalBinary()
			require.NoError(n.t, err)
			require.True(n.t, bytes.Equal(want, raw), "transaction %d of block %d is not the one that was published", k, number)
		}
		if len(round.Txs()) == len(block.Transactions()) {
			f.exact++
		}
	}
	require.LessOrEqual(n.t, sealed, 1, "rounds of block %d that are called sealed", number)
	f.kept += sealed
	if len(rounds) == 0 {
		f.silent++
	}
}

// requireSound checks at the end that the chain has caught up with the clock, and that op-node got a block of
// its own for every payload.
func (n *network) requireSound() {
	n.t.Helper()
	n.front.requireUnique()
	n.await("the head is as late as the clock", func() bool {
		header, err := n.eth.HeaderByNumber(n.t.Context(), nil)
		return err == nil && time.Since(time.Unix(int64(header.Time), 0)) < 3*n.Config().BlockTime
	})
}
