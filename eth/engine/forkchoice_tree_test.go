// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// treeBlock is a block of a random tree, and what the specification says of it.
type treeBlock struct {
	hash   common.Hash
	parent *treeBlock // nil for the block at the root of the tree, which is the head already
	number uint64
	time   uint64
	params []any // of newPayload
	broken bool  // its state root is wrong
}

// from tells whether b is the ancestor or a descendant of it.
func (b *treeBlock) from(ancestor *treeBlock) bool {
	for ; b != nil; b = b.parent {
		if b == ancestor {
			return true
		}
	}
	return false
}

// tree makes n blocks on the head of both nodes, each on a random one of those before it. Some are broken, and
// nothing stands on these but other broken ones.
func (f *forkchoiceTest) tree(n int) []*treeBlock {
	head := f.source.Eth.BlockChain().CurrentBlock()
	root := &treeBlock{hash: head.Hash(), number: head.Number.Uint64(), time: head.Time}
	list := []*treeBlock{root}
	for range n {
		parent := list[f.rng.IntN(len(list))]
		if f.rng.IntN(2) == 0 {
			parent = list[len(list)-1]
		}
		list = append(list, f.block(parent, parent.broken || f.rng.IntN(8) == 0))
	}
	return list
}

// block makes a block on a parent.
func (f *forkchoiceTest) block(parent *treeBlock, broken bool) *treeBlock {
	good := parent
	for good.broken {
		good = good.parent
	}
	f.seq++
	id := f.source.Build(good.hash, ethtest.Jovian.Attributes(good.time, f.seq).With(object{"noTxPool": true}))
	data := f.source.Payload(id).ExecutionPayload
	if broken {
		data.StateRoot[0] ^= 1
		data.ParentHash, data.Number, data.Timestamp = parent.hash, parent.number+1, parent.time+ethtest.BlockTime
		block, err := engine.ExecutableDataToBlockNoHash(*data, nil, &common.Hash{9}, [][]byte{}, f.Eth.BlockChain().Config())
		require.NoError(f.t, err)
		data.BlockHash = block.Hash()
	} else {
		f.source.Call("engine_newPayloadV4", data, []common.Hash{}, common.Hash{9}, []string{})
	}
	return &treeBlock{
		hash: data.BlockHash, parent: parent, number: data.Number, time: data.Timestamp, broken: broken,
		params: []any{data, []common.Hash{}, common.Hash{9}, []string{}},
	}
}
