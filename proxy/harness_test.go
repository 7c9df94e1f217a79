// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/gorilla/websocket"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/proxy/admission"
	"github.com/ethereum/go-ethereum/flashgeth/proxy/load/fanout"
)

func TestMain(m *testing.M) {
	log.SetDefault(log.NewLogger(log.DiscardHandler()))
	fanout.Role(fanout.Shapes())
	// net/http lingers for half a second after a connection it has refused.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// patience is how long a test waits for something that must happen. It decides nothing else.
const patience = 30 * time.Second

// position is where a message stands.
type position struct{ block, index uint64 }

// upstream is a builder's stream: a hub behind a server on a free port.
type upstream struct {
	t      testing.TB
	addr   string
	hub    *stream.Hub
	server *stream.Server
}

// newUpstream runs a builder's stream until the test ends.
func newUpstream(t testing.TB) *upstream {
	t.Helper()
	u := &upstream{t: t, addr: "127.0.0.1:0"}
	u.start()
	t.Cleanup(u.stop)
	return u
}

// start serves, on the same port as before.
func (u *upstream) start() {
	u.t.Helper()
	u.hub = stream.NewHub(stream.HubConfig{CloseGrace: 100 * time.Millisecond})
	mux := http.NewServeMux()
	mux.Handle("/", u.hub.Handler())
	mux.Handle("/binary", u.hub.Endpoint(stream.FormBinary))
	mux.Handle("/brotli", u.hub.Endpoint(stream.FormBrotli))
	require.Eventually(u.t, func() bool {
		u.server = stream.NewServer(stream.ServerConfig{Addr: u.addr, Handler: mux})
		return u.server.Start(context.Background()) == nil
	}, patience, 10*time.Millisecond, "the port is free again")
	require.NoError(u.t, u.hub.Start(context.Background()))
	u.addr = u.server.Addr().String()
}

// stop ends the stream. Doing it twice is fine.
func (u *upstream) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(u.t, u.server.Stop(ctx))
	require.NoError(u.t, u.hub.Stop(ctx))
}

func (u *upstream) url(path string) string { return "ws://" + u.addr + path }

// publish publishes the indices [first, last] of a block.
func (u *upstream) publish(block, first, last uint64) {
	for index := first; index <= last; index++ {
		u.send(flashblock(block, index))
	}
}

func (u *upstream) send(fb *flashblocks.Flashblock) {
	u.hub.Publish(stream.Message{
		PayloadID: fb.PayloadID, BlockNumber: fb.Metadata.BlockNumber, Index: fb.Index,
		V1: fb.AppendJSON(nil),
	})
}

// sealed publishes the notice that ends a block.
func (u *upstream) sealed(block, index uint64) {
	text := flashblocks.NewSealedNotification(baseOf(block), index, common.Hash{9}, 21000).AppendJSON(nil)
	u.hub.Publish(stream.Message{BlockNumber: block, Index: index, V0: func() []byte { return text }})
}

func payloadID(block uint64) (id engine.PayloadID) {
	id[0] = 3
	binary.BigEndian.PutUint32(id[4:], uint32(block))
	return id
}

func hashOf(block uint64) (h common.Hash) {
	binary.BigEndian.PutUint64(h[24:], block)
	return h
}

func baseOf(block uint64) *flashblocks.Base {
	return &flashblocks.Base{
		ParentHash: hashOf(block - 1), BlockNumber: block, GasLimit: 30e6, Timestamp: 2 * block,
		BaseFeePerGas: uint256.NewInt(7),
	}
}

// flashblock is an empty flashblock of the trimmed dialect.
func flashblock(block, index uint64) *flashblocks.Flashblock {
	fb := &flashblocks.Flashblock{PayloadID: payloadID(block), Index: index}
	fb.Metadata.BlockNumber = block
	fb.Metadata.Dialect = flashblocks.DialectTrimmed
	fb.Diff.GasUsed = 21000 * index
	if index == 0 {
		fb.Base = baseOf(block)
	}
	return fb
}

// harness is a proxy that runs until the test ends.
type harness struct {
	t     testing.TB
	proxy *Proxy
	set   *metrics.Set
	cfg   Config
}

// newHarness starts a proxy behind the given upstream URLs.
func newHarness(t testing.TB, cfg Config, urls ...string) *harness {
	t.Helper()
	h := &harness{t: t, cfg: cfg}
	for _, url := range urls {
		h.cfg.Upstreams = append(h.cfg.Upstreams, Upstream{URL: url})
	}
	if h.cfg.Addr == "" {
		h.cfg.Addr = "127.0.0.1:0"
	}
	h.start()
	t.Cleanup(h.stop)
	return h
}

// start runs the proxy, on the same port as before, with figures of its own.
func (h *harness) start() {
	h.t.Helper()
	h.set = metrics.NewSet()
	h.cfg.Metrics = h.set
	require.Eventually(h.t, func() bool {
		p, err := New(h.cfg)
		require.NoError(h.t, err)
		h.proxy = p
		return p.Start(context.Background()) == nil
	}, patience, 10*time.Millisecond, "the port is free again")
	h.cfg.Addr = h.proxy.Addr().String()
}

