// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/history"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
)

const (
	// maxTopics is the number of topics a log can have, as in op-geth's filters.
	maxTopics = 4

	// logAttempts is how often a log query starts again because the chain was reorganised underneath it.
	logAttempts = 4
)

// Errors of log queries, in op-geth's words and with its codes: clients match them.
var (
	errTopics     = errors.New("exceed max topics")
	errQueryLimit = errors.New("exceed max addresses or topics per search position")
	errBadRange   = &invalidParams{"invalid block range params"}
	errFuture     = &invalidParams{"block range extends beyond current head block"}
	errMoving     = errors.New("the chain is being reorganised, try again")
)

// LogsAPI is op-geth's filter API with "pending" as a bound of log queries and log filters.
type LogsAPI struct {
	*filters.FilterAPI

	b          *Backend
	system     *filters.FilterSystem
	queryLimit int
	rangeLimit uint64

	mu      sync.Mutex
	filters map[rpc.ID]*filter
}

func newLogsAPI(b *Backend, system *filters.FilterSystem, cfg *ethconfig.Config) *LogsAPI {
	return &LogsAPI{
		FilterAPI:  filters.NewFilterAPI(system),
		b:          b,
		system:     system,
		queryLimit: cfg.LogQueryLimit,
		rangeLimit: cfg.RangeLimit,
		filters:    make(map[rpc.ID]*filter),
	}
}

// asksPending reports whether a bound is the pending block.
func asksPending(crit *filters.FilterCriteria) bool {
	for _, bound := range []rpc.BlockNumber{bound(crit, true), bound(crit, false)} {
		if bound == rpc.PendingBlockNumber {
			return true
		}
	}
	return false
}

// bound returns the first or the last block asked for. Absent bounds are latest, but for the upper bound
// of a query that begins at pending.
func bound(crit *filters.FilterCriteria, first bool) rpc.BlockNumber {
	switch {
	case first && crit.FromBlock != nil:
		return rpc.BlockNumber(crit.FromBlock.Int64())
	case !first && crit.ToBlock != nil:
		return rpc.BlockNumber(crit.ToBlock.Int64())
	case !first && crit.BlockHash == nil && crit.FromBlock != nil && crit.FromBlock.Int64() == rpc.PendingBlockNumber.Int64():
		return rpc.PendingBlockNumber
	}
	return rpc.LatestBlockNumber
}

// GetLogs serves eth_getLogs. Logs of the pending blocks follow those of the canonical ones underneath,
// each once and in order.
func (api *LogsAPI) GetLogs(ctx context.Context, crit filters.FilterCriteria) ([]*types.Log, error) {
	if crit.BlockHash != nil || !asksPending(&crit) {
		return api.FilterAPI.GetLogs(ctx, crit)
	}
	if err := api.check(&crit); err != nil {
		return nil, err
	}
	attempts := logAttempts
	if pinned(ctx) != nil {
		attempts = 1 // the answer is wanted at this view
	}
	for range attempts {
		v := api.b.view(ctx)
		logs, err := api.rangeLogs(ctx, v, &crit)
		if !api.b.stands(v) {
			continue // answered from two forks, or refused because of it
		}
		if err != nil {
			return nil, err
		}
		return append([]*types.Log{}, logs...), nil
	}
	return nil, errMoving
}

// check applies the node's limits on queries.
func (api *LogsAPI) check(crit *filters.FilterCriteria) error {
	if len(crit.Topics) > maxTopics {
		return errTopics
	}
	if api.queryLimit == 0 {
		return nil
	}
	if len(crit.Addresses) > api.queryLimit {
		return errQueryLimit
	}
	for _, topics := range crit.Topics {
		if len(topics) > api.queryLimit {
			return errQueryLimit
		}
	}
	return nil
}

