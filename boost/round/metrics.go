// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"sync/atomic"

	"github.com/VictoriaMetrics/metrics"
)

// storeMetrics are the figures of the rounds. All of them exist, at zero, from the start. The names that
// begin with rollup_boost are rollup-boost's, and mean what they mean there.
type storeMetrics struct {
	processed *metrics.Counter // flashblocks that came
	extend    *metrics.Counter // refused by the rules of index and base
	mismatch  *metrics.Counter // of a payload id that no round has (yet)
	buffered  *metrics.Counter // came before their round was bound, and were adopted
	dropped   *metrics.Counter // came before their round was bound, and were given up for lack of room

	served       *metrics.Gauge   // flashblocks in the last block asked for
	servedTotal  *metrics.Counter // sum of these
	missing      *metrics.Histogram
	missingGauge *metrics.Gauge // fewer than in the longest block so far
	missingTotal *metrics.Counter

	arrival       *metrics.Histogram // seconds between two flashblocks of one block
	published     *metrics.Counter
	refused       *metrics.Counter // came after their block had been asked for
	duplicates    *metrics.Counter // came again
	conflicts     *metrics.Counter // came again with another content
	nonconforming *metrics.Counter // blocks that contradict the attributes
	gaps          *metrics.Counter // flashblocks with others missing before them
	kept          *metrics.Counter // rounds whose block was returned
	discarded     map[Reason]*metrics.Counter
}

// reasons are all values of the label.
var reasons = []Reason{
	ReasonSuperseded, ReasonInvalid, ReasonNonconforming, ReasonMismatch, ReasonPolicy, ReasonMode,
	ReasonUnavailable, ReasonOther,
}

func newStoreMetrics(set *metrics.Set) *storeMetrics {
	const service, own = "rollup_boost_flashblocks_service_", "flashboost_flashblocks_"
	m := &storeMetrics{
		processed:     set.GetOrCreateCounter(service + "messages_processed"),
		extend:        set.GetOrCreateCounter(service + "extend_payload_errors"),
		mismatch:      set.GetOrCreateCounter(service + "current_payload_id_mismatch"),
		buffered:      set.GetOrCreateCounter(service + "pending_flashblocks_buffered"),
		dropped:       set.GetOrCreateCounter(service + "pending_flashblocks_dropped"),
		served:        set.GetOrCreateGauge(service+"flashblocks_gauge", nil),
		servedTotal:   set.GetOrCreateCounter(service + "flashblocks_counter"),
		missing:       set.GetOrCreateHistogram(service + "flashblocks_missing_histogram"),
		missingGauge:  set.GetOrCreateGauge(service+"flashblocks_missing_gauge", nil),
		missingTotal:  set.GetOrCreateCounter(service + "flashblocks_missing_counter"),
		arrival:       set.GetOrCreateHistogram(own + "interarrival_seconds"),
		published:     set.GetOrCreateCounter(own + "published_total"),
		refused:       set.GetOrCreateCounter(own + "refused_after_freeze_total"),
		duplicates:    set.GetOrCreateCounter(own + "duplicates_total"),
		conflicts:     set.GetOrCreateCounter(own + "conflicts_total"),
		nonconforming: set.GetOrCreateCounter(own + "nonconforming_total"),
		gaps:          set.GetOrCreateCounter(own + "gaps_total"),
		kept:          set.GetOrCreateCounter(own + "rounds_kept_total"),
		discarded:     make(map[Reason]*metrics.Counter, len(reasons)),
	}
	for _, reason := range reasons {
		m.discarded[reason] = set.GetOrCreateCounter(own + `rounds_discarded_total{reason="` + string(reason) + `"}`)
	}
	return m
}

// serve records how many flashblocks a block has that was asked for; most is the longest so far.
func (m *storeMetrics) serve(count, most int) {
	m.served.Set(float64(count))
	m.servedTotal.Add(count)
	m.missing.Update(float64(most - count))
	m.missingGauge.Set(float64(most - count))
	m.missingTotal.Add(most - count)
}

// relayMetrics are the figures of the connection to the builder, and of the subscribers.
type relayMetrics struct {
	dials      atomic.Uint64
	reconnects *metrics.Counter // attempts to connect, but for the first
	connected  *metrics.Gauge   // 1 while connected
	received   *metrics.Counter // messages, counted before they are understood
}

func newRelayMetrics(set *metrics.Set) *relayMetrics {
	const inbound = "rollup_boost_flashblocks_ws_inbound_"
	// The hub counts its connections itself.
	connections := set.GetOrCreateGauge("flashblocks_stream_connections", nil)
	set.GetOrCreateGauge("flashboost_flashblocks_subscribers", connections.Get)
	return &relayMetrics{
		reconnects: set.GetOrCreateCounter(inbound + "reconnect_attempts"),
		connected:  set.GetOrCreateGauge(inbound+"connection_status", nil),
		received:   set.GetOrCreateCounter(inbound + "messages_received"),
	}
}
