// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testhub"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// relayHarness is a running relay.
type relayHarness struct {
	t     testing.TB
	relay *Relay
	set   *metrics.Set
}

func newRelayHarness(t testing.TB, cfg RelayConfig) *relayHarness {
	t.Helper()
	h := &relayHarness{t: t, set: metrics.NewSet()}
	cfg.Addr, cfg.Metrics = "127.0.0.1:0", h.set
	cfg.BackoffMax = 50 * time.Millisecond
	if cfg.PongTimeout == 0 {
		cfg.PongTimeout = patience // a busy machine is no silent builder
	}
	h.relay = NewRelay(cfg)
	require.NoError(t, h.relay.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, h.relay.Stop(ctx))
	})
	return h
}

// dial connects a subscriber of the relay.
func (h *relayHarness) dial(path string) *websocket.Conn {
	h.t.Helper()
	return teststream.Dial(h.t, "ws://"+h.relay.Addr().String()+path)
}

// live binds a round to a builder id.
func (h *relayHarness) live(local, builder byte) *Round {
	h.t.Helper()
	r := h.relay.Store().Begin(testRequest(h.t))
	r.BindLocal(id(local))
	r.BindBuilder(id(builder))
	return r
}

func (h *relayHarness) eventually(name string, condition func() bool) {
	h.t.Helper()
	require.Eventually(h.t, condition, patience, time.Millisecond, name)
}

func (h *relayHarness) counter(name string) uint64 { return h.set.GetOrCreateCounter(name).Get() }

// expect reads the flashblocks of a builder id.
func expect(t testing.TB, ws *websocket.Conn, builder byte, indices ...uint64) {
	t.Helper()
	for _, index := range indices {
		m, err := teststream.Read(ws)
		require.NoError(t, err)
		require.Equal(t, websocket.TextMessage, m.Kind)
		require.Equal(t, id(builder), m.PayloadID)
		require.Equal(t, index, m.Index)
	}
}

// receive reads a text, which may be a notification.
func receive(t testing.TB, ws *websocket.Conn) string {
	t.Helper()
	kind, text, err := teststream.ReadFrame(ws)
	require.NoError(t, err)
	require.Equal(t, websocket.TextMessage, kind)
	return string(text)
}

func send(t testing.TB, ws *websocket.Conn, builder byte, indices ...uint64) {
	t.Helper()
	for _, index := range indices {
		require.NoError(t, ws.WriteMessage(websocket.TextMessage, flashblock(builder, index).AppendJSON(nil)))
	}
}

// Subscribers are welcome from the start, with the builder down; it is found when it comes.
func TestRelayStartsBeforeTheBuilder(t *testing.T) {
	t.Parallel()
	u := teststream.NewUpstream(t, nil)
	u.Down.Store(true)
	h := newRelayHarness(t, RelayConfig{Upstream: u.URL()})
	ws := h.dial("/any/path")
	h.eventually("attempts to connect are counted", func() bool {
		return h.counter("rollup_boost_flashblocks_ws_inbound_reconnect_attempts") >= 2
	})
	u.Down.Store(false)
	builder := u.Client()
	require.Equal(t, "from=current", u.Query())
	h.live(1, 9)
	send(t, builder, 9, 0, 1)
	expect(t, ws, 9, 0, 1)
	require.EqualValues(t, 2, h.counter("rollup_boost_flashblocks_ws_inbound_messages_received"))
	require.EqualValues(t, 2, h.counter("rollup_boost_flashblocks_service_messages_processed"))
}

// A builder of ours is resumed by position: nothing is lost, nothing comes twice.
func TestRelayResumesInMidBlock(t *testing.T) {
	t.Parallel()
	hub := stream.NewHub(stream.HubConfig{})
	require.NoError(t, hub.Start(t.Context()))
	u := teststream.NewUpstream(t, hub.Handler())
	t.Cleanup(func() {
		u.Cut()
		require.NoError(t, hub.Stop(context.Background()))
	})
	publish := func(indices ...uint64) {
		for _, index := range indices {
			hub.Publish(testhub.Message(flashblock(9, index)))
		}
	}
	h := newRelayHarness(t, RelayConfig{Upstream: u.URL()})
	ws := h.dial("/")
	r := h.live(1, 9)
	require.Equal(t, "from=current", u.Query())
	publish(0, 1)
	expect(t, ws, 9, 0, 1)

	u.Down.Store(true)
	u.Cut()
	publish(2, 3)
	u.Down.Store(false)
	require.Contains(t, u.Query(), "block_number=100&flashblock_index=1&from=current&payload_id=0x0300000000000009")
	publish(4)
	expect(t, ws, 9, 2, 3, 4)
	require.Equal(t, 5, r.Freeze().Count())
}

