// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"
)

// observation is what readiness is judged from.
type observation struct {
	Now     time.Time
	Syncing bool // the node has not caught up with the chain yet

	// Of a follower only.
	Follows   bool
	Connected int           // streams connected
	Newest    time.Time     // when the newest pending state came, zero if none has yet
	MaxAge    time.Duration // bound on its age
}

// readiness is the body of /readyz.
type readiness struct {
	Ready       bool   `json:"ready"`
	Reason      string `json:"reason,omitempty"`
	Syncing     bool   `json:"syncing"`
	Upstreams   *int   `json:"upstreams_connected,omitempty"`    // of a follower
	AgeMS       *int64 `json:"newest_snapshot_age_ms,omitempty"` // absent before the first
	BlockNumber uint64 `json:"block_number"`                     // of the canonical head
	Pending     *place `json:"pending,omitempty"`                // absent while pending is latest
}

// place names a flashblock.
type place struct {
	BlockNumber uint64 `json:"block_number"`
	Index       uint64 `json:"index"`
}

// judge tells whether a node should be sent requests about the pending state. A builder is not judged by the
// age of its pending state: one that is not asked to build has none, and is right to answer with latest.
func judge(o observation) readiness {
	r := readiness{Syncing: o.Syncing}
	if !o.Newest.IsZero() {
		age := o.Now.Sub(o.Newest).Milliseconds()
		r.AgeMS = &age
	}
	if o.Follows {
		r.Upstreams = &o.Connected
	}
	switch {
	case o.Syncing:
		r.Reason = "the node is syncing"
	case o.Follows && o.Connected == 0:
		r.Reason = "no flashblocks stream is connected"
	case o.Follows && o.Newest.IsZero():
		r.Reason = "no flashblock has been executed yet"
	case o.Follows && o.Now.Sub(o.Newest) > o.MaxAge:
		r.Reason = "the newest pending state is older than " + o.MaxAge.String()
	default:
		r.Ready = true
	}
	return r
}

// healthConfig configures a health.
type healthConfig struct {
	Source  snapshots
	Syncing func() bool
	Head    func() uint64 // number of the canonical head
	Streams func() int    // streams connected, nil on a node that does not follow
	MaxAge  time.Duration
	Metrics *metrics.Set
}

// health watches the pending state and serves /healthz and /readyz.
type health struct {
	cfg   healthConfig
	begun time.Time

	mu     sync.Mutex
	newest time.Time // when the newest pending state came
	red    string    // the reason answered last

	quit chan struct{}
	wg   sync.WaitGroup
}

func newHealth(cfg healthConfig) *health {
	h := &health{cfg: cfg, begun: time.Now(), quit: make(chan struct{})}
	cfg.Metrics.NewGauge("flashblocks_ready", func() float64 {
		if h.now().Ready {
			return 1
		}
		return 0
	})
	cfg.Metrics.NewGauge("flashblocks_newest_snapshot_age_seconds", func() float64 { return h.age(time.Now()).Seconds() })
	return h
}

// start begins to watch.
func (h *health) start(context.Context) error {
	h.wg.Go(h.watch)
	return nil
}

func (h *health) stop() error {
	close(h.quit)
	h.wg.Wait()
	return nil
}

// watch notes when pending state comes. It subscribes again should it ever fall behind.
func (h *health) watch() {
	for {
		sub := h.cfg.Source.Subscribe()
		open := true
		for open {
			var fresh bool
			select {
			case ev, ok := <-sub.Events():
				open, fresh = ok, ok && ev.Fresh
			case <-h.quit:
				sub.Unsubscribe()
				return
			}
			if fresh {
				h.mu.Lock()
				h.newest = time.Now()
				h.mu.Unlock()
			}
		}
		select {
		case <-h.quit:
			return
		case <-time.After(time.Second): // the overlay has stopped, or the machine is overloaded
		}
	}
}

// now judges the node as it is.
func (h *health) now() readiness {
	h.mu.Lock()
	newest := h.newest
	h.mu.Unlock()
	o := observation{Now: time.Now(), Syncing: h.cfg.Syncing(), Newest: newest, MaxAge: h.cfg.MaxAge}
	if h.cfg.Streams != nil {
		o.Follows, o.Connected = true, h.cfg.Streams()
	}
	r := judge(o)
	r.BlockNumber = h.cfg.Head()
	if s := h.cfg.Source.Snapshot(); s != nil {
		r.Pending = &place{BlockNumber: s.Number(), Index: s.Index}
	}
	return r
}

// age is how long ago the newest pending state came, or as long as none has, how long it has been waited for: zero
// would look like the best of all.
func (h *health) age(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.newest.IsZero() {
		return now.Sub(h.begun)
	}
	return now.Sub(h.newest)
}

// healthz answers 200 as long as the process serves requests.
func (h *health) healthz(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

// readyz answers 200 when ready and 503 when not, with the readiness as JSON.
func (h *health) readyz(w http.ResponseWriter, _ *http.Request) {
	r := h.now()
	h.report(r.Reason)
	body, err := json.Marshal(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !r.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(append(body, '\n'))
}

// report logs a change of what was answered.
func (h *health) report(reason string) {
	h.mu.Lock()
	before := h.red
	h.red = reason
	h.mu.Unlock()
	switch {
	case reason == before:
	case reason == "":
		log.Info("Pending state is ready again")
	default:
		log.Warn("Pending state is not ready", "reason", reason)
	}
}
