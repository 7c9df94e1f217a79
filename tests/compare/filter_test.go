// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package compare

import (
	"context"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// followed is a log filter up to pending that is polled for changes, and what they add up to.
type followed struct {
	id   string
	logs map[string]bool
	got  int // logs told as new
	lost int // logs told as removed
}

// logKey is all that a client can tell two logs apart by while they have no block hash.
func logKey(l *types.Log) string {
	return fmt.Sprintf("%d/%d/%d/%v/%v/%v/%x", l.BlockNumber, l.TxIndex, l.Index, l.TxHash, l.Address, l.Topics, l.Data)
}

// installFilter makes the filter, before there are any logs: those would be told to nobody.
func (s *subject) installFilter(ctx context.Context) {
	s.t.Helper()
	s.filter = &followed{logs: make(map[string]bool)}
	require.NoError(s.t, s.client.CallContext(ctx, &s.filter.id, "eth_newFilter", object{"fromBlock": "0x0", "toBlock": "pending"}))
}

// pollFilter polls the node's filter and compares what its changes add up to with what a query of everything
// finds at the same position. It fails the test on a difference.
func (s *subject) pollFilter(ctx context.Context) {
	var changes, all []*types.Log
	batch := []rpc.BatchElem{
		{Method: "eth_getFilterChanges", Args: []any{s.filter.id}, Result: &changes},
		{Method: "eth_getLogs", Args: []any{object{"fromBlock": "0x0", "toBlock": "pending"}}, Result: &all},
	}
	if err := s.client.BatchCallContext(ctx, batch); err != nil || batch[0].Error != nil || batch[1].Error != nil {
		s.t.Errorf("%s: poll a filter: %v, %v, %v", s.name, err, batch[0].Error, batch[1].Error)
		return
	}
	for _, l := range changes {
		key := logKey(l)
		if s.filter.logs[key] == !l.Removed {
			s.t.Errorf("%s: log %s is told twice, removed %v", s.name, key, l.Removed)
		}
		if l.Removed {
			delete(s.filter.logs, key)
			s.filter.lost++
			continue
		}
		s.filter.logs[key] = true
		s.filter.got++
	}
	if len(all) != len(s.filter.logs) || slices.ContainsFunc(all, func(l *types.Log) bool { return !s.filter.logs[logKey(l)] }) {
		s.t.Errorf("%s: the changes of a filter add up to %d logs, a query finds %d", s.name, len(s.filter.logs), len(all))
	}
}
