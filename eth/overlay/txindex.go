// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"sync"

	"github.com/ethereum/go-ethereum/common"
)

// txIndex finds the transactions of one block by hash. The snapshots of the block share it: a snapshot of
// n transactions looks at the first n only.
type txIndex struct{ byHash sync.Map } // common.Hash -> int

func (x *txIndex) add(tx common.Hash, index int) { x.byHash.Store(tx, index) }

// find returns the position of a transaction among the first n.
func (x *txIndex) find(tx common.Hash, n int) (int, bool) {
	v, ok := x.byHash.Load(tx)
	if !ok {
		return 0, false
	}
	i, ok := v.(int)
	return i, ok && i < n
}