// rangeLogs answers a range with a pending bound under one view.
func (api *LogsAPI) rangeLogs(ctx context.Context, v *view, crit *filters.FilterCriteria) ([]*types.Log, error) {
	if v.snap == nil {
		stock := *crit
		first, last := bound(crit, true), bound(crit, false)
		if first == rpc.PendingBlockNumber {
			stock.FromBlock = nil
		}
		if last == rpc.PendingBlockNumber {
			stock.ToBlock = nil
		}
		return api.FilterAPI.GetLogs(ctx, stock)
	}
	var (
		blocks  = v.snap.Ancestors()
		base, _ = v.base()
		tip     = v.snap.Number()
	)
	first, err := api.resolve(ctx, bound(crit, true), base, tip)
	if err != nil {
		return nil, err
	}
	last, err := api.resolve(ctx, bound(crit, false), base, tip)
	if err != nil {
		return nil, err
	}
	switch {
	case first > last:
		return nil, errBadRange
	case last > tip:
		return nil, errFuture
	case first < api.b.HistoryPruningCutoff():
		return nil, &history.PrunedHistoryError{}
	case api.rangeLimit != 0 && last-first > api.rangeLimit:
		return nil, fmt.Errorf("exceed maximum block range: %d", api.rangeLimit)
	}
	return api.collect(ctx, blocks, first, last, crit)
}

// resolve turns a bound into a number. Latest is the block underneath the pending ones.
func (api *LogsAPI) resolve(ctx context.Context, number rpc.BlockNumber, base, tip uint64) (uint64, error) {
	switch number {
	case rpc.PendingBlockNumber:
		return tip, nil
	case rpc.LatestBlockNumber:
		return base, nil
	case rpc.EarliestBlockNumber:
		return api.b.HistoryPruningCutoff(), nil
	}
	if number >= 0 {
		return uint64(number), nil
	}
	header, err := api.b.HeaderByNumber(ctx, number)
	if err != nil {
		return 0, err
	}
	return header.Number.Uint64(), nil
}

// collect returns the matching logs of first to last, canonical up to the block underneath blocks.
func (api *LogsAPI) collect(ctx context.Context, blocks []*overlay.Snapshot, first, last uint64, crit *filters.FilterCriteria) ([]*types.Log, error) {
	var (
		logs []*types.Log
		err  error
		base = blocks[0].Number() - 1
	)
	if first <= base {
		until := min(base, last)
		logs, err = api.system.NewRangeFilter(int64(first), int64(until), crit.Addresses, crit.Topics, 0).Logs(ctx)
		if err != nil {
			return nil, err
		}
	}
	for _, s := range blocks {
		if first <= s.Number() && s.Number() <= last && mayHold(&s.Header.Bloom, crit) {
			logs = appendMatching(logs, s.Logs(), crit)
		}
	}
	return logs, nil
}

// mayHold asks the bloom of a block whether one of its logs can match.
func mayHold(bloom *types.Bloom, crit *filters.FilterCriteria) bool {
	if len(crit.Addresses) > 0 && !slices.ContainsFunc(crit.Addresses, func(a common.Address) bool { return types.BloomLookup(*bloom, a) }) {
		return false
	}
	for _, topics := range crit.Topics {
		if len(topics) > 0 && !slices.ContainsFunc(topics, func(t common.Hash) bool { return types.BloomLookup(*bloom, t) }) {
			return false
		}
	}
	return true
}

// appendMatching appends the logs that match the addresses and topics.
func appendMatching(to, logs []*types.Log, crit *filters.FilterCriteria) []*types.Log {
	for _, log := range logs {
		if matches(log, crit) {
			to = append(to, log)
		}
	}
	return to
}

func matches(log *types.Log, crit *filters.FilterCriteria) bool {
	if len(crit.Addresses) > 0 && !slices.Contains(crit.Addresses, log.Address) {
		return false
	}
	if len(crit.Topics) > len(log.Topics) {
		return false
	}
	for i, topics := range crit.Topics {
		if len(topics) > 0 && !slices.Contains(topics, log.Topics[i]) {
			return false
		}
	}
	return true
}
