// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// TestBuildsOnBothSides: what op-node asks goes to both, each with its own secret, and op-node gets the
// local answer.
func TestBuildsOnBothSides(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	answer := h.call("engine_forkchoiceUpdatedV3", forkchoice+","+attributes)
	require.Contains(t, answer, l2Payload)
	require.NotContains(t, answer, builderPayload)
	h.eventually("the builder builds", func() bool { return h.builder.asked("engine_forkchoiceUpdatedV3") == 1 })
	require.Contains(t, h.call("eth_chainId", ""), `"0x2105"`)
	require.Zero(t, h.builder.asked("eth_chainId"))
	h.l2.mu.Lock()
	defer h.l2.mu.Unlock()
	h.builder.mu.Lock()
	defer h.builder.mu.Unlock()
	require.NotEmpty(t, h.l2.bearer)
	require.NotEmpty(t, h.builder.bearer)
	require.NotEqual(t, h.l2.bearer, h.builder.bearer)
}

// TestWithoutABuilder: a transparent proxy, with a stream that op-conductor can connect to.
func TestWithoutABuilder(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(h *harness) {
		h.cfg.Builder = params.BoostBackend{}
		h.cfg.Flashblocks.Enabled = true
	})
	require.Contains(t, h.call("engine_forkchoiceUpdatedV3", forkchoice+","+attributes), l2Payload)
	require.Contains(t, h.call("engine_unknownV9", ""), "-32601")
	code, body := h.get(partRPC, "/healthz")
	require.Equal(t, 200, code)
	require.Equal(t, "OK", body)
	conn, res, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+h.addr(partStream)+"/ws", nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.NoError(t, conn.Close())
}

// TestTheStreamIsUpBeforeTheBuilder: op-conductor dials it at its own start, whenever that is.
func TestTheStreamIsUpBeforeTheBuilder(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(h *harness) {
		h.cfg.Flashblocks.Enabled, h.cfg.Flashblocks.BuilderURL = true, "ws://127.0.0.1:1"
	})
	conn, res, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+h.addr(partStream)+"/any/path", nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	h.eventually("the subscriber is counted", func() bool { return strings.Contains(h.metrics(), "flashblocks_stream_connections 1\n") })
	require.NoError(t, conn.Close())
}

// metrics returns what Prometheus scrapes.
func (h *harness) metrics() string {
	h.t.Helper()
	code, body := h.get(partMetrics, "/metrics")
	require.Equal(h.t, 200, code)
	return body
}

// TestModeByTheDebugAPI: disabled leaves the builder alone, and enabled uses it again, health included.
func TestModeByTheDebugAPI(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	debug := func(method, list string) string {
		_, answer, err := post(t.Context(), h.addr(partDebug), `{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":`+list+`}`)
		require.NoError(t, err)
		return answer
	}
	require.Contains(t, debug("debug_getExecutionMode", "[]"), `{"execution_mode":"enabled"}`)
	require.Contains(t, h.metrics(), "rollup_boost_rollup_boost_execution_mode 3\n")
	require.Contains(t, debug("debug_setExecutionMode", `[{"execution_mode":"disabled"}]`), `{"execution_mode":"disabled"}`)
	require.Contains(t, h.metrics(), "rollup_boost_rollup_boost_execution_mode 1\n")
	require.Contains(t, h.call("engine_forkchoiceUpdatedV3", forkchoice+","+attributes), l2Payload)
	require.Zero(t, h.builder.asked("engine_forkchoiceUpdatedV3"), "the mode was set before op-node asked")

	debug("debug_setExecutionMode", `[{"execution_mode":"enabled"}]`)
	require.Contains(t, h.call("engine_forkchoiceUpdatedV3", forkchoice), "VALID")
	h.eventually("the builder hears of the head", func() bool { return h.builder.asked("engine_forkchoiceUpdatedV3") == 1 })
	h.eventually("the health considers the builder", func() bool {
		code, _ := h.get(partRPC, "/healthz")
		return code == 200
	})
}

// TestHealthOverHTTP, as op-conductor asks.
func TestHealthOverHTTP(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(h *harness) { h.cfg.HealthInterval = time.Second })
	code, body := h.get(partRPC, "/healthz")
	require.Equal(t, 200, code, "the first question waits for the first polls")
	require.Equal(t, "OK", body)
	h.builder.Close()
	h.eventually("the builder is missed", func() bool { code, body = h.get(partRPC, "/healthz"); return code == 206 })
	require.Equal(t, "Partial Content", body)
	h.l2.Close()
	h.eventually("the local execution layer is missed", func() bool { code, body = h.get(partRPC, "/healthz"); return code == 503 })
	require.Equal(t, "Service Unavailable", body)
	code, body = h.get(partRPC, "/healthz/json")
	require.Equal(t, 200, code)
	require.JSONEq(t, `{"version":"unknown","rollup_boost_health":"ServiceUnavailable"}`, body)
	code, _ = h.get(partRPC, "/readyz")
	require.Equal(t, 200, code)
}

