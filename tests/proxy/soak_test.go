// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
	"github.com/ethereum/go-ethereum/flashgeth/proxy"
	"github.com/ethereum/go-ethereum/flashgeth/proxy/load"
)

// The soak's size; `make soak-proxy` sets them to ten minutes and 2,000 clients.
const (
	envSoakTime    = "PROXY_SOAK_TIME"
	envSoakClients = "PROXY_SOAK_CLIENTS"
)

func soakSize(t *testing.T) (duration time.Duration, clients int) {
	t.Helper()
	duration, clients = 12*time.Second, 60
	if text := os.Getenv(envSoakTime); text != "" {
		d, err := time.ParseDuration(text)
		require.NoError(t, err)
		duration = d
	}
	if text := os.Getenv(envSoakClients); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		clients = n
	}
	return duration, clients
}

// soak is a run in progress.
type soak struct {
	proxy   *proxy.Proxy
	ending  atomic.Bool
	final   atomic.Uint64 // number of messages published, once it is known
	resumes atomic.Uint64
	reads   atomic.Uint64

	mu     sync.Mutex
	faults []string
}

func (s *soak) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) < 20 {
		s.faults = append(s.faults, fmt.Sprintf(format, args...))
	}
}

// subscriber is one client, across all its connections.
type subscriber struct {
	soak     *soak
	id       int
	filtered bool
	path     string
	rng      *rand.Rand

	began bool
	next  uint64 // the message that must come next
	at    string // resume query
}

// wants reports whether message n is for this client.
func (c *subscriber) wants(n uint64) bool { return !c.filtered || n%3 == 0 }

// finished reports whether everything that was published has arrived.
func (c *subscriber) finished() bool {
	final := c.soak.final.Load()
	return c.soak.ending.Load() && final > 0 && c.began && c.next >= final
}

// run connects, reads, dies and resumes until it has the last message.
func (c *subscriber) run(ctx context.Context) {
	for !c.finished() && ctx.Err() == nil {
		url := "ws://" + c.soak.proxy.Addr().String() + c.path + c.at
		ws, status, err := teststream.TryDial(url, nil, false)
		if err != nil {
			if status != 0 {
				c.soak.fault("client %d refused with %d", c.id, status)
				return
			}
			pause(ctx, 50*time.Millisecond)
			continue
		}
		c.follow(ctx, ws)
		_ = ws.Close()
		if !c.soak.ending.Load() {
			pause(ctx, time.Duration(c.rng.IntN(500))*time.Millisecond)
		}
	}
}

// follow reads until this connection's time is over, the server ends it, or there is nothing more.
func (c *subscriber) follow(ctx context.Context, ws *websocket.Conn) {
	ends := time.Now().Add(time.Duration(500+c.rng.IntN(8000)) * time.Millisecond)
	unwatch := context.AfterFunc(ctx, func() { _ = ws.Close() })
	defer unwatch()
	resumed := c.began
	for !c.finished() {
		if time.Now().After(ends) && !c.soak.ending.Load() {
			return // dies without a word
		}
		m, err := teststream.Read(ws)
		if err != nil {
			var closed *websocket.CloseError
			if errors.As(err, &closed) && closed.Code != websocket.CloseTryAgainLater && closed.Code != websocket.CloseGoingAway &&
				closed.Code != websocket.CloseAbnormalClosure {
				c.soak.fault("client %d closed with %d %s", c.id, closed.Code, closed.Text)
			}
			return
		}
		n := numberOf(m.Header)
		c.soak.reads.Add(1)
		if c.began && n != c.next || !c.wants(n) {
			c.soak.fault("client %d got %d, expected %d (resumed %v, %s)", c.id, n, c.next, resumed, c.at)
			return
		}
		if resumed {
			c.soak.resumes.Add(1)
			resumed = false
		}
		c.began = true
		for c.next = n + 1; !c.wants(c.next); c.next++ {
		}
		mark := "?"
		if c.filtered {
			mark = "&"
		}
		c.at = fmt.Sprintf("%sblock_number=%d&flashblock_index=%d&payload_id=%s", mark, m.BlockNumber, m.Index, m.PayloadID)
	}
}

