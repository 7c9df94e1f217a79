// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"slices"

	"github.com/ethereum/go-ethereum/beacon/engine"
)

// maxRecentIDs is how many payloads op-geth's miner keeps (maxTrackedPayloads in eth/catalyst): an id
// that it has forgotten is free to be built again.
const maxRecentIDs = 10

// recentIDs is the set of the payload ids added last. The zero value is empty.
type recentIDs struct {
	ids []engine.PayloadID // oldest first
}

func (r *recentIDs) has(id engine.PayloadID) bool {
	return slices.Contains(r.ids, id)
}

func (r *recentIDs) add(id engine.PayloadID) {
	if r.has(id) {
		return // op-geth does not move a repeated payload up either
	}
	if len(r.ids) == maxRecentIDs {
		r.ids = slices.Delete(r.ids, 0, 1)
	}
	r.ids = append(r.ids, id)
}
