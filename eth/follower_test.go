// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

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
		Arrived: time.Now(),
	}
}

// mergeHarness feeds a merger from two streams, a and b.
type mergeHarness struct {
	*merger
	sink    *recordingSink
	sources map[string]*source
	resumes map[string]int
}

func newMergeHarness() *mergeHarness {
	h := &mergeHarness{sink: new(recordingSink), sources: make(map[string]*source), resumes: make(map[string]int)}
	h.merger = newMerger(h.sink, newFollowerMetrics(metrics.NewSet(), func() int { return 0 }))
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

// Of two streams the first to bring a flashblock counts, whichever that is.
func TestMergeFirstArrivalWins(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", block(5, 0, 0, 1)...)
	h.feed("b", block(5, 0, 0, 1, 2, 3)...)
	h.feed("a", block(5, 0, 2, 3, 4)...)
	h.feed("a", block(6, 0, 0, 1)...)
	h.feed("b", block(5, 0, 4)...) // of a block left behind
	h.feed("b", block(6, 0, 0, 1)...)
	require.Equal(t, append(block(5, 0, 0, 1, 2, 3, 4), block(6, 0, 0, 1)...), h.sink.taken())
	require.Empty(t, h.resumes)
	require.Equal(t, uint64(7), h.metrics.taken.Get())
	require.Equal(t, uint64(7), h.metrics.repeated.Get(), "a repetition was decoded again")
	last, ok := h.position()
	require.True(t, ok)
	require.Equal(t, flashblocks.FlashblockID{BlockNumber: 6, Index: 1}, last)
}

// A flashblock that comes too early makes its stream begin again after the last one held, and is not
// handed on before what it misses.
func TestMergeResumesAtAGap(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", block(5, 0, 0, 1, 3, 4)...)
	require.Equal(t, block(5, 0, 0, 1), h.sink.taken())
	require.Equal(t, map[string]int{"a": 1}, h.resumes)

	from, ok := h.resumeFrom(h.sources["a"])
	require.True(t, ok)
	require.Equal(t, flashblocks.Header{PayloadID: at{block: 5}.payload(), BlockNumber: 5, Index: 1}, from)
	h.feed("a", block(5, 0, 2, 3, 4)...)
	require.Equal(t, block(5, 0, 0, 1, 2, 3, 4), h.sink.taken())
	require.Equal(t, map[string]int{"a": 1}, h.resumes)
}

// What one stream misses the other may bring before the first has begun again.
func TestMergeFillsAGapFromAnotherStream(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", block(5, 0, 0, 1, 3)...)
	h.feed("b", block(5, 0, 0, 1, 2, 3, 4)...)
	h.resumeFrom(h.sources["a"])
	h.feed("a", block(5, 0, 2, 3, 4, 5)...)
	require.Equal(t, block(5, 0, 0, 1, 2, 3, 4, 5), h.sink.taken())
	require.Equal(t, map[string]int{"a": 1}, h.resumes)
}

// A stream that has begun again and still misses the same has lost it: the sink is told by what comes
// next, once per flashblock, and the stream is left alone.
func TestMergeGivesUpWhatIsLost(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", block(5, 0, 0, 2)...)
	late := at{5, 0, 3}.delivery() // read before, handled after the new connection
	h.resumeFrom(h.sources["a"])
	late.Arrived = time.Unix(0, h.sources["a"].dialed.Load()-1)
	h.accept(h.sources["a"], late)
	require.Equal(t, block(5, 0, 0), h.sink.taken())

	h.feed("a", block(5, 0, 2, 3)...)
	h.feed("a", block(6, 0, 0)...)
	require.Equal(t, append(block(5, 0, 0, 2, 3), at{6, 0, 0}), h.sink.taken())
	require.Equal(t, map[string]int{"a": 1}, h.resumes)
}

// A new attempt whose beginning was missed is asked for from the end of the block before.
func TestMergeMissedAttempt(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", append(block(4, 0, 0, 1), block(5, 0, 0, 1)...)...)
	h.feed("a", block(5, 1, 1)...)
	require.Equal(t, map[string]int{"a": 1}, h.resumes)
	from, ok := h.resumeFrom(h.sources["a"])
	require.True(t, ok)
	require.Equal(t, flashblocks.Header{BlockNumber: 4, Index: 1}, from)
	h.feed("a", block(5, 1, 0, 1)...)
	require.Equal(t, block(5, 1, 0, 1), h.sink.taken()[4:])
}

// Before anything was held there is nothing to resume from: a stream that begins in the middle of a block
// is waited out.
func TestMergeBeginsAtABase(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	_, ok := h.resumeFrom(h.sources["a"])
	require.False(t, ok)
	h.feed("a", block(5, 0, 3, 4)...)
	h.feed("a", block(6, 0, 0)...)
	require.Equal(t, []at{{6, 0, 0}}, h.sink.taken()[2:])
	require.Empty(t, h.resumes)
}

// The end of a block that the next one says was published is asked for, where the dialect tells.
func TestMergeMissedTail(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", block(5, 0, 0, 1)...)
	next := at{6, 0, 0}
	fb := next.flashblock()
	fb.Metadata.PrevFlashblockID = &flashblocks.FlashblockID{BlockNumber: 5, Index: 2}
	d := next.delivery()
	d.JSON = fb.AppendJSON(nil)
	h.accept(h.sources["a"], d)
	require.Equal(t, map[string]int{"a": 1}, h.resumes)
	h.resumeFrom(h.sources["a"])
	h.feed("a", at{5, 0, 2})
	d.Arrived = time.Now()
	h.accept(h.sources["a"], d)
	require.Equal(t, append(block(5, 0, 0, 1, 2), next), h.sink.taken())
}

// A flashblock that does not decode is counted, and taken from a stream that has a good one.
func TestMergeMalformed(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	d := at{5, 0, 0}.delivery()
	d.JSON = []byte(`{"payload_id":"0x01"}`)
	h.accept(h.sources["a"], d)
	h.feed("b", at{5, 0, 0})
	require.Equal(t, []at{{5, 0, 0}}, h.sink.taken())
	require.Equal(t, uint64(1), h.metrics.malformed.Get())
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

func startFollower(t *testing.T, cfg followerConfig) *follower {
	t.Helper()
	cfg.Timeout, cfg.Metrics = patience, metrics.NewSet()
	f, err := newFollower(cfg)
	require.NoError(t, err)
	require.NoError(t, f.start(t.Context()))
	t.Cleanup(func() { require.NoError(t, f.close()) })
	return f
}

func eventually(t *testing.T, name string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, patience, 2*time.Millisecond, name)
}

// A follower joins the block in progress from its beginning, survives the loss of one of its streams
// without a word, and reports the loss of the last.
func TestFollowerOfTwoStreams(t *testing.T) {
	t.Parallel()
	first, second, sink := newUpstream(t), newUpstream(t), new(recordingSink)
	for _, u := range []*upstream{first, second} {
		u.publish(block(5, 0, 0, 1)...)
	}
	var lost atomic.Pointer[flashblocks.FlashblockID]
	f := startFollower(t, followerConfig{
		URLs: []string{first.url(), second.url()}, Sink: sink,
		Lost: func(last flashblocks.FlashblockID) { lost.Store(&last) },
	})
	eventually(t, "both connected", func() bool { return f.connections() == 2 })
	eventually(t, "the block in progress", func() bool { return len(sink.taken()) == 2 })

	first.stop()
	eventually(t, "the first is lost", func() bool { return f.connections() == 1 })
	require.Nil(t, lost.Load())
	second.publish(append(block(5, 0, 2), block(6, 0, 0)...)...)
	eventually(t, "the second is followed", func() bool { return len(sink.taken()) == 4 })
	_, isLost := f.lostSince()
	require.False(t, isLost)

	second.stop()
	eventually(t, "all are lost", func() bool { return lost.Load() != nil })
	require.Equal(t, flashblocks.FlashblockID{BlockNumber: 6}, *lost.Load())
	require.Equal(t, append(block(5, 0, 0, 1, 2), at{6, 0, 0}), sink.taken())
	_, isLost = f.lostSince()
	require.True(t, isLost)
	require.Equal(t, uint64(1), f.metrics.lost.Get())
}

// A message lost on the way is replayed by the hub.
func TestFollowerResumesOverTheWire(t *testing.T) {
	t.Parallel()
	up, sink := newUpstream(t), new(recordingSink)
	f := startFollower(t, followerConfig{URLs: []string{up.url()}, Sink: sink})
	eventually(t, "connected", func() bool { return f.connections() == 1 })
	up.publish(block(5, 0, 0)...)
	eventually(t, "index 0", func() bool { return len(sink.taken()) == 1 })
	f.merge.mu.Lock() // the message after the next overtakes it
	up.publish(block(5, 0, 1, 2)...)
	f.merge.sequence.Reset()
	f.merge.sequence.Add(at{5, 0, 0}.flashblock())
	src := &source{name: "other", resume: f.streams[0].sub.Resume}
	f.merge.mu.Unlock()
	f.merge.accept(src, at{5, 0, 2}.delivery())
	eventually(t, "everything in order", func() bool { return len(sink.taken()) == 3 })
	require.Equal(t, block(5, 0, 0, 1, 2), sink.taken())
}

// A sink that takes nothing keeps the follower neither from stopping nor from leaving nothing behind.
func TestFollowerStopsUnderABusySink(t *testing.T) {
	run := func() {
		up, sink := newUpstream(t), &recordingSink{wait: make(chan struct{})}
		up.publish(block(5, 0, 0, 1, 2)...)
		f, err := newFollower(followerConfig{URLs: []string{up.url()}, Timeout: patience, Sink: sink, Metrics: metrics.NewSet()})
		require.NoError(t, err)
		require.NoError(t, f.start(t.Context()))
		eventually(t, "connected", func() bool { return f.connections() == 1 })
		require.NoError(t, f.close())
		require.Empty(t, sink.taken())
		up.stop()
	}
	run()
	ignore := goleak.IgnoreCurrent()
	run()
	goleak.VerifyNone(t, ignore)
}

// Two streams of one host keep metrics of their own, and what the operator put into a URL stays.
func TestFollowerURLs(t *testing.T) {
	t.Parallel()
	set := metrics.NewSet()
	f, err := newFollower(followerConfig{
		URLs: []string{"ws://h:1/a?key=k", "ws://h:1/b?from=current", "ws://h:1/c?block_number=0&flashblock_index=0"},
		Sink: new(recordingSink), Metrics: set, Timeout: time.Hour,
	})
	require.NoError(t, err)
	require.NoError(t, f.start(t.Context()))
	defer func() { require.NoError(t, f.close()) }()
	var text strings.Builder
	set.WritePrometheus(&text)
	for _, name := range []string{`"h:1"`, `"h:1#2"`, `"h:1#3"`} {
		require.Contains(t, text.String(), "flashblocks_subscriber_connected{upstream="+name+"} 0")
	}
	for raw, want := range map[string]string{
		"ws://h:1/a?key=k":            "ws://h:1/a?from=current&key=k",
		"ws://h:1/b?from=current":     "ws://h:1/b?from=current",
		"wss://h/c?block_number=0&x=": "wss://h/c?block_number=0&x=",
	} {
		require.Equal(t, want, joinInProgress(mustURL(t, raw)))
	}
}

func mustURL(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	return u
}

// switchable is a way to a stream that a test can close and open.
type switchable struct {
	t   *testing.T
	lis net.Listener
	wg  sync.WaitGroup

	mu     sync.Mutex
	target string // ws URL
	shut   bool
	conns  []net.Conn
}

func newSwitch(t *testing.T) *switchable {
	t.Helper()
	var lc net.ListenConfig
	lis, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &switchable{t: t, lis: lis}
	s.wg.Go(s.accept)
	t.Cleanup(func() {
		_ = lis.Close()
		s.off()
		s.wg.Wait()
	})
	return s
}

func (s *switchable) url() string { return "ws://" + s.lis.Addr().String() }

// lead says which stream the way leads to.
func (s *switchable) lead(target string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.target = target
}

func (s *switchable) host() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimPrefix(s.target, "ws://")
}

// off cuts every connection and admits no other.
func (s *switchable) off() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = true
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
}

func (s *switchable) on() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = false
}

// keep holds connections that off shall cut, or closes them if it is off.
func (s *switchable) keep(conns ...net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		for _, c := range conns {
			_ = c.Close()
		}
		return false
	}
	s.conns = append(s.conns, conns...)
	return true
}

func (s *switchable) accept() {
	var dialer net.Dialer
	for {
		in, err := s.lis.Accept()
		if err != nil {
			return
		}
		out, err := dialer.DialContext(context.Background(), "tcp", s.host())
		if err != nil {
			_ = in.Close()
			continue
		}
		if !s.keep(in, out) {
			continue
		}
		for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
			s.wg.Go(func() {
				_, _ = io.Copy(way[0], way[1])
				_, _ = way[0].Close(), way[1].Close()
			})
		}
	}
}
