// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/trie"
)

// TestListRoot compares the root after every append, or every few, with op-geth's of the whole list.
func TestListRoot(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]func(*rand.Rand) int{
		"tiny items":  func(r *rand.Rand) int { return 1 + r.IntN(3) },
		"short items": func(r *rand.Rand) int { return 1 + r.IntN(40) },
		"mixed items": func(r *rand.Rand) int { return 1 + r.IntN(600) },
		"large items": func(r *rand.Rand) int { return 60_000 + r.IntN(10_000) },
	} {
		for _, every := range []int{1, 7, 97} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var (
					r     = rand.New(rand.NewPCG(1, uint64(every)))
					root  = NewListRoot()
					items encodedList
					most  = 700
				)
				if name == "large items" {
					most = 20
				}
				require.Equal(t, types.EmptyRootHash, root.Hash())
				for len(items) < most {
					item := make([]byte, size(r))
					for i := range item {
						item[i] = byte(r.Uint32())
					}
					items = append(items, item)
					if len(items)%every == 0 {
						root.Extend(items)
						require.Equal(t, types.DeriveSha(items, trie.NewStackTrie(nil)), root.Hash(), "%d items", len(items))
					}
				}
			})
		}
	}
	// Three bytes of key begin at 65536 items.
	items := make(encodedList, 66_000)
	for i := range items {
		items[i] = []byte{byte(i), byte(i >> 8), 1}
	}
	root := NewListRoot()
	root.Extend(items[:65_500])
	_ = root.Hash()
	root.Extend(items)
	require.Equal(t, types.DeriveSha(items, trie.NewStackTrie(nil)), root.Hash())
}