// oldFigures are rollup-boost's names that are there whatever has happened, and figures those of our own that alerts rest on.
var (
	oldFigures = []string{
		`rpc_blocks_created{source="builder"}`, `rpc_blocks_created{source="l2"}`, "rollup_boost_execution_mode",
		"flashblocks_ws_inbound_reconnect_attempts", "flashblocks_ws_inbound_connection_status", "flashblocks_ws_inbound_messages_received",
		"flashblocks_service_messages_processed", "flashblocks_service_extend_payload_errors", "flashblocks_service_current_payload_id_mismatch",
		"flashblocks_service_pending_flashblocks_buffered", "flashblocks_service_pending_flashblocks_dropped",
		"flashblocks_service_flashblocks_gauge", "flashblocks_service_flashblocks_counter",
		"flashblocks_service_flashblocks_missing_gauge", "flashblocks_service_flashblocks_missing_counter",
	}
	ownFigures = []string{
		"flashboost_flashblocks_published_total", "flashboost_flashblocks_refused_after_freeze_total", "flashboost_flashblocks_rounds_kept_total",
		`flashboost_flashblocks_rounds_discarded_total{reason="invalid"}`, `rollup_boost_builder_fallbacks_total{reason="unavailable"}`,
		"flashboost_health_status", `flashboost_health_head_age_seconds{backend="l2"}`, "go_goroutines",
	}
)

// TestFiguresAreThereFromTheStart: "nothing happened" and "not scraped" must differ, with and without
// flashblocks, with and without a builder.
func TestFiguresAreThereFromTheStart(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(h *harness){
		"all of it":           func(h *harness) { h.cfg.Flashblocks.Enabled = true },
		"without flashblocks": nil,
		"without a builder":   func(h *harness) { h.cfg.Builder = params.BoostBackend{} },
	} {
		text := newHarness(t, change).metrics()
		for _, figure := range oldFigures {
			require.Contains(t, text, "\nrollup_boost_"+figure+" ", name)
		}
		for _, figure := range ownFigures {
			require.Contains(t, "\n"+text, "\n"+figure+" ", name)
		}
		require.Contains(t, "\n"+text, "\nrollup_boost_builder_info{version=\"unknown\",", name)
	}
}

// TestSpansAreFiguresWithoutTracing (F20): rollup-boost's names of latencies, and one histogram per backend.
func TestSpansAreFiguresWithoutTracing(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	h.call("engine_forkchoiceUpdatedV3", forkchoice+","+attributes)
	h.eventually("both backends are metered", func() bool {
		text := h.metrics()
		return strings.Contains(text, `rollup_boost_fork_choice_updated_v3_duration_count{span_kind="Server",status="ok"} 1`) &&
			strings.Contains(text, `rollup_boost_backend_request_duration_seconds_count{backend="l2",method="engine_forkchoiceUpdatedV3",status="ok"} 1`) &&
			strings.Contains(text, `rollup_boost_backend_request_duration_seconds_count{backend="builder",method="engine_forkchoiceUpdatedV3",status="ok"} 1`)
	})
}

// TestATakenPortStopsTheStart (F21), whichever it is, and everything that was started before ends.
func TestATakenPortStopsTheStart(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, text, err := net.SplitHostPort(taken.Addr().String())
	require.NoError(t, err)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	for name, change := range map[string]func(c *params.Boost){
		partMetrics: func(c *params.Boost) { c.Metrics, c.MetricsPort = true, port },
		partDebug:   func(c *params.Boost) { c.DebugPort = port },
		partPprof:   func(c *params.Boost) { c.Pprof, c.PprofAddr = true, taken.Addr().String() },
		partStream:  func(c *params.Boost) { c.Flashblocks.Enabled, c.Flashblocks.Port = true, port },
		partRPC:     func(c *params.Boost) { c.RPCPort = port },
	} {
		cfg := params.DefaultBoost
		cfg.L2.URL, cfg.L2.JWTToken, cfg.Builder.URL, cfg.Builder.JWTToken = "http://127.0.0.1:1", l2Secret, "http://127.0.0.1:1", builderSecret
		cfg.RPCPort, cfg.DebugPort, cfg.MetricsPort, cfg.Flashblocks.Port = 0, 0, 0, 0
		change(&cfg)
		s, err := newService(&cfg)
		require.NoError(t, err)
		err = s.start(t.Context())
		require.ErrorContains(t, err, name+": ", name)
		require.ErrorContains(t, err, text, name)
		require.NoError(t, s.stop(t.Context()), name)
	}
}

// TestIgnoresUnhealthyBuilders (F6, F12): a builder that is behind is asked for nothing, is told everything,
// and builds again when it has caught up.
func TestIgnoresUnhealthyBuilders(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(h *harness) {
		h.cfg.IgnoreUnhealthyBuilders, h.cfg.HealthInterval = true, time.Second
		h.builder.lag(time.Hour)
	})
	h.eventually("the builder is known to lag", func() bool { code, _ := h.get(partRPC, "/healthz"); return code == 206 })
	h.call("engine_newPayloadV4", `{},[],"0x00",[]`)
	h.call("engine_forkchoiceUpdatedV3", forkchoice+","+attributes)
	h.eventually("the builder is kept up to date", func() bool {
		return h.builder.asked("engine_newPayloadV4") == 1 && h.builder.asked("engine_forkchoiceUpdatedV3") == 1
	})
	require.Zero(t, h.builder.built(), "it is not asked for a block")
	h.builder.lag(0)
	h.eventually("the builder has recovered", func() bool { code, _ := h.get(partRPC, "/healthz"); return code == 200 })
	h.call("engine_forkchoiceUpdatedV3", forkchoice+","+attributes)
	h.eventually("it builds again", func() bool { return h.builder.built() == 1 })
}
