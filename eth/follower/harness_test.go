// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package follower

import (
	"context"
	"encoding/binary"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// patience is how long a test waits for something that must happen. It decides nothing else.
const patience = 30 * time.Second

// at is where a flashblock of a test stands; attempt tells payloads of one block apart.
type at struct{ block, attempt, index uint64 }

func (a at) payload() (id engine.PayloadID) {
	binary.BigEndian.PutUint64(id[:], a.block<<8|a.attempt)
	return id
}

// flashblock returns an empty flashblock for a place.
func (a at) flashblock() *flashblocks.Flashblock {
	fb := &flashblocks.Flashblock{PayloadID: a.payload(), Index: a.index}
	fb.Metadata = flashblocks.Metadata{BlockNumber: a.block, Dialect: flashblocks.DialectTrimmed}
	if a.index == 0 {
		fb.Base = &flashblocks.Base{BlockNumber: a.block, BaseFeePerGas: uint256.NewInt(1)}
	}
	return fb
}

// message returns the flashblock as a hub publishes it.
func (a at) message() stream.Message {
	return stream.Message{PayloadID: a.payload(), BlockNumber: a.block, Index: a.index, V1: a.flashblock().AppendJSON(nil)}
}

// recordingSink keeps what it is given.
type recordingSink struct {
	mu   sync.Mutex
	got  []at
	wait chan struct{} // nil, or what every delivery waits for
}

func (s *recordingSink) Deliver(ctx context.Context, fb *flashblocks.Flashblock, _ time.Time) bool {
	if s.wait != nil {
		select {
		case <-s.wait:
		case <-ctx.Done():
			return false
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	number := binary.BigEndian.Uint64(fb.PayloadID[:])
	s.got = append(s.got, at{number >> 8, number & 0xff, fb.Index})
	return true
}

func (s *recordingSink) taken() []at {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]at(nil), s.got...)
}

// delivery returns a flashblock as a subscriber delivers it.
func (a at) delivery() stream.Delivery {
	msg := a.message()
	return stream.Delivery{
		Header:  flashblocks.Header{PayloadID: msg.PayloadID, Index: msg.Index, BlockNumber: msg.BlockNumber, HasBase: a.index == 0},
		JSON:    msg.V1,
		Arrived: fresh(),
	}
}

// fresh is a time after every connection of the test, however coarse the clock is.
func fresh() time.Time { return time.Now().Add(time.Hour) }

// mergeHarness feeds a merger from two streams, a and b.
type mergeHarness struct {
	*merger
	sink    *recordingSink
	sources map[string]*source
	resumes map[string]int
}

func newMergeHarness() *mergeHarness {
	h := &mergeHarness{sink: new(recordingSink), sources: make(map[string]*source), resumes: make(map[string]int)}
	h.merger = newMerger(h.sink, newMeters(metrics.NewSet(), func() int { return 0 }))
	for _, name := range []string{"a", "b"} {
		src := &source{name: name, resume: func() { h.resumes[name]++ }}
		h.sources[name] = src
		h.resumeFrom(src)
	}
	return h
}

func (h *mergeHarness) feed(name string, list ...at) {
	for _, a := range list {
		h.accept(h.sources[name], a.delivery())
	}
}

func block(number, attempt uint64, indices ...uint64) []at {
	list := make([]at, 0, len(indices))
	for _, index := range indices {
		list = append(list, at{number, attempt, index})
	}
	return list
}

// upstream is a hub that a test can take away and bring back at the same address.
type upstream struct {
	t      *testing.T
	hub    *stream.Hub
	server *httptest.Server
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{t: t, hub: stream.NewHub(stream.HubConfig{})}
	require.NoError(t, u.hub.Start(t.Context()))
	u.server = httptest.NewServer(u.hub.Handler())
	t.Cleanup(u.stop)
	return u
}

func (u *upstream) url() string { return "ws" + strings.TrimPrefix(u.server.URL, "http") }

func (u *upstream) publish(list ...at) {
	for _, a := range list {
		u.hub.Publish(a.message())
	}
}

func (u *upstream) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = u.hub.Stop(ctx)
	u.server.Close()
}

func startFollower(t *testing.T, cfg Config) *Follower {
	t.Helper()
	cfg.Timeout, cfg.Metrics = patience, metrics.NewSet()
	f, err := New(cfg)
	require.NoError(t, err)
	require.NoError(t, f.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, f.Stop()) })
	return f
}

func eventually(t *testing.T, name string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, patience, 2*time.Millisecond, name)
}

func mustURL(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	return u
}
