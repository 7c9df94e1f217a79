// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// closeCause says why a client's connection ended. It is a metric label.
type closeCause string

const (
	causePeer     closeCause = "peer"          // the client closed or lost the connection
	causeLagged   closeCause = "lagged"        // too many messages behind, or more than the ring holds
	causeWrite    closeCause = "write_timeout" // one message took too long
	causeSilent   closeCause = "read_timeout"  // pings stayed unanswered
	causeProtocol closeCause = "protocol"      // bad, oversize or too many inbound frames
	causeShutdown closeCause = "shutdown"      // the hub stopped
	causeRefused  closeCause = "filter"        // the stream cannot satisfy the client's filter
)

var closeCauses = []closeCause{causePeer, causeLagged, causeWrite, causeSilent, causeProtocol, causeShutdown, causeRefused}

// hubMetrics are the hub's figures. All of them exist, at zero, from the start.
type hubMetrics struct {
	connections *metrics.Gauge     // open now
	ringSize    *metrics.Gauge     // messages in the ring
	accepted    *metrics.Counter   // upgraded and admitted
	published   *metrics.Counter   // messages given to Publish
	delivered   *metrics.Counter   // messages written to clients
	sentBytes   *metrics.Counter   // bytes of those, frame headers included
	compressed  *metrics.Counter   // of these, in the brotli form
	filtered    *metrics.Counter   // messages that a client's filter left out
	sendTime    *metrics.Histogram // seconds for one write, sampled
	pings       *metrics.Counter   // pings sent
	pingFailed  *metrics.Counter   // pings that could not be sent
	dropped     *metrics.Counter   // clients dropped for being slow
	rejected    *metrics.Counter   // clients turned away at the limit
	handshake   *metrics.Counter   // upgrades that failed
	badResume   *metrics.Counter   // upgrades with malformed resume parameters
	encodeFail  *metrics.Counter   // messages left out of a form because encoding failed
	duration    *metrics.Histogram // seconds a connection lasted
	closed      map[closeCause]*metrics.Counter
}

func newHubMetrics(cfg *HubConfig) *hubMetrics {
	set := cfg.Metrics
	if cfg.SendTime == nil {
		cfg.SendTime = set.GetOrCreateHistogram("flashblocks_stream_send_seconds")
	}
	m := &hubMetrics{
		connections: set.GetOrCreateGauge("flashblocks_stream_connections", nil),
		ringSize:    set.GetOrCreateGauge("flashblocks_stream_ring_messages", nil),
		accepted:    set.GetOrCreateCounter("flashblocks_stream_accepted_total"),
		published:   set.GetOrCreateCounter("flashblocks_stream_published_total"),
		delivered:   set.GetOrCreateCounter("flashblocks_stream_delivered_total"),
		sentBytes:   set.GetOrCreateCounter("flashblocks_stream_sent_bytes_total"),
		compressed:  set.GetOrCreateCounter("flashblocks_stream_sent_brotli_bytes_total"),
		filtered:    set.GetOrCreateCounter("flashblocks_stream_filtered_total"),
		sendTime:    cfg.SendTime,
		pings:       set.GetOrCreateCounter("flashblocks_stream_pings_total"),
		pingFailed:  set.GetOrCreateCounter("flashblocks_stream_ping_errors_total"),
		dropped:     set.GetOrCreateCounter("flashblocks_stream_dropped_slow_total"),
		rejected:    set.GetOrCreateCounter("flashblocks_stream_rejected_limit_total"),
		handshake:   set.GetOrCreateCounter("flashblocks_stream_handshake_errors_total"),
		badResume:   set.GetOrCreateCounter("flashblocks_stream_bad_resume_total"),
		encodeFail:  set.GetOrCreateCounter("flashblocks_stream_encode_errors_total"),
		duration:    set.GetOrCreateHistogram("flashblocks_stream_connection_seconds"),
		closed:      make(map[closeCause]*metrics.Counter, len(closeCauses)),
	}
	for _, cause := range closeCauses {
		m.closed[cause] = set.GetOrCreateCounter(`flashblocks_stream_closed_total{reason="` + string(cause) + `"}`)
	}
	return m
}

// ended records the end of an admitted connection.
func (m *hubMetrics) ended(cause closeCause, opened time.Time) {
	m.connections.Dec()
	m.closed[cause].Inc()
	if cause == causeLagged || cause == causeWrite {
		m.dropped.Inc()
	}
	m.duration.UpdateDuration(opened)
}
