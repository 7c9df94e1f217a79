// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testhub"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testleak"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
	"github.com/ethereum/go-ethereum/flashgeth/proxy/admission"
	"github.com/ethereum/go-ethereum/flashgeth/proxy/load/fanout"
)

func TestMain(m *testing.M) {
	fanout.Role(fanout.Shapes())
	testleak.Main(m)
}

const patience = teststream.Patience

// newUpstream runs a builder's stream until the test ends.
func newUpstream(t testing.TB) *testhub.Builder {
	t.Helper()
	return testhub.New(t, stream.HubConfig{CloseGrace: 100 * time.Millisecond})
}

// publishSealed publishes the notice that ends a block.
func publishSealed(up *testhub.Builder, block, index uint64) {
	text := flashblocks.NewSealedNotification(teststream.Base(block), index, common.Hash{9}, 21000).AppendJSON(nil)
	up.Hub.Publish(stream.Message{BlockNumber: block, Index: index, V0: func() []byte { return text }})
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
	ws, status, err := teststream.TryDial(url, header, strings.Contains(url, "deflate"))
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
