// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// upstream is a builder's stream that can be down, and whose connections can be cut.
type upstream struct {
	t    testing.TB
	srv  *httptest.Server
	down atomic.Bool

	queries chan string          // of every upgrade
	clients chan *websocket.Conn // of a plain upstream

	mu    sync.Mutex
	conns []net.Conn
}

// newUpstream serves a handler, or nil for a plain builder that the test writes to itself, as op-rbuilder
// knows no resume.
func newUpstream(t testing.TB, handler http.Handler) *upstream {
	t.Helper()
	u := &upstream{t: t, queries: make(chan string, 1024), clients: make(chan *websocket.Conn, 1024)}
	if handler == nil {
		handler = http.HandlerFunc(u.upgrade)
	}
	u.srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		u.queries <- r.URL.RawQuery
		handler.ServeHTTP(w, r)
	}))
	u.srv.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		u.mu.Lock()
		defer u.mu.Unlock()
		if state == http.StateNew {
			u.conns = append(u.conns, conn)
		}
	}
	u.srv.Start()
	t.Cleanup(func() {
		u.cut()
		u.srv.Close()
	})
	return u
}

func (u *upstream) upgrade(w http.ResponseWriter, r *http.Request) {
	ws, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err == nil {
		u.clients <- ws
	}
}

func (u *upstream) url() string { return "ws" + strings.TrimPrefix(u.srv.URL, "http") }

// cut closes every connection.
func (u *upstream) cut() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, conn := range u.conns {
		_ = conn.Close()
	}
	u.conns = nil
}

// client is the next connection to a plain upstream, whose pings it answers.
func (u *upstream) client() *websocket.Conn {
	u.t.Helper()
	select {
	case ws := <-u.clients:
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				if _, _, err := ws.ReadMessage(); err != nil {
					return
				}
			}
		}()
		u.t.Cleanup(func() { _ = ws.Close(); <-done })
		return ws
	case <-time.After(patience):
		u.t.Fatal("the relay does not connect")
		return nil
	}
}

func (u *upstream) query() string {
	u.t.Helper()
	select {
	case query := <-u.queries:
		return query
	case <-time.After(patience):
		u.t.Fatal("the relay does not connect")
		return ""
	}
}

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
	ws, resp, err := websocket.DefaultDialer.DialContext(h.t.Context(), "ws://"+h.relay.Addr().String()+path, nil)
	require.NoError(h.t, err)
	_ = resp.Body.Close()
	h.t.Cleanup(func() { _ = ws.Close() })
	return ws
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
		header, _, err := flashblocks.DecodeHeader([]byte(receive(t, ws)), flashblocks.Limits{})
		require.NoError(t, err)
		require.Equal(t, id(builder), header.PayloadID)
		require.Equal(t, index, header.Index)
	}
}

func receive(t testing.TB, ws *websocket.Conn) string {
	t.Helper()
	require.NoError(t, ws.SetReadDeadline(time.Now().Add(patience)))
	kind, text, err := ws.ReadMessage()
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
	u := newUpstream(t, nil)
	u.down.Store(true)
	h := newRelayHarness(t, RelayConfig{Upstream: u.url()})
	ws := h.dial("/any/path")
	h.eventually("attempts to connect are counted", func() bool {
		return h.counter("rollup_boost_flashblocks_ws_inbound_reconnect_attempts") >= 2
	})
	u.down.Store(false)
	builder := u.client()
	require.Equal(t, "from=current", u.query())
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
	u := newUpstream(t, hub.Handler())
	t.Cleanup(func() {
		u.cut()
		require.NoError(t, hub.Stop(context.Background()))
	})
	publish := func(indices ...uint64) {
		for _, index := range indices {
			hub.Publish(stream.Message{PayloadID: id(9), BlockNumber: testNumber, Index: index, V1: flashblock(9, index).AppendJSON(nil)})
		}
	}
	h := newRelayHarness(t, RelayConfig{Upstream: u.url()})
	ws := h.dial("/")
	r := h.live(1, 9)
	require.Equal(t, "from=current", u.query())
	publish(0, 1)
	expect(t, ws, 9, 0, 1)

	u.down.Store(true)
	u.cut()
	publish(2, 3)
	u.down.Store(false)
	require.Contains(t, u.query(), "block_number=100&flashblock_index=1&from=current&payload_id=0x0300000000000009")
	publish(4)
	expect(t, ws, 9, 2, 3, 4)
	require.Equal(t, 5, r.Freeze().Count())
}

// op-rbuilder sends no more than what comes after the reconnect: the good prefix stays, and the next block
// is whole again.
func TestRelayKeepsThePrefixWithoutResume(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, nil)
	h := newRelayHarness(t, RelayConfig{Upstream: u.url()})
	ws, v0 := h.dial("/"), h.dial("/v0")
	r := h.live(1, 9)
	send(t, u.client(), 9, 0, 1)
	expect(t, ws, 9, 0, 1)
	require.Contains(t, receive(t, v0), `"index":0,`)
	require.Contains(t, receive(t, v0), `"index":1,`)
	u.cut()
	require.Contains(t, receive(t, v0), `{"index":1,"blockNumber":"0x64","disconnected":true}`)

	send(t, u.client(), 9, 3) // lost for good, whoever asks: the gap brings one more attempt
	builder := u.client()
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
	u := newUpstream(t, nil)
	h := newRelayHarness(t, RelayConfig{Upstream: u.url()})
	ws := h.dial("/")
	h.live(1, 9)
	send(t, u.client(), 9, 0, 2)
	require.Equal(t, "from=current", u.query())
	require.Contains(t, u.query(), "flashblock_index=0")
	send(t, u.client(), 9, 1, 2, 3)
	expect(t, ws, 9, 0, 1, 2, 3)
}

// A builder that accepts and is silent from then on is given up.
func TestRelayGivesUpASilentBuilder(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, nil) // nobody reads what it accepts, so no ping is answered
	h := newRelayHarness(t, RelayConfig{Upstream: u.url(), PingInterval: 20 * time.Millisecond, PongTimeout: 100 * time.Millisecond})
	u.query()
	u.query()
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
