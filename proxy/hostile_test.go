// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// raw opens a TCP connection with a small receive buffer and sends an upgrade request.
func (h *harness) raw(path string) net.Conn {
	h.t.Helper()
	dialer := net.Dialer{Timeout: patience}
	conn, err := dialer.DialContext(context.Background(), "tcp", h.cfg.Addr)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { _ = conn.Close() })
	tcp, ok := conn.(*net.TCPConn)
	require.True(h.t, ok)
	require.NoError(h.t, tcp.SetReadBuffer(4096))
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path)
	require.NoError(h.t, err)
	require.NoError(h.t, conn.SetReadDeadline(time.Now().Add(patience)))
	return conn
}

// TestASlowClientHarmsOnlyItself: who does not read loses its own connection; everybody else gets
// everything.
func TestASlowClientHarmsOnlyItself(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	h := newHarness(t, Config{SendTimeout: 100 * time.Millisecond, RingMessages: 32}, up.URL("/"))
	h.connected(1)
	for range 3 {
		conn := h.raw("/ws")
		_, err := bufio.NewReaderSize(conn, 256).ReadString('\n')
		require.NoError(t, err) // and never again
	}
	good := h.dial("/ws")
	h.clients(4)
	big := teststream.Flashblock(1, 0)
	big.Diff.Transactions = [][]byte{make([]byte, 32<<10)} // one fits into a socket's buffer: whoever reads is never timed
	began := time.Now()
	for index := uint64(0); h.figure("websocket_proxy_lagged_connections") < 3; index++ {
		require.Less(t, time.Since(began), patience, "slow clients are not dropped")
		big.Index, big.Base = index, nil
		if index == 0 {
			big.Base = teststream.Base(1)
		}
		up.Publish(big)
		teststream.Expect(t, good, 1, index, index)
	}
	h.clients(1)
}

// TestAClientThatNeverReadsCostsLittle: what the kernel keeps for it is bounded. Left to itself it takes several
// MiB here, and would for each of thousands.
func TestAClientThatNeverReadsCostsLittle(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	h := newHarness(t, Config{SendTimeout: time.Hour}, up.URL("/"))
	h.connected(1)
	conn := h.raw("/ws")
	_, err := bufio.NewReaderSize(conn, 256).ReadString('\n')
	require.NoError(t, err) // and never again
	good := h.dial("/ws")
	h.clients(2)
	big := teststream.Flashblock(1, 0)
	big.Diff.Transactions = [][]byte{make([]byte, 32<<10)}
	read := 0.0
	for index := range uint64(100) { // over 6 MiB
		big.Index, big.Base = index, nil
		if index == 0 {
			big.Base = teststream.Base(1)
		}
		up.Publish(big)
		m, err := teststream.Read(good)
		require.NoError(t, err)
		read += float64(len(m.JSON))
	}
	require.Less(t, h.figure("flashblocks_stream_sent_bytes_total")-read, float64(1<<20))
}

// TestAClientBehindEverythingKeptIsToldWhy: 1013 with a reason, and it comes back at the next whole block.
func TestAClientBehindEverythingKeptIsToldWhy(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	h := newHarness(t, Config{SendTimeout: 10 * patience, RingMessages: 16}, up.URL("/"))
	h.connected(1)
	ws := h.dial("/ws")
	tcp, ok := ws.NetConn().(*net.TCPConn)
	require.True(t, ok)
	require.NoError(t, tcp.SetReadBuffer(256<<10))
	h.clients(1)
	big := teststream.Flashblock(1, 0)
	big.Diff.Transactions = [][]byte{make([]byte, 1<<20)}
	const count = 60
	for index := uint64(0); index < count; index++ {
		big.Index, big.Base = index, nil
		if index == 0 {
			big.Base = teststream.Base(1)
		}
		up.Publish(big)
		want := float64(index + 1)
		h.eventually("relayed", func() bool { return h.figure("flashblocks_stream_published_total") == want })
	}
	var last flashblocks.Header
	for {
		m, err := teststream.Read(ws)
		if err != nil {
			var closed *websocket.CloseError
			require.ErrorAs(t, err, &closed)
			require.Equal(t, websocket.CloseTryAgainLater, closed.Code)
			require.NotEmpty(t, closed.Text)
			break
		}
		last = m.Header
	}
	require.Less(t, last.Index, uint64(count-1))
	h.eventually("counted", func() bool { return h.figure("websocket_proxy_lagged_connections") == 1 })

	again := h.dial(fmt.Sprintf("/ws?block_number=1&flashblock_index=%d&payload_id=%s", last.Index, last.PayloadID))
	h.clients(1)
	up.PublishBlock(2, 0, 2)
	teststream.Expect(t, again, 2, 0, 2)
}

