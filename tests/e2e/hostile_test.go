// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// The attack, against the default limit of 256 subscribers.
const (
	neverReading = 100 // complete the handshake and take nothing
	halfOpen     = 60  // connect and send half a request, or nothing
	garbling     = 20  // send what is no websocket frame, again and again
	storm        = 300 // connect at once, more than the limit
	waves        = 3   // of the storm

	publishDeviation = "builder_flashblock_publish_deviation_ms"

	blocksBefore = 10
	blocksDuring = 10
)

// TestHostileClients attacks the stream of a builder at work. What a good subscriber sees must stay as
// it was: every flashblock, at the same moments. The machine runs the attack as well, and perhaps more, so
// the moments are judged in the best of some periods, and by half an interval; a builder that waits for a
// client is late by whole write deadlines for as long as the attack lasts.
func TestHostileClients(t *testing.T) {
	n := boot(t, options{load: 60})
	first := n.caughtUp()
	n.awaitHead(first + blocksBefore - 1)
	before := n.summarise(n.audit(first, n.head()))
	quiet := harness.Scrape(t.Context(), t, n.ends.Metrics).Mean(publishDeviation)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a := &attack{url: n.ends.FlashblocksWS, host: strings.TrimPrefix(n.ends.FlashblocksWS, "ws://")}
	a.start(ctx, t)
	count, undisturbed := 0, false
	for range periods {
		first, published := n.head()+1, harness.Scrape(t.Context(), t, n.ends.Metrics)
		for range waves {
			a.wave(ctx, t)
			count++
		}
		n.awaitHead(first + blocksDuring)
		during := n.summarise(n.audit(first, n.head()))
		busy := harness.Scrape(t.Context(), t, n.ends.Metrics).Since(published).Mean(publishDeviation)
		t.Logf("the builder published %.2f ms after its deadlines on average, %.2f ms under attack", quiet, busy)
		interval := n.Config().Interval
		undisturbed = during.deviation < before.deviation+interval/2 && during.perBlock >= before.perBlock-1 &&
			busy < quiet+float64(interval.Milliseconds())/2
		if undisturbed {
			break
		}
	}
	cancel()
	a.wg.Wait()

	t.Logf("attack: %d never-reading, %d half-open, %d connections with garbage, %d admitted and %d turned away in %d waves of %d",
		len(a.idle), len(a.open), a.garbled, a.admitted, a.rejected, count, storm)
	require.True(t, undisturbed, "flashblocks came as late as before the attack, and as many, in one of %d periods", periods)
	require.Equal(t, count*storm, a.admitted+a.rejected, "everybody got an answer")
	// The places of never-reading clients are free again once the builder has given them up.
	require.GreaterOrEqual(t, a.rejected, count*(storm-256), "the limit held")
	require.Greater(t, a.garbled, garbling, "garbage was sent more than once")
	require.Equal(t, []bool{true}, n.recorder.Changes(), "the good subscriber was never disconnected")

	values := harness.Scrape(t.Context(), t, n.ends.Metrics)
	require.GreaterOrEqual(t, values["flashblocks_stream_rejected_limit_total"], float64(count*(storm-256)))
	require.Positive(t, values[`flashblocks_stream_closed_total{reason="protocol"}`])
	a.end()
	harness.Eventually(t, "only the good subscriber is connected", func() bool {
		return harness.Scrape(t.Context(), t, n.ends.Metrics)["flashblocks_stream_connections"] == 1
	})
}

// attack is a set of hostile clients. They run in this process.
type attack struct {
	url, host string
	wg        sync.WaitGroup

	mu       sync.Mutex // guards garbled while the attack runs
	idle     []*websocket.Conn
	open     []net.Conn
	garbled  int
	admitted int
	rejected int
}

// start connects the clients that hold on, and lets the garbling ones run until ctx ends.
func (a *attack) start(ctx context.Context, t *testing.T) {
	t.Helper()
	t.Cleanup(a.end)
	for range neverReading {
		ws, err := dial(ctx, a.url, 4<<10) // a small window, so that the server's buffer fills early
		require.NoError(t, err)
		a.idle = append(a.idle, ws)
	}
	request := "GET / HTTP/1.1\r\nHost: " + a.host + "\r\nUpgrade: websocket\r\n"
	for i := range halfOpen {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", a.host)
		require.NoError(t, err)
		_, err = io.WriteString(conn, request[:i%len(request)])
		require.NoError(t, err)
		a.open = append(a.open, conn)
	}
	for range garbling {
		a.wg.Go(func() { a.garble(ctx) })
	}
}

// garble connects and sends garbage, a few times a second, until ctx ends.
func (a *attack) garble(ctx context.Context) {
	ticker := time.NewTicker(300 * time.Millisecond)
	defer ticker.Stop()
	for {
		if ws, err := dial(ctx, a.url, 0); err == nil {
			_, _ = ws.NetConn().Write([]byte(strings.Repeat("\xff\x00 garbage", 50)))
			// The answer is a close frame or the end of the connection, whichever the server prefers.
			_ = ws.SetReadDeadline(time.Now().Add(time.Second))
			_, _, _ = ws.ReadMessage()
			_ = ws.Close()
			a.mu.Lock()
			a.garbled++
			a.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// wave connects everybody at once. Whoever is admitted stays until all have an answer.
func (a *attack) wave(ctx context.Context, t *testing.T) {
	t.Helper()
	var (
		begin   = make(chan struct{})
		done    = make(chan struct{})
		verdict = make(chan error, storm) // nil for an admitted client
		wg      sync.WaitGroup
	)
	for range storm {
		wg.Go(func() {
			<-begin
			a.visit(ctx, verdict, done)
		})
	}
	close(begin)
	for range storm {
		err := <-verdict
		switch {
		case err == nil:
			a.admitted++
		case isRejection(err):
			a.rejected++
		default:
			t.Errorf("a client of the storm got neither flashblocks nor a rejection: %v", err)
		}
	}
	close(done)
	wg.Wait()
}

// errUnavailable is the answer to an upgrade when too many are being turned away.
var errUnavailable = errors.New("503 to the upgrade")

// isRejection tells whether a client was turned away as documented.
func isRejection(err error) bool {
	return errors.Is(err, errUnavailable) || websocket.IsCloseError(err, websocket.CloseTryAgainLater)
}

// visit makes one connection of the storm and reports the first thing it hears: a flashblock or a close.
func (a *attack) visit(ctx context.Context, verdict chan<- error, done <-chan struct{}) {
	ws, err := dial(ctx, a.url, 0)
	if err != nil {
		verdict <- err
		return
	}
	defer func() { _ = ws.Close() }()
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	if _, _, err = ws.ReadMessage(); err != nil {
		verdict <- err
		return
	}
	verdict <- nil
	<-done
}

// end closes the connections that are held.
func (a *attack) end() {
	for _, ws := range a.idle {
		_ = ws.Close()
	}
	for _, conn := range a.open {
		_ = conn.Close()
	}
}

// dial connects to a stream, with a receive buffer of the given size if it is not 0.
func dial(ctx context.Context, url string, buffer int) (*websocket.Conn, error) {
	dialer := websocket.Dialer{
		HandshakeTimeout: patience,
		NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			if tcp, ok := conn.(*net.TCPConn); ok && buffer > 0 {
				err = errors.Join(err, tcp.SetReadBuffer(buffer))
			}
			return conn, err
		},
	}
	ws, resp, err := dialer.DialContext(ctx, url, nil)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }()
		if err != nil && resp.StatusCode == http.StatusServiceUnavailable {
			return nil, errUnavailable
		}
	}
	return ws, err
}
