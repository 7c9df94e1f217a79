// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/rpc"
)

const (
	// filterTimeout is how long a filter lives that nobody polls, as in op-geth.
	filterTimeout = 5 * time.Minute

	// maxFilters bounds what clients that install filters and go away can keep in memory.
	maxFilters = 4096
)

// filter is a log filter with a pending bound. It keeps what it has delivered of blocks that are
// not canonical yet, and the canonical block up to which everything is delivered.
type filter struct {
	crit     filters.FilterCriteria
	deadline time.Time // guarded by the API's lock

	mu      sync.Mutex // one poll at a time; guards the fields below
	settled *types.Header
	open    []*types.Log
}

// logID tells whether two logs are the same. Their block's hash is left out, as pending ones have none.
type logID struct {
	number, index uint64
	tx            common.Hash
	address       common.Address
	topics, data  string
}

func identify(log *types.Log) logID {
	topics := make([]byte, 0, len(log.Topics)*common.HashLength)
	for _, topic := range log.Topics {
		topics = append(topics, topic[:]...)
	}
	return logID{log.BlockNumber, uint64(log.Index), log.TxHash, log.Address, string(topics), string(log.Data)}
}

// NewFilter serves eth_newFilter.
func (api *LogsAPI) NewFilter(crit filters.FilterCriteria) (rpc.ID, error) {
	if crit.BlockHash != nil || !asksPending(&crit) {
		return api.FilterAPI.NewFilter(crit)
	}
	if err := api.check(&crit); err != nil {
		return "", err
	}
	if bound(&crit, false) != rpc.PendingBlockNumber {
		return "", errBadRange // what comes can only be new
	}
	f := &filter{crit: crit, settled: api.b.CurrentBlock()}
	if _, err := api.poll(context.Background(), f); err != nil {
		return "", err
	}
	now := time.Now()
	f.deadline = now.Add(filterTimeout)

	api.mu.Lock()
	defer api.mu.Unlock()
	for id, old := range api.filters {
		if now.After(old.deadline) {
			delete(api.filters, id)
		}
	}
	if len(api.filters) >= maxFilters {
		return "", errTooManyFilters
	}
	id := rpc.NewID()
	api.filters[id] = f
	return id, nil
}

// find returns a pending filter and prolongs its life.
func (api *LogsAPI) find(id rpc.ID) *filter {
	api.mu.Lock()
	defer api.mu.Unlock()
	f, now := api.filters[id], time.Now()
	if f == nil {
		return nil
	}
	if now.After(f.deadline) {
		delete(api.filters, id)
		return nil
	}
	f.deadline = now.Add(filterTimeout)
	return f
}

// UninstallFilter serves eth_uninstallFilter.
func (api *LogsAPI) UninstallFilter(id rpc.ID) bool {
	api.mu.Lock()
	_, ok := api.filters[id]
	delete(api.filters, id)
	api.mu.Unlock()
	return ok || api.FilterAPI.UninstallFilter(id)
}

// GetFilterLogs serves eth_getFilterLogs.
func (api *LogsAPI) GetFilterLogs(ctx context.Context, id rpc.ID) ([]*types.Log, error) {
	if f := api.find(id); f != nil {
		return api.GetLogs(ctx, f.crit)
	}
	return api.FilterAPI.GetFilterLogs(ctx, id)
}

// GetFilterChanges serves eth_getFilterChanges. A log filter up to pending delivers every log once, as
// soon as a flashblock holds it, and once more with removed set if it does not become canonical.
func (api *LogsAPI) GetFilterChanges(ctx context.Context, id rpc.ID) (any, error) {
	if f := api.find(id); f != nil {
		logs, err := api.poll(ctx, f)
		if err != nil {
			return nil, err
		}
		return append([]*types.Log{}, logs...), nil
	}
	return api.FilterAPI.GetFilterChanges(id)
}

// poll returns what changed since the last poll.
func (api *LogsAPI) poll(ctx context.Context, f *filter) ([]*types.Log, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range logAttempts {
		v, head := api.b.current(), api.b.CurrentBlock()
		settled, undone, err := api.rewind(ctx, f)
		if err != nil {
			return nil, err
		}
		base := head
		if v.snap != nil {
			number, hash := v.base()
			base = api.b.chain.GetHeader(hash, number)
		}
		if base == nil || !api.b.stands(v) {
			continue
		}
		now, err := api.since(ctx, v, settled, base, &f.crit)
		if !api.b.stands(v) || !api.canonical(base) || !api.canonical(settled) {
			continue
		}
		if err != nil {
			return nil, err
		}
		changes := difference(append(undone, f.open...), now)
		// The overlay may not have heard yet of a block that is settled here and stand on one before it.
		if base.Number.Cmp(settled.Number) > 0 {
			settled = base
		}
		f.settled, f.open = settled, nil
		for _, log := range now {
			if log.BlockNumber > settled.Number.Uint64() {
				f.open = append(f.open, log)
			}
		}
		return changes, nil
	}
	return nil, errMoving
}

// canonical reports whether a block is on the canonical chain.
func (api *LogsAPI) canonical(header *types.Header) bool {
	return api.b.chain.GetCanonicalHash(header.Number.Uint64()) == header.Hash()
}

// rewind finds the newest block that was settled and still is canonical, and the delivered logs of the
// blocks above it.
func (api *LogsAPI) rewind(ctx context.Context, f *filter) (*types.Header, []*types.Log, error) {
	var (
		at     = f.settled
		undone []*types.Log
	)
	for !api.canonical(at) {
		logs, err := api.system.NewBlockFilter(at.Hash(), f.crit.Addresses, f.crit.Topics).Logs(ctx)
		if err != nil {
			return nil, nil, err
		}
		undone = append(append([]*types.Log{}, logs...), undone...)
		parent := api.b.chain.GetHeader(at.ParentHash, at.Number.Uint64()-1)
		if parent == nil {
			return nil, nil, errMoving
		}
		at = parent
	}
	return at, undone, nil
}

// since returns the matching logs of the blocks above settled.
func (api *LogsAPI) since(ctx context.Context, v *view, settled, base *types.Header, crit *filters.FilterCriteria) ([]*types.Log, error) {
	first := settled.Number.Uint64() + 1
	if from := bound(crit, true); from > 0 {
		first = max(first, uint64(from))
	}
	var (
		logs []*types.Log
		err  error
	)
	if last := base.Number.Uint64(); first <= last {
		logs, err = api.system.NewRangeFilter(int64(first), int64(last), crit.Addresses, crit.Topics, 0).Logs(ctx)
		if err != nil {
			return nil, err
		}
	}
	if v.snap == nil {
		return logs, nil
	}
	for _, s := range v.snap.Ancestors() {
		if s.Number() >= first && mayHold(&s.Header.Bloom, crit) {
			logs = appendMatching(logs, s.Logs(), crit)
		}
	}
	return logs, nil
}

// difference lists what to tell somebody who knows before: what is gone, marked as removed, and what is
// new.
func difference(before, now []*types.Log) []*types.Log {
	var (
		changes []*types.Log
		known   = make(map[logID]struct{}, len(before))
		current = make(map[logID]struct{}, len(now))
	)
	for _, log := range now {
		current[identify(log)] = struct{}{}
	}
	for _, log := range before {
		id := identify(log)
		known[id] = struct{}{}
		if _, ok := current[id]; !ok {
			removed := *log
			removed.Removed = true
			changes = append(changes, &removed)
		}
	}
	for _, log := range now {
		if _, ok := known[identify(log)]; !ok {
			changes = append(changes, log)
		}
	}
	return changes
}