// op-rbuilder sends no more than what comes after the reconnect: the good prefix stays, and the next block
// is whole again.
func TestRelayKeepsThePrefixWithoutResume(t *testing.T) {
	t.Parallel()
	u := teststream.NewUpstream(t, nil)
	h := newRelayHarness(t, RelayConfig{Upstream: u.URL()})
	ws, v0 := h.dial("/"), h.dial("/v0")
	r := h.live(1, 9)
	send(t, u.Client(), 9, 0, 1)
	expect(t, ws, 9, 0, 1)
	require.Contains(t, receive(t, v0), `"index":0,`)
	require.Contains(t, receive(t, v0), `"index":1,`)
	u.Cut()
	require.Contains(t, receive(t, v0), `{"index":1,"blockNumber":"0x64","disconnected":true}`)

	send(t, u.Client(), 9, 3) // lost for good, whoever asks: the gap brings one more attempt
	builder := u.Client()
	send(t, builder, 9, 4)
	send(t, builder, 10, 0)
	h.eventually("it all came", func() bool { return h.counter("rollup_boost_flashblocks_service_messages_processed") == 5 })
	p := r.Freeze()
	require.Equal(t, 2, p.Count())
	r.Keep(Sealed{StateRoot: common.HexToHash("0xabc")})
	require.Contains(t, receive(t, v0), `0abc","gasUsed":"0x0","sealed":true`)

	next := h.live(2, 10)
	send(t, builder, 10, 1)
	expect(t, ws, 10, 0, 1)
	next.Discard(ReasonInvalid)
	require.Contains(t, receive(t, v0), `"index":0,`)
	require.Contains(t, receive(t, v0), `"index":1,`)
	require.Contains(t, receive(t, v0), `"reorg":true`)
}

// A builder that loses messages within a connection is asked for them once.
func TestRelayAsksForMissingFlashblocks(t *testing.T) {
	t.Parallel()
	u := teststream.NewUpstream(t, nil)
	h := newRelayHarness(t, RelayConfig{Upstream: u.URL()})
	ws := h.dial("/")
	h.live(1, 9)
	send(t, u.Client(), 9, 0, 2)
	require.Equal(t, "from=current", u.Query())
	require.Contains(t, u.Query(), "flashblock_index=0")
	send(t, u.Client(), 9, 1, 2, 3)
	expect(t, ws, 9, 0, 1, 2, 3)
}

// A builder that accepts and is silent from then on is given up.
func TestRelayGivesUpASilentBuilder(t *testing.T) {
	t.Parallel()
	u := teststream.NewUpstream(t, nil) // nobody reads what it accepts, so no ping is answered
	h := newRelayHarness(t, RelayConfig{Upstream: u.URL(), PingInterval: 20 * time.Millisecond, PongTimeout: 100 * time.Millisecond})
	u.Query()
	u.Query()
	h.eventually("the reconnect is counted", func() bool {
		return h.counter("rollup_boost_flashblocks_ws_inbound_reconnect_attempts") >= 1
	})
}

func TestRelayStartErrors(t *testing.T) {
	t.Parallel()
	busy, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = busy.Close() })
	for upstream, addr := range map[string]string{"ws://127.0.0.1:1": busy.Addr().String(), "http://127.0.0.1:1": "127.0.0.1:0", "ws://\x7f": "127.0.0.1:0"} {
		relay := NewRelay(RelayConfig{Upstream: upstream, Addr: addr})
		require.Error(t, relay.Start(t.Context()))
	}
	require.NoError(t, NewRelay(RelayConfig{}).Stop(t.Context()), "never started")
}

// Every figure of rollup-boost's stream exists from the start, at zero.
func TestRelayMetricsExistFromTheStart(t *testing.T) {
	t.Parallel()
	set := metrics.NewSet()
	NewRelay(RelayConfig{Upstream: "ws://127.0.0.1:1", Metrics: set})
	var text strings.Builder
	set.WritePrometheus(&text)
	for _, name := range []string{
		"ws_inbound_reconnect_attempts", "ws_inbound_connection_status", "ws_inbound_messages_received",
		"service_messages_processed", "service_extend_payload_errors", "service_current_payload_id_mismatch",
		"service_pending_flashblocks_buffered", "service_pending_flashblocks_dropped", "service_flashblocks_gauge",
		"service_flashblocks_counter", "service_flashblocks_missing_gauge", "service_flashblocks_missing_counter",
	} {
		require.Contains(t, text.String(), "rollup_boost_flashblocks_"+name+" 0\n")
	}
	require.Contains(t, text.String(), "flashboost_flashblocks_subscribers 0\n")
	require.Contains(t, text.String(), `flashboost_flashblocks_rounds_discarded_total{reason="superseded"} 0`)
	require.Contains(t, set.ListMetricNames(), "rollup_boost_flashblocks_service_flashblocks_missing_histogram")
}
