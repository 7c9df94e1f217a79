// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"fmt"
	"sync/atomic"

	"github.com/VictoriaMetrics/metrics"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// meters are the overlay's metrics.
type meters struct {
	execution  *metrics.Summary // seconds to execute one delta
	latency    *metrics.Summary // seconds from a flashblock's arrival to its snapshot
	number     *metrics.Gauge
	index      *metrics.Gauge
	superseded *metrics.Counter // flashblocks of blocks that were canonical already
	parked     *metrics.Counter // blocks whose parent was not known when they began
	failures   *metrics.Counter // flashblocks that could not be executed
	reorged    *metrics.Counter // pending blocks that did not become canonical
	rebased    *metrics.Counter // times pending blocks moved onto a new head without execution
	dropped    *metrics.Counter // subscribers that fell behind
	outcomes   [flashblocks.TooLong + 1]*metrics.Counter
	diverged   map[string]*metrics.Counter
	tip        atomicPosition
}

func newMeters(set *metrics.Set) *meters {
	m := &meters{
		execution:  set.NewSummary("overlay_execution_seconds"),
		latency:    set.NewSummary("overlay_snapshot_latency_seconds"),
		superseded: set.NewCounter("overlay_flashblocks_superseded_total"),
		parked:     set.NewCounter("overlay_blocks_parked_total"),
		failures:   set.NewCounter("overlay_execution_failures_total"),
		reorged:    set.NewCounter("overlay_reorgs_total"),
		rebased:    set.NewCounter("overlay_rebases_total"),
		dropped:    set.NewCounter("overlay_subscribers_dropped_total"),
		diverged:   make(map[string]*metrics.Counter),
	}
	m.number = set.NewGauge("overlay_block_number", m.tip.blockNumber)
	m.index = set.NewGauge("overlay_flashblock_index", m.tip.flashblockIndex)
	for o := range m.outcomes {
		m.outcomes[o] = set.NewCounter(fmt.Sprintf("overlay_flashblocks_received_total{outcome=%q}", flashblocks.Outcome(o)))
	}
	for _, field := range []string{"gas_used", "logs_bloom", "receipts_root"} {
		m.diverged[field] = set.NewCounter(fmt.Sprintf("overlay_divergences_total{field=%q}", field))
	}
	return m
}

func (m *meters) outcome(o flashblocks.Outcome) { m.outcomes[o].Inc() }

func (m *meters) divergence(field string) { m.diverged[field].Inc() }

// published takes in a snapshot with a new flashblock.
func (m *meters) published(s *Snapshot) {
	m.latency.Update(s.Published.Sub(s.Arrived).Seconds())
	m.tip.set(s.Number(), s.Index)
}

// atomicPosition is the newest position, read by the gauges.
type atomicPosition struct{ number, index atomic.Uint64 }

func (p *atomicPosition) set(number, index uint64) {
	p.number.Store(number)
	p.index.Store(index)
}

func (p *atomicPosition) blockNumber() float64     { return float64(p.number.Load()) }
func (p *atomicPosition) flashblockIndex() float64 { return float64(p.index.Load()) }
