// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// putAside puts a message into the ring without telling any writer, and returns its number.
func (h *harness) putAside(m Message) uint64 {
	h.t.Helper()
	e := &entry{msg: m}
	require.True(h.t, h.hub.ring.add(e))
	return e.seq
}

// TestDirectWrite: the publisher writes to a client that has caught up, and nobody else has to.
func TestDirectWrite(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/binary"} {
		h := newHarness(t, HubConfig{Direct: 1, NoPing: true}, ServerConfig{})
		ws := h.dial(path)
		last := uint64(0)
		h.publish(1, 0, 0)
		// Not while its walker is at work.
		h.eventually("the publisher writes", func() bool {
			last++
			if h.hub.direct(h.putAside(message(teststream.PayloadID(1), 1, last, 0))) {
				return true
			}
			h.hub.signal()
			return false
		})
		teststream.Expect(t, ws, 1, 0, last)
	}
}

// TestDirectLeavesTheRest to the hub: more clients than it is for, and whatever costs more than one write.
func TestDirectLeavesTheRest(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cfg   HubConfig
		paths []string
	}{
		"too many clients": {HubConfig{Direct: 1}, []string{"/", "/"}},
		"own goroutine":    {HubConfig{Direct: 4, portable: true}, []string{"/"}},
		"v0":               {HubConfig{Direct: 4}, []string{"/v0"}},
		"brotli":           {HubConfig{Direct: 4}, []string{"/brotli"}},
		"deflate":          {HubConfig{Direct: 4, Deflate: true}, []string{"/"}},
		"one of two":       {HubConfig{Direct: 4}, []string{"/", "/brotli"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, tc.cfg, ServerConfig{})
			var clients []*websocket.Conn
			for _, path := range tc.paths {
				clients = append(clients, h.dial(path))
			}
			h.publish(1, 0, 0)
			for _, ws := range clients {
				teststream.Expect(t, ws, 1, 0, 0)
			}
			require.False(t, h.hub.direct(h.putAside(message(teststream.PayloadID(1), 1, 1, 0))))
			h.hub.signal()
			for _, ws := range clients {
				teststream.Expect(t, ws, 1, 1, 1)
			}
		})
	}
}

// TestDirectKeepsTheOrder, whoever of publishers, walker and the clients' own goroutines writes.
func TestDirectKeepsTheOrder(t *testing.T) {
	t.Parallel()
	const messages = 600
	h := newHarness(t, HubConfig{Direct: 4, SendBuffer: 32 << 10, PingInterval: 16 * time.Millisecond, WriteTimeout: patience}, ServerConfig{})
	clients := []*websocket.Conn{h.dialSmall("/"), h.dialSmall("/binary"), h.dial("/"), h.dial("/v0")}
	var publishers sync.WaitGroup
	var mu sync.Mutex
	next := uint64(0)
	for range 2 {
		publishers.Go(func() {
			for {
				mu.Lock()
				index := next
				next++
				mu.Unlock()
				if index >= messages {
					return
				}
				h.hub.Publish(message(teststream.PayloadID(1), 1, index, int(index%7)<<11))
			}
		})
	}
	// The two publishers may overtake each other, but every client sees the same order, and everything.
	orders := make([][]uint64, len(clients))
	errs := make([]error, len(clients))
	var readers sync.WaitGroup
	for i, ws := range clients {
		readers.Go(func() {
			for len(orders[i]) < messages && errs[i] == nil {
				m, err := teststream.Read(ws)
				orders[i], errs[i] = append(orders[i], m.Index), err
			}
		})
	}
	publishers.Wait()
	readers.Wait()
	for i := range clients {
		require.NoError(t, errs[i], "client %d", i)
		require.Equal(t, orders[0], orders[i], "client %d", i)
	}
	seen := make(map[uint64]bool)
	for _, index := range orders[0] {
		seen[index] = true
	}
	require.Len(t, seen, messages)
	for _, ws := range clients {
		require.NoError(t, ws.Close())
	}
}

// TestPublishWaitsForNobody: with every client stuck, and every lock held that writers, readers, handshakes
// and pings share, all that the ring holds can still be published several times over.
func TestPublishWaitsForNobody(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]HubConfig{"walker": {}, "direct": {Direct: 8}, "portable": {portable: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const clients, ring = 4, 64
			cfg.RingMessages, cfg.WriteTimeout, cfg.SendBuffer = ring, time.Hour, 4096
			h := newHarness(t, cfg, ServerConfig{})
			for range clients {
				h.upgradeRaw("/") // never reads
			}
			if !cfg.portable {
				h.eventually("all are served by walkers", func() bool { return h.listed() == clients })
			}
			// More than fits between them: from now on each has a write before it that never ends.
			for index := range uint64(32) {
				h.hub.Publish(message(teststream.PayloadID(1), 1, index, 1<<17))
			}
			h.eventually("each is on a goroutine of its own", func() bool { return h.listed() == 0 })

			published := make(chan struct{})
			h.hub.mu.Lock()
			for _, w := range h.hub.walkers {
				w.turn.Lock()
				w.mu.Lock()
			}
			go func() {
				defer close(published)
				h.publish(2, 0, 4*ring-1)
			}()
			select {
			case <-published:
			case <-time.After(patience):
				t.Error("Publish waits for a client")
			}
			for _, w := range h.hub.walkers {
				w.mu.Unlock()
				w.turn.Unlock()
			}
			h.hub.mu.Unlock()
			<-published
			require.EqualValues(t, 32+4*ring, h.hub.m.published.Get())
		})
	}
}

// listed is how many clients are on the lists of walkers.
func (h *harness) listed() (n int) {
	for _, w := range h.hub.walkers {
		w.turn.Lock()
		n += len(w.clients)
		w.turn.Unlock()
	}
	return n
}
