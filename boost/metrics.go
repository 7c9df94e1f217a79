// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"fmt"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

// Reasons of fallbacks besides those of package round.
const (
	fallbackUnhealthy = "unhealthy"        // --ignore-unhealthy-builders withheld the build
	fallbackTwice     = "block_used_twice" // the builder's block was returned for another id
)

// meters are the sidecar's own figures, with rollup-boost's names where it has them.
type meters struct {
	set *metrics.Set

	blocksBuilder *metrics.Counter
	blocksL2      *metrics.Counter
	gasDelta      *metrics.Summary
	txDelta       *metrics.Summary

	rescues       *metrics.Counter
	ahead         *metrics.Counter
	copiesDropped *metrics.Counter
	forwardErrors *metrics.Counter
	unauthorized  *metrics.Counter
	tooLarge      *metrics.Counter
}

func newMeters(set *metrics.Set, modes *Modes) *meters {
	set.GetOrCreateGauge("rollup_boost_rollup_boost_execution_mode", modes.gauge)
	m := &meters{
		set:           set,
		blocksBuilder: set.GetOrCreateCounter(`rollup_boost_rpc_blocks_created{source="builder"}`),
		blocksL2:      set.GetOrCreateCounter(`rollup_boost_rpc_blocks_created{source="l2"}`),
		gasDelta:      set.GetOrCreateSummary("rollup_boost_block_building_gas_delta"),
		txDelta:       set.GetOrCreateSummary("rollup_boost_block_building_tx_count_delta"),
		rescues:       set.GetOrCreateCounter("rollup_boost_rescued_rounds_total"),
		ahead:         set.GetOrCreateCounter("rollup_boost_prefixes_validated_ahead_total"),
		copiesDropped: set.GetOrCreateCounter("rollup_boost_copied_calls_dropped_total"),
		forwardErrors: set.GetOrCreateCounter("rollup_boost_forward_errors_total"),
		unauthorized:  set.GetOrCreateCounter("rollup_boost_unauthorized_requests_total"),
		tooLarge:      set.GetOrCreateCounter("rollup_boost_oversized_requests_total"),
	}
	for _, reason := range []round.Reason{
		round.ReasonInvalid, round.ReasonNonconforming, round.ReasonMismatch, round.ReasonPolicy,
		round.ReasonUnavailable, round.ReasonOther, fallbackUnhealthy, fallbackTwice,
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
func (m *meters) delta(builder, local *round.Payload) {
	m.gasDelta.Update(float64(builder.GasUsed) - float64(local.GasUsed))
	m.txDelta.Update(float64(len(builder.Transactions)) - float64(len(local.Transactions)))
}

// The names of rollup-boost's spans.
func spanForkchoice(method string) string {
	return "fork_choice_updated_v" + strings.TrimPrefix(method, forkchoiceMethod)
}

func spanNewPayload(method string) string {
	return "new_payload_v" + strings.TrimPrefix(method, newPayloadMethod)
}

// server meters the time that an engine call took, everything included.
func (m *meters) server(span string, start, end time.Time, resp *jsonrpc.Response, err error) {
	m.span(span, "", start, end, resp, err)
}

// forwarded meters a body that was passed on, with the two names that rollup-boost has for that.
func (m *meters) forwarded(reqs []jsonrpc.Request, start, end time.Time, err error) {
	span := "forward"
	if len(reqs) == 1 && reqs[0].Method == "engine_exchangeCapabilities" {
		span = "exchange_capabilities"
	}
	m.span(span, "", start, end, new(jsonrpc.Response), err)
}

// payload meters an engine_getPayload.
func (m *meters) payload(version int, start, end time.Time, resp *jsonrpc.Response, err error, from source, built bool) {
	labels := fmt.Sprintf(",payload_source=%q,builder_has_payload=%q", from, fmt.Sprint(built))
	m.span(fmt.Sprintf("get_payload_v%d", version), labels, start, end, resp, err)
}

func (m *meters) span(span, labels string, start, end time.Time, resp *jsonrpc.Response, err error) {
	status, code := "ok", ""
	switch {
	case err != nil:
		status = "error"
	case resp.Error != nil:
		status, code = "error", fmt.Sprintf(",code=\"%d\"", resp.Error.Code)
	}
	m.set.GetOrCreateHistogram(fmt.Sprintf("rollup_boost_%s_duration{span_kind=\"Server\",status=%q%s%s}", span, status, code, labels)).
		Update(end.Sub(start).Seconds())
}
