// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"fmt"
	"strings"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// meters are the overlay's metrics.
type meters struct {
	execution   *metrics.Summary // seconds to execute one delta
	latency     *metrics.Summary // seconds from a flashblock's arrival to its snapshot
	superseded  *metrics.Counter // flashblocks not executed: of blocks that were canonical already, of attempts replaced meanwhile
	parked      *metrics.Counter // blocks whose parent was not known when they began
	failures    *metrics.Counter // flashblocks that could not be executed, blocks that could not be begun
	reorged     *metrics.Counter // times that pending blocks did not become canonical
	rebased     *metrics.Counter // times pending blocks moved onto a new head without execution
	partial     *metrics.Counter // pending blocks that became canonical with more than was received in time
	unsupported *metrics.Counter // pending blocks given up for a transaction of a type that is not executed
	interrupted *metrics.Counter // pending blocks with a flashblock missing
	expired     *metrics.Counter // times that pending stood still for too long
	dropped     *metrics.Counter // subscribers that fell behind
	overflows   *metrics.Counter // own flashblocks lost because the queue was full
	outcomes    [flashblocks.TooLong + 1]*metrics.Counter
	diverged    map[string]*metrics.Counter // by field: executions that differ from the stream

	canonicalDiverged map[string]*metrics.Counter // by field: executions that differ from the canonical block
}

func newMeters(p *Processor) *meters {
	set := p.cfg.Metrics
	m := &meters{
		execution:   set.NewSummary("overlay_execution_seconds"),
		latency:     set.NewSummary("overlay_snapshot_latency_seconds"),
		superseded:  set.NewCounter("overlay_flashblocks_superseded_total"),
		parked:      set.NewCounter("overlay_blocks_parked_total"),
		failures:    set.NewCounter("overlay_execution_failures_total"),
		reorged:     set.NewCounter("overlay_reorgs_total"),
		rebased:     set.NewCounter("overlay_rebases_total"),
		partial:     set.NewCounter("overlay_blocks_partial_total"),
		unsupported: set.NewCounter("overlay_blocks_unsupported_total"),
		interrupted: set.NewCounter("overlay_blocks_interrupted_total"),
		expired:     set.NewCounter("overlay_snapshots_expired_total"),
		dropped:     set.NewCounter("overlay_subscribers_dropped_total"),
		overflows:   set.NewCounter("overlay_built_dropped_total"),
		diverged:    make(map[string]*metrics.Counter),

		canonicalDiverged: make(map[string]*metrics.Counter),
	}
	for o := range m.outcomes {
		label := strings.ReplaceAll(flashblocks.Outcome(o).String(), " ", "_")
		m.outcomes[o] = set.NewCounter(fmt.Sprintf("overlay_flashblocks_received_total{outcome=%q}", label))
	}
	for _, field := range divergenceFields {
		m.diverged[field] = set.NewCounter(fmt.Sprintf("overlay_divergences_total{field=%q}", field))
		m.canonicalDiverged[field] = set.NewCounter(fmt.Sprintf("overlay_canonical_divergences_total{field=%q}", field))
	}
	p.registerGauges(set)
	return m
}

// registerGauges adds what is read from the newest snapshot when the metrics are. All are zero while
// pending is latest.
func (p *Processor) registerGauges(set *metrics.Set) {
	of := func(value func(*Snapshot) float64) func() float64 {
		return func() float64 {
			if s := p.Snapshot(); s != nil {
				return value(s)
			}
			return 0
		}
	}
	set.NewGauge("overlay_block_number", of(func(s *Snapshot) float64 { return float64(s.Number()) }))
	set.NewGauge("overlay_flashblock_index", of(func(s *Snapshot) float64 { return float64(s.Index) }))
	set.NewGauge("overlay_snapshot_age_seconds", of(func(s *Snapshot) float64 { return p.cfg.Now().Sub(s.Arrived).Seconds() }))
	set.NewGauge("overlay_lead_blocks", of(func(s *Snapshot) float64 { return float64(len(s.Ancestors())) }))
	set.NewGauge("overlay_queue_length", func() float64 { return float64(int64(len(p.inputs)) + p.waits.Load()) })
}

func (m *meters) outcome(o flashblocks.Outcome) { m.outcomes[o].Inc() }