// pause waits, or until the end of the test.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// TestSoak: clients connect, die, resume and filter while two upstreams are killed in turn. Each
// client has every flashblock once and in order, and afterwards nothing is left of it.
func TestSoak(t *testing.T) {
	duration, clients := soakSize(t)
	require.NoError(t, load.RaiseFileLimit(4*clients))
	before := goleak.IgnoreCurrent()

	first, second := newBuilder(t), newBuilder(t)
	p, err := proxy.New(proxy.Config{
		Addr: "127.0.0.1:0", Deflate: true, ClientPing: true, DrainTimeout: patience, SendTimeout: patience,
		Upstreams: []proxy.Upstream{{URL: first.url()}, {URL: second.url()}},
	})
	require.NoError(t, err)
	require.NoError(t, p.Start(context.Background()))
	s := &soak{proxy: p}
	for range 50 { // warm up: pools, the ring, the first replay
		first.publish()
		second.publish()
	}
	idle := footprint()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var chaos, crowd sync.WaitGroup
	halt := make(chan struct{})
	chaos.Go(func() { publishing(halt, first, second) })
	chaos.Go(func() { killing(ctx, halt, first, second) })
	for id := range clients {
		crowd.Go(func() { newSubscriber(s, id).run(ctx) })
	}
	pause(ctx, duration)
	close(halt)
	chaos.Wait()
	first.start()
	second.start()
	s.final.Store(first.next)
	s.ending.Store(true)
	// The stream goes on, so that nobody waits for a message that would tell him to end.
	over := make(chan struct{})
	chaos.Go(func() { publishing(over, first, second) })
	finish := time.AfterFunc(patience, cancel)
	crowd.Wait()
	close(over)
	chaos.Wait()
	require.True(t, finish.Stop(), "some clients never got the last message")
	require.Empty(t, s.faults)
	require.Greater(t, s.resumes.Load(), uint64(clients/4), "clients resumed")
	t.Logf("%d clients, %d messages published, %d read, %d resumed connections, memory %d KiB before and %d KiB after",
		clients, first.next, s.reads.Load(), s.resumes.Load(), idle.heap>>10, footprint().heap>>10)

	require.Eventually(t, func() bool { return footprint().goroutines <= idle.goroutines+8 }, patience, 100*time.Millisecond,
		"goroutines return to where they were")
	require.Less(t, footprint().heap, idle.heap+16<<20, "memory returns to where it was")
	stop, cancelStop := context.WithTimeout(context.Background(), patience)
	defer cancelStop()
	require.NoError(t, p.Stop(stop))
	first.stop()
	second.stop()
	goleak.VerifyNone(t, before)
}

func newSubscriber(s *soak, id int) *subscriber {
	c := &subscriber{soak: s, id: id, rng: rand.New(rand.NewPCG(7, uint64(id)))}
	switch id % 4 {
	case 0:
		c.path = "/ws"
	case 1, 2:
		c.path = "/ws"
	case 3:
		c.filtered = true
		c.path = "/ws/filter?addresses=" + marked.Hex()
	}
	return c
}

// publishing publishes the same stream at both builders until halt.
func publishing(halt <-chan struct{}, builders ...*builder) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			for _, b := range builders {
				b.publish()
			}
		case <-halt:
			return
		}
	}
}

// killing kills the builders, one or both at a time, every few seconds until halt.
func killing(ctx context.Context, halt <-chan struct{}, builders ...*builder) {
	for round := 0; ; round++ {
		select {
		case <-halt:
			return
		case <-time.After(2 * time.Second):
		}
		victims := builders
		if round%3 != 2 {
			victims = builders[round%2 : round%2+1]
		}
		for _, b := range victims {
			b.stop()
		}
		pause(ctx, 400*time.Millisecond)
		for _, b := range victims {
			b.start()
		}
	}
}

// memory is what this process holds.
type memory struct {
	heap       uint64
	goroutines int
}

func footprint() memory {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return memory{m.HeapAlloc, runtime.NumGoroutine()}
}
