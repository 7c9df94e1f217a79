// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// A block that leads to the state of another one, on which others stand, takes nothing away from those. To op-geth it
// does, with the path scheme: the test tells when that is mended there.
func TestStateIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"path", "hash"} {
		s := newHarness(t, harnessConfig{fork: jovian, scheme: scheme})
		build := func(parent *types.Header, random common.Hash) *types.Block {
			args := s.attributes(parent)
			args.NoTxPool, args.Random = true, random
			return s.toBlock(s.fetch(args, Options{}), args)
		}
		genesis := s.chain.CurrentBlock()
		var chain types.Blocks
		for parent := genesis; len(chain) < 3; parent = s.chain.CurrentBlock() {
			block := build(parent, common.Hash{1})
			s.Insert(block)
			chain = append(chain, block)
		}
		sibling := build(genesis, common.Hash{2})
		require.Equal(t, chain[0].Root(), sibling.Root())
		require.NotEqual(t, chain[0].Hash(), sibling.Hash())

		for _, guarded := range []bool{true, false} {
			node := s.newChain()
			if guarded {
				node.SetBlockValidatorAndProcessorForTesting(node.Validator(), NewProcessor(node.Processor(), node))
			}
			insert := func(block *types.Block) error {
				_, err := node.InsertBlockWithoutSetHead(t.Context(), block, false)
				return err
			}
			for _, block := range []*types.Block{chain[0], chain[1], sibling} {
				require.NoError(t, insert(block))
			}
			err := insert(chain[2])
			if !guarded && scheme == "path" {
				require.ErrorContains(t, err, "invalid receipt root hash", "op-geth's fault is mended: NewProcessor can go")
				continue
			}
			require.NoError(t, err)
			receipts := node.GetReceiptsByHash(sibling.Hash())
			require.Len(t, receipts, 1)
			require.Equal(t, node.GetReceiptsByHash(chain[0].Hash())[0].GasUsed, receipts[0].GasUsed)
			_, err = node.SetCanonical(sibling)
			require.NoError(t, err)
			_, err = node.SetCanonical(chain[2])
			require.NoError(t, err)
		}
	}
}
