// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"strings"

	"github.com/VictoriaMetrics/metrics"
)

// scope is the prefix of every figure of Base's proxy.
const scope = "websocket_proxy_"

// sendDuration is Base's histogram of the seconds that one message to one client takes.
const sendDuration = scope + "message_send_duration"

// relayMetrics are the figures of the merge of upstreams.
type relayMetrics struct {
	upstreamMessages []*metrics.Counter // received, by upstream
	leading          []*metrics.Gauge   // 1 for the upstream whose conductor leads
	duplicates       *metrics.Counter   // copies of what another upstream, or a replay, brought before
	equivocations    *metrics.Counter   // other content at a position that was published
	contrary         *metrics.Counter   // of attempts that their upstream has contradicted, or that have ended
	heldBack         *metrics.Counter   // from an upstream that does not lead
	late             *metrics.Counter   // left out because their place had passed
	decodes          *metrics.Counter   // messages decoded for filters and for v0, each once for either
	gaps             *metrics.Counter   // waits for a missing message that were given up
	reorgs           *metrics.Counter   // blocks abandoned after they were published in part
	queueDelay       *metrics.Histogram // seconds from arrival to the hub
}

// proxyMetrics are the figures of the proxy itself. Those of the hub, the subscribers and admission
// register themselves; Base's names for them are views.
type proxyMetrics struct {
	relay           *relayMetrics
	badRequests     *metrics.Counter // malformed or unsatisfiable queries
	conductorErrors *metrics.Counter // polls of a conductor that failed
}

func newProxyMetrics(cfg *Config) *proxyMetrics {
	set := cfg.Metrics
	m := &proxyMetrics{
		badRequests:     set.GetOrCreateCounter(scope + "bad_requests"),
		conductorErrors: set.GetOrCreateCounter(scope + "conductor_errors"),
		relay: &relayMetrics{
			duplicates:    set.GetOrCreateCounter(scope + "duplicate_messages"),
			equivocations: set.GetOrCreateCounter(scope + "equivocations"),
			contrary:      set.GetOrCreateCounter(scope + "contrary_messages"),
			heldBack:      set.GetOrCreateCounter(scope + "follower_messages"),
			late:          set.GetOrCreateCounter(scope + "late_messages"),
			decodes:       set.GetOrCreateCounter(scope + "decoded_messages"),
			gaps:          set.GetOrCreateCounter(scope + "gaps"),
			reorgs:        set.GetOrCreateCounter(scope + "reorgs"),
			queueDelay:    set.GetOrCreateHistogram(scope + "relay_duration_seconds"),
		},
	}
	for i := range cfg.Upstreams {
		label := `{upstream="` + labelValue(upstreamName(cfg, i)) + `"}`
		m.relay.upstreamMessages = append(m.relay.upstreamMessages, set.GetOrCreateCounter(scope+"upstream_messages"+label))
		m.relay.leading = append(m.relay.leading, set.GetOrCreateGauge(scope+"upstream_leading"+label, nil))
	}
	for name, sources := range views(cfg) {
		set.GetOrCreateGauge(scope+name, func() float64 {
			total := 0.0
			for _, source := range sources {
				total += source()
			}
			return total
		})
	}
	return m
}

// views are Base's names, each the sum of figures that the hub and the subscribers keep.
func views(cfg *Config) map[string][]func() float64 {
	set := cfg.Metrics
	counter := func(name string) func() float64 {
		c := set.GetOrCreateCounter(name)
		return func() float64 { return float64(c.Get()) }
	}
	gauge := func(name string) func() float64 {
		g := set.GetOrCreateGauge(name, nil)
		return g.Get
	}
	closed := func(reasons ...string) (out []func() float64) {
		for _, reason := range reasons {
			out = append(out, counter(`flashblocks_stream_closed_total{reason="`+reason+`"}`))
		}
		return out
	}
	upstream := func(metric string, of func(string) func() float64) (out []func() float64) {
		for i := range cfg.Upstreams {
			out = append(out, of("flashblocks_subscriber_"+metric+`{upstream="`+labelValue(upstreamName(cfg, i))+`"}`))
		}
		return out
	}
	attempts := append(upstream("connects_total", counter), upstream("dial_errors_total", counter)...)
	return map[string][]func() float64{
		"sent_messages":                 {counter("flashblocks_stream_delivered_total")},
		"failed_messages":               append(closed("write_timeout"), counter("flashblocks_stream_encode_errors_total")),
		"new_connections":               {counter("flashblocks_stream_accepted_total")},
		"closed_connections":            closed("peer", "lagged", "write_timeout", "read_timeout", "protocol", "shutdown", "filter"),
		"lagged_connections":            closed("lagged", "write_timeout"),
		"active_connections":            {gauge("flashblocks_stream_connections")},
		"broadcast_queue_size":          {gauge("flashblocks_stream_ring_messages")},
		"bytes_broadcasted":             {counter("flashblocks_stream_sent_bytes_total")},
		"bytes_compressed":              {counter("flashblocks_stream_sent_brotli_bytes_total")},
		"client_pong_disconnects":       closed("read_timeout"),
		"ping_sent":                     {counter("flashblocks_stream_pings_total")},
		"ping_failures":                 {counter("flashblocks_stream_ping_errors_total")},
		"ping_attempts":                 {counter("flashblocks_stream_pings_total"), counter("flashblocks_stream_ping_errors_total")},
		"upstream_connections":          upstream("connected", gauge),
		"upstream_connection_attempts":  attempts,
		"upstream_connection_successes": upstream("connects_total", counter),
		"upstream_connection_failures":  upstream("dial_errors_total", counter),
		"upstream_errors":               append(upstream("disconnects_total", counter), upstream("undecodable_total", counter)...),
	}
}

// labelValue leaves only characters that need no quoting, as the subscriber does with its own name.
func labelValue(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f || r == '"' || r == '\\' {
			return '_'
		}
		return r
	}, s)
}
