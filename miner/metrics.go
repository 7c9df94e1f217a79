// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/core/types"
	gethmetrics "github.com/ethereum/go-ethereum/metrics"
)

// skipReason is why a candidate was not included where it was tried.
type skipReason uint8

const (
	skipCeiling     skipReason = iota // waits for a later index
	skipBlockFull                     // exceeds what is left of the block
	skipSize                          // exceeds the uncompressed size of the block
	skipNonceGap                      // an earlier nonce is missing
	skipConditional                   // a condition of the sender's does not hold
	skipInterop                       // rejected by the supervisor's failsafe
	skipInvalid                       // not valid on the current state
	skipEvicted                       // no longer in the pool
	skipReasons
)

var skipNames = [skipReasons]string{"ceiling", "block_full", "size", "nonce_gap", "conditional", "interop", "invalid", "evicted"}

// meters are the builder's metrics. The first seven carry the names that Base documents for builders.
type meters struct {
	flashblockBuildTime *metrics.Summary // ms of selection, execution and assembly per user flashblock
	flashblockTxCount   *metrics.Summary // transactions per user flashblock
	blockGas            *metrics.Summary // gas used per block
	blockTxCount        *metrics.Summary // transactions per block, deposits included
	blockRevenue        *metrics.Summary // priority fees per block in wei
	blockBuildTime      *metrics.Summary // ms from the start of work to the answer of getPayload, waiting excluded
	flashblockCount     *metrics.Summary // user flashblocks per block

	sealTime   *metrics.Summary // ms of getPayload spent sealing
	size       *metrics.Summary // bytes of a message on the wire
	fcuDelay   *metrics.Summary // ms between the slot's start and the attributes' arrival
	offset     []*metrics.Summary
	deviation  *metrics.Summary // ms between the deadline and the publication
	reduced    *metrics.Counter // flashblocks not planned because the attributes came late
	missed     *metrics.Counter // planned, but their deadline had passed when the one before was done
	suppressed *metrics.Counter // built, but withheld because the payload was resolved or superseded
	failures   *metrics.Counter // jobs that ended with an error or a panic
	fallbacks  *metrics.Counter // blocks built anew after a failure
	reused     *metrics.Counter // own blocks imported without a second execution
	skips      [skipReasons]*metrics.Counter
	cancels    map[reason]*metrics.Counter

	// op-geth's own, on its endpoint: its miner, which registers them, sees no conditional transaction
	// any more.
	conditionalRejected *gethmetrics.Counter
	conditionalAge      *gethmetrics.Timer // from a conditional transaction's arrival to its turn
}

// offsetIndices is how many indices have a publish offset of their own; later ones share the last. A
// slot of 2 s has 100 flashblocks at 20 ms.
const offsetIndices = 101

func newMeters(set *metrics.Set) *meters {
	m := &meters{
		flashblockBuildTime: set.NewSummary("builder_flashblock_build_time_ms"),
		flashblockTxCount:   set.NewSummary("builder_flashblock_tx_count"),
		blockGas:            set.NewSummary("builder_block_total_gas"),
		blockTxCount:        set.NewSummary("builder_block_tx_count"),
		blockRevenue:        set.NewSummary("builder_block_revenue_wei"),
		blockBuildTime:      set.NewSummary("builder_block_build_time_ms"),
		flashblockCount:     set.NewSummary("builder_flashblock_count"),

		sealTime:   set.NewSummary("builder_block_seal_time_ms"),
		size:       set.NewSummary("builder_flashblock_size_bytes"),
		fcuDelay:   set.NewSummary("builder_fcu_arrival_delay_ms"),
		deviation:  set.NewSummary("builder_flashblock_publish_deviation_ms"),
		reduced:    set.NewCounter("builder_flashblocks_reduced_total"),
		missed:     set.NewCounter("builder_flashblocks_missing_total"),
		suppressed: set.NewCounter("builder_flashblocks_suppressed_total"),
		failures:   set.NewCounter("builder_job_failures_total"),
		fallbacks:  set.NewCounter("builder_fallback_blocks_total"),
		reused:     set.NewCounter("builder_reused_executions_total"),
		offset:     make([]*metrics.Summary, offsetIndices),
		cancels:    make(map[reason]*metrics.Counter),

		conditionalRejected: gethmetrics.GetOrRegisterCounter("miner/transactionConditional/rejected", nil),
		conditionalAge:      gethmetrics.GetOrRegisterTimer("miner/transactionConditional/elapsedtime", nil),
	}
	for i := range m.skips {
		m.skips[i] = set.NewCounter(fmt.Sprintf("builder_transactions_skipped_total{reason=%q}", skipNames[i]))
	}
	for _, why := range []reason{resolved, superseded, failed, stopped} {
		m.cancels[why] = set.NewCounter(fmt.Sprintf("builder_jobs_ended_total{reason=%q}", why))
	}
	for i := range m.offset {
		m.offset[i] = set.NewSummary(fmt.Sprintf("builder_flashblock_publish_offset_ms{index=\"%d\"}", i))
	}
	return m
}

func (m *meters) skip(why skipReason) { m.skips[why].Inc() }

// tried takes in a transaction that is about to be executed.
func (m *meters) tried(tx *types.Transaction) {
	if tx.Conditional() != nil {
		m.conditionalAge.UpdateSince(tx.Time())
	}
}

// rejectedConditional takes in a transaction whose conditions do not hold.
func (m *meters) rejectedConditional() {
	m.skip(skipConditional)
	m.conditionalRejected.Inc(1)
}

func (m *meters) cancellation(why reason) { m.cancels[why].Inc() }

// scheduled takes in a new schedule.
func (m *meters) scheduled(s *schedule) {
	m.fcuDelay.Update(ms(s.start.Sub(s.slotStart)))
	m.reduced.Add(max(s.nominal-s.len(), 0))
}

// meter takes in a published flashblock.
func (j *job) meter(fb *assembled) {
	m, now := j.metrics, j.clock.Now()
	m.offset[min(int(fb.message.Index), offsetIndices-1)].Update(ms(now.Sub(j.schedule.slotStart)))
	m.size.Update(float64(len(fb.message.V1)))
	if fb.message.Index == 0 {
		return
	}
	m.deviation.Update(ms(now.Sub(j.schedule.deadlines[fb.deadline])))
	m.flashblockBuildTime.Update(ms(fb.took))
	m.flashblockTxCount.Update(float64(len(fb.payload.Diff.Transactions)))
}

// meterBlock takes in a block that was fetched.
func (j *job) meterBlock(a *answer) {
	m, payload := j.metrics, a.envelope.ExecutionPayload
	p, _, _ := j.gate.outcome()
	revenue, _ := blockValue(a.envelope).Float64()
	m.blockGas.Update(float64(payload.GasUsed))
	m.blockTxCount.Update(float64(len(payload.Transactions)))
	m.blockRevenue.Update(revenue)
	m.sealTime.Update(ms(a.took))
	m.blockBuildTime.Update(ms(p.buildTime + a.took))
	if p.indices > 0 {
		m.flashblockCount.Update(float64(p.indices - 1))
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