// stop ends the proxy. Doing it twice is fine.
func (h *harness) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(h.t, h.proxy.Stop(ctx))
}

func (h *harness) url(path string) string { return "ws://" + h.cfg.Addr + path }

// dial connects a client that the test closes at its end.
func (h *harness) dial(path string) *websocket.Conn {
	h.t.Helper()
	ws, _, err := dial(h.t, h.url(path), nil)
	require.NoError(h.t, err)
	return ws
}

// dial connects to a URL and returns the status of the answer.
func dial(t testing.TB, url string, header http.Header) (*websocket.Conn, int, error) {
	t.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: patience, EnableCompression: strings.Contains(url, "deflate")}
	ws, resp, err := dialer.Dial(url, header)
	status := 0
	if resp != nil {
		status = resp.StatusCode
		_ = resp.Body.Close()
	}
	if ws != nil {
		t.Cleanup(func() { _ = ws.Close() })
	}
	return ws, status, err
}

// get asks over HTTP and returns status and body.
func (h *harness) get(path string, header http.Header) (int, string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+h.cfg.Addr+path, nil)
	require.NoError(h.t, err)
	req.Header = header
	return exchange(h.t, req)
}

// refusal asks for an upgrade that must be refused, and returns status and body.
func (h *harness) refusal(path string, header http.Header) (int, string) {
	h.t.Helper()
	all := http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	for name, values := range header {
		all[name] = values
	}
	return h.get(path, all)
}

func exchange(t testing.TB, req *http.Request) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp.StatusCode, ""
	}
	body := new(strings.Builder)
	_, err = io.Copy(body, resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, body.String()
}

// keys is admission with the given keys.
func keys(t testing.TB, list string, public bool) Gatekeeper {
	t.Helper()
	ring, err := admission.ParseKeys(list)
	require.NoError(t, err)
	keeper, err := admission.New(admission.Config{Keys: ring, PublicAccess: public})
	require.NoError(t, err)
	return keeper
}

// keysIn is keys with its figures in a set.
func keysIn(t testing.TB, list string, set *metrics.Set) Gatekeeper {
	t.Helper()
	ring, err := admission.ParseKeys(list)
	require.NoError(t, err)
	keeper, err := admission.New(admission.Config{Keys: ring, Metrics: set})
	require.NoError(t, err)
	return keeper
}

// receive reads one v1 message.
func receive(ws *websocket.Conn) (flashblocks.Header, int, []byte, error) {
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	kind, frame, err := ws.ReadMessage()
	if err != nil {
		return flashblocks.Header{}, 0, nil, err
	}
	header, text, err := flashblocks.DecodeHeader(frame, flashblocks.Limits{})
	return header, kind, text, err
}

// expect reads the messages [first, last] of a block.
func expect(t testing.TB, ws *websocket.Conn, block, first, last uint64) {
	t.Helper()
	for index := first; index <= last; index++ {
		header, _, _, err := receive(ws)
		require.NoError(t, err, "waiting for %d/%d", block, index)
		require.Equal(t, position{block, index}, position{header.BlockNumber, header.Index})
	}
}

// closeOf reads to the end of a connection and returns its close frame.
func closeOf(t testing.TB, ws *websocket.Conn) *websocket.CloseError {
	t.Helper()
	for {
		_, _, _, err := receive(ws)
		if err == nil {
			continue
		}
		var closed *websocket.CloseError
		require.ErrorAs(t, err, &closed)
		return closed
	}
}

// eventually waits for a named condition.
func (h *harness) eventually(name string, condition func() bool) {
	h.t.Helper()
	require.Eventually(h.t, condition, patience, 2*time.Millisecond, name)
}

// figure reads one metric as it is scraped, -1 if it is not there.
func (h *harness) figure(name string) float64 {
	h.t.Helper()
	for line := range strings.Lines(scrape(h.t, h.set)) {
		metric, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && metric == name {
			return number(h.t, value)
		}
	}
	return -1
}

// scrape returns the text of the metrics endpoint.
func scrape(t testing.TB, set *metrics.Set, labels ...Label) string {
	t.Helper()
	w := httptest.NewRecorder()
	MetricsHandler(set, labels).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code)
	return w.Body.String()
}

func number(t testing.TB, text string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return f
}

// clients waits until the hub has n clients.
func (h *harness) clients(n int) {
	h.t.Helper()
	h.eventually("clients are connected", func() bool { return h.figure("websocket_proxy_active_connections") == float64(n) })
}

// connected waits until n upstreams are connected.
func (h *harness) connected(n int) {
	h.t.Helper()
	h.eventually("upstreams are connected", func() bool { return h.figure("websocket_proxy_upstream_connections") == float64(n) })
}

// listen is a listener on a free port.
func listen(t testing.TB) net.Listener {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}
