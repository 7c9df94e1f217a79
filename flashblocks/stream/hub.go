// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/log"
)

// pingShards is into how many groups the clients are divided for pings. One goroutine serves them in
// turn, so ten thousand clients are pinged in groups of about 600, spread evenly over the interval.
const pingShards = 16

// processorsPerWalker is for how many processors there is a walker. Writing to a socket is the kernel's work,
// of which the other half happens elsewhere; a walker for each processor costs a tenth more CPU for a
// delivery and is no faster where the clients are on the same machine.
const processorsPerWalker = 2

// Hub fans messages out to websocket clients. Publish may be called at any time, also before Start
// and after Stop. A Hub is used once: it cannot be started again after Stop.
type Hub struct {
	cfg  HubConfig
	log  log.Logger
	m    *hubMetrics
	ring *ring

	walkers []*walker
	wake    atomic.Pointer[chan struct{}] // closed when there is something to read, for clients without a walker
	pulse   chan struct{}                 // tells the dispatcher to do that

	active    atomic.Int64 // clients admitted or being admitted
	rejecting atomic.Int64 // clients being turned away
	closing   atomic.Bool

	mu      sync.Mutex
	state   lifecycle
	unwatch func() bool
	shards  [pingShards]map[*client]struct{}
	next    int            // walker of the next client
	wg      sync.WaitGroup // dispatcher, walkers, pinger, requests and every client's goroutines
	done    chan struct{}  // closed when closing begins
}

// lifecycle is how far a component got.
type lifecycle uint8

const (
	stateNew lifecycle = iota
	stateRunning
	stateStopped
)

// NewHub returns a hub that is not running.
func NewHub(cfg HubConfig) *Hub {
	cfg = cfg.withDefaults()
	h := &Hub{
		cfg:   cfg,
		log:   cfg.Log,
		m:     newHubMetrics(&cfg),
		ring:  newRing(cfg.RingMessages, cfg.RingBytes),
		pulse: make(chan struct{}, 1), // one pending pulse covers every message before it
		done:  make(chan struct{}),
	}
	for i := range h.shards {
		h.shards[i] = make(map[*client]struct{})
	}
	for range max(runtime.GOMAXPROCS(0)/processorsPerWalker, 1) {
		h.walkers = append(h.walkers, newWalker(h))
	}
	wake := make(chan struct{})
	h.wake.Store(&wake)
	return h
}

// Publish gives a message to every client. It neither blocks nor waits for a client, and costs the
// same for any number of them: one ring write and one pulse, or HubConfig.Direct writes at most. After
// Stop it does nothing.
func (h *Hub) Publish(m Message) {
	e := &entry{msg: m}
	if !h.ring.add(e) {
		return
	}
	h.m.published.Inc()
	h.m.ringSize.Set(float64(h.ring.size.Load()))
	if h.cfg.Direct == 0 || !h.direct(e.seq) {
		h.signal()
	}
}

func (h *Hub) signal() {
	select {
	case h.pulse <- struct{}{}:
	default:
	}
}

// Start makes the hub admit clients. The end of ctx has the effect of Stop, except that nothing waits.
func (h *Hub) Start(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch h.state {
	case stateRunning:
		return ErrStarted
	case stateStopped:
		return ErrStopped
	}
	h.state = stateRunning
	h.wg.Add(1)
	go h.dispatch()
	h.wg.Add(len(h.walkers))
	for _, w := range h.walkers {
		go w.run()
	}
	if !h.cfg.NoPing {
		h.wg.Add(1)
		go h.ping()
	}
	h.unwatch = context.AfterFunc(ctx, h.beginStop)
	return nil
}

// Stop refuses new clients and messages, lets the connected clients take what is published, closes
// them with 1001 (going away) and returns when every goroutine of the hub has ended. Clients that
// have not finished when ctx ends, or after DrainTimeout if it has no deadline, are cut off, and
// ErrDrainTimeout says so. A request being answered may take CloseGrace and a handshake longer.
func (h *Hub) Stop(ctx context.Context) error {
	h.beginStop()
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.cfg.DrainTimeout)
		defer cancel()
	}
	ended := make(chan struct{})
	go func() {
		h.wg.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	cut := h.cutAll()
	<-ended
	if cut > 0 {
		return fmt.Errorf("%w: %d", ErrDrainTimeout, cut)
	}
	return nil
}

// beginStop starts the end of every client and goroutine, and waits for none.
func (h *Hub) beginStop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state == stateStopped {
		return
	}
	h.state = stateStopped
	if h.unwatch != nil {
		h.unwatch()
	}
	// First the ring, then the flag: a client that sees the flag and nothing to read has read all.
	h.ring.close()
	h.closing.Store(true)
	close(h.done)
}

// cutAll closes every client's socket and returns how many there were.
func (h *Hub) cutAll() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, shard := range h.shards {
		for c := range shard {
			c.cut()
			n++
		}
	}
	return n
}

// dispatch wakes the writers. It stands between Publish and them because waking is linear in their
// number.
func (h *Hub) dispatch() {
	defer h.wg.Done()
	for {
		select {
		case <-h.pulse:
			h.wakeAll()
		case <-h.done:
			h.wakeAll()
			return
		}
	}
}

// wakeAll wakes every walker, and every client that has none and waits. Such a client takes the channel
// before it looks into the ring, so whatever it did not find there closes the channel it holds.
func (h *Hub) wakeAll() {
	for _, w := range h.walkers {
		w.rouse()
	}
	next := make(chan struct{})
	close(*h.wake.Swap(&next))
}

// ping asks the clients of one shard after the other to prove that they live.
func (h *Hub) ping() {
	defer h.wg.Done()
	ticker := time.NewTicker(max(h.cfg.PingInterval/pingShards, time.Millisecond))
	defer ticker.Stop()
	for shard := 0; ; shard = (shard + 1) % pingShards {
		select {
		case <-ticker.C:
		case <-h.done:
			return
		}
		h.mu.Lock()
		for c := range h.shards[shard] {
			c.signal(signalPing)
		}
		h.mu.Unlock()
	}
}

// register admits a client, or reports false if the hub is not running. The caller runs the client's
// reader, and its writer if it has no walker, which end with h.wg.Done each.
func (h *Hub) register(c *client) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state != stateRunning {
		return false
	}
	// A random shard is the jitter: clients that connect together are not pinged together.
	c.shard = rand.IntN(pingShards) //nolint:gosec // spreads load, protects nothing
	h.shards[c.shard][c] = struct{}{}
	h.wg.Add(1)
	if c.raw == nil {
		h.wg.Add(1)
		return true
	}
	h.next = (h.next + 1) % len(h.walkers)
	c.walker = h.walkers[h.next]
	c.walker.members.Add(1)
	return true
}

func (h *Hub) unregister(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.shards[c.shard], c)
}

// enter lets Stop wait for a request, or reports false if the hub is not running. The caller ends with
// h.wg.Done.
func (h *Hub) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state != stateRunning {
		return false
	}
	h.wg.Add(1)
	return true
}