// TestSlowHandshakesHoldUpNobody: many connections that send nothing, or a request without end.
func TestSlowHandshakesHoldUpNobody(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	h := newHarness(t, Config{HandshakeTimeout: 5 * time.Second, HeaderBytes: 2048}, up.URL("/"))
	h.connected(1)
	dialer := net.Dialer{Timeout: patience}
	var slow []net.Conn
	for i := range 50 {
		conn, err := dialer.DialContext(context.Background(), "tcp", h.cfg.Addr)
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		if i%2 == 0 {
			_, _ = conn.Write([]byte("GET /ws HTTP/1.1\r\nHost: x\r\nX: "))
		}
		slow = append(slow, conn)
	}
	ws := h.dial("/ws")
	h.clients(1)
	up.PublishBlock(1, 0, 0)
	teststream.Expect(t, ws, 1, 0, 0)
	for _, conn := range slow { // all are let go at the handshake timeout
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		_, err := io.Copy(io.Discard, conn)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	}
	status, _ := h.refusal("/ws", http.Header{"X-Long": {strings.Repeat("x", 10000)}})
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, status)
}

// TestGarbageUpstream: garbage never reaches a client, whatever its form, and another upstream is
// not disturbed.
func TestGarbageUpstream(t *testing.T) {
	t.Parallel()
	garbage := teststream.Serve(t, func(_ int, ws *websocket.Conn, _ url.Values) {
		for _, text := range []string{`{"payload_id":"0x0300000000000001","index":0}`, "{}", "[]", "\x00\x01\x02", "{", ""} {
			if ws.WriteMessage(websocket.BinaryMessage, []byte(text)) != nil {
				return
			}
		}
		_, _, _ = ws.ReadMessage()
	})

	up := newUpstream(t)
	h := newHarness(t, Config{}, up.URL("/"), garbage)
	ws := h.dial("/ws")
	h.clients(1)
	h.eventually("garbage was read", func() bool {
		return h.figure(`flashblocks_subscriber_undecodable_total{upstream="`+strings.TrimPrefix(garbage, "ws://")+`"}`) >= 2
	})
	up.PublishBlock(1, 0, 5)
	teststream.Expect(t, ws, 1, 0, 5)
	require.Equal(t, 6, int(h.figure("flashblocks_stream_published_total")))
}

// TestTLS: with certificate and key the same routes are served over TLS.
func TestTLS(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(cert)

	up := newUpstream(t)
	h := newHarness(t, Config{TLS: &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12,
	}}, up.URL("/"))
	h.connected(1)
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, HandshakeTimeout: patience}
	ws, resp, err := dialer.Dial("wss://"+h.cfg.Addr+"/ws", nil)
	require.NoError(t, err)
	_ = resp.Body.Close()
	defer func() { _ = ws.Close() }()
	h.clients(1)
	up.PublishBlock(1, 0, 2)
	teststream.Expect(t, ws, 1, 0, 2)
	_, _, err = dial(t, h.url("/ws"), nil)
	require.Error(t, err, "plain websocket to a TLS port")
}

// FuzzRoutes sends any path, query and header to the routes. Nothing panics, and a key is never
// admitted that is not configured.
func FuzzRoutes(f *testing.F) {
	for _, seed := range [][3]string{
		{"/ws/one", "", ""},
		{"/ws/one/filter", "match=all", "one"},
		{"/ws/%2e%2e/ws", "block_number=1&flashblock_index=2", "Bearer x"},
		{"/ws//", "from=current", ""},
		{"/v0/one%2Ffilter", "notices=only", "x"},
		{"/ws/filter", "addresses=0x", "on"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	p, err := New(Config{Addr: "127.0.0.1:0", Upstreams: []Upstream{{URL: "ws://127.0.0.1:1"}}, KeyRoutes: true, Admission: keys(f, "app:one", false)})
	require.NoError(f, err)
	close(p.settled)
	routes := p.routes()
	f.Fuzz(func(t *testing.T, path, query, header string) {
		target, err := url.ParseRequestURI("/" + strings.TrimLeft(path, "/"))
		if err != nil {
			return
		}
		target.RawQuery = query
		req := &http.Request{Method: http.MethodGet, URL: target, Host: "x", RemoteAddr: "192.0.2.1:5", Header: http.Header{"X-Api-Key": {header}}}
		w := &statusOnly{}
		routes.ServeHTTP(w, req)
		switch w.status {
		case http.StatusUnauthorized, http.StatusNotFound, http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusOK,
			http.StatusServiceUnavailable:
		case http.StatusBadRequest, http.StatusUpgradeRequired: // past admission
			require.True(t, header == "one" || strings.Contains(target.Path, "/one"), "%q %q admitted", target.Path, header)
		default:
			t.Fatalf("status %d for %q", w.status, target.String())
		}
	})
}

// statusOnly is a response nobody reads.
type statusOnly struct {
	status int
	header http.Header
}

func (s *statusOnly) Header() http.Header {
	if s.header == nil {
		s.header = make(http.Header)
	}
	return s.header
}

func (s *statusOnly) WriteHeader(status int) { s.status = status }

func (s *statusOnly) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return len(b), nil
}
