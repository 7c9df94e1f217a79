// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

// fallbackTwice is a reason of fallbacks besides those of package round: the builder's block was returned for another
// id. Builds that the builder was not asked for are counted where that is decided, in package chain.
const fallbackTwice = "block_used_twice"

// meters are the figures of decisions, with rollup-boost's names where it has them.
type meters struct {
	set *metrics.Set

	blocksBuilder *metrics.Counter
	blocksL2      *metrics.Counter
	gasDelta      *metrics.Summary
	txDelta       *metrics.Summary

	rescues *metrics.Counter
	ahead   *metrics.Counter
}

func newMeters(set *metrics.Set) *meters {
	m := &meters{
		set:           set,
		blocksBuilder: set.GetOrCreateCounter(`rollup_boost_rpc_blocks_created{source="builder"}`),
		blocksL2:      set.GetOrCreateCounter(`rollup_boost_rpc_blocks_created{source="l2"}`),
		gasDelta:      set.GetOrCreateSummary("rollup_boost_block_building_gas_delta"),
		txDelta:       set.GetOrCreateSummary("rollup_boost_block_building_tx_count_delta"),
		rescues:       set.GetOrCreateCounter("rollup_boost_rescued_rounds_total"),
		ahead:         set.GetOrCreateCounter("rollup_boost_prefixes_validated_ahead_total"),
	}
	for _, reason := range []round.Reason{
		round.ReasonInvalid, round.ReasonNonconforming, round.ReasonMismatch, round.ReasonPolicy,
		round.ReasonUnavailable, round.ReasonOther, fallbackTwice,
	} {
		m.fallbacks(string(reason))
	}
	return m
}

func (m *meters) fallbacks(reason string) *metrics.Counter {
	return m.set.GetOrCreateCounter(fmt.Sprintf("rollup_boost_builder_fallbacks_total{reason=%q}", reason))
}

// fallback counts a block that is the local execution layer's though the builder was there.
func (m *meters) fallback(reason string) { m.fallbacks(reason).Inc() }

// created counts a block that is returned.
func (m *meters) created(from source) {
	if from == sourceBuilder {
		m.blocksBuilder.Inc()
		return
	}
	m.blocksL2.Inc()
}

// delta compares the two blocks of one slot.
func (m *meters) delta(builder, own *round.Payload) {
	m.gasDelta.Update(float64(builder.GasUsed) - float64(own.GasUsed))
	m.txDelta.Update(float64(len(builder.Transactions)) - float64(len(own.Transactions)))
}

// payload meters an engine_getPayload.
func (m *meters) payload(version int, start, end time.Time, resp *jsonrpc.Response, err error, from source, built bool) {
	engineapi.Span{
		Name:   fmt.Sprintf("get_payload_v%d", version),
		Labels: fmt.Sprintf(",payload_source=%q,builder_has_payload=%q", from, fmt.Sprint(built)),
	}.Observe(m.set, start, end, resp, err)
}
