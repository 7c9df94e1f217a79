// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// publisher is where merged messages go: the hub.
type publisher interface {
	Publish(m stream.Message)
}

// source is what the relay knows about one upstream.
type source struct {
	name      string
	connected bool
	originOff bool       // it said that it has lost its own upstream
	lead      leadership // as its conductor says
	held      heldBack   // what it sent while another one led
	contrary  payloads   // attempts that it contradicted
	replays   bool       // it may be replaying what it has kept
	heard     time.Time  // of its last message, or the connection
}

// relay merges the upstreams into one stream: every position once, first arrival wins, in order, and
// only from the leader where there is one. All methods are safe for concurrent use.
type relay struct {
	out   publisher
	log   log.Logger
	m     *relayMetrics
	lim   flashblocks.Limits
	many  bool          // more than one upstream: order matters
	fresh chan struct{} // capacity 1: something arrived or connected

	mu      sync.Mutex
	sources []*source
	window  *window
	order   order
	ended   payloads    // attempts that nobody goes on with
	patient *time.Timer // runs while something waits for a message before it
	stopped bool

	last     flashblocks.Header // last published
	hasLast  bool
	before   flashblocks.Header // last published of the attempt before that one
	newest   time.Time          // arrival of the newest message, also of a repeated one
	lossTold bool               // the notice of the lost upstream is out
	notices  noticeBook
	traits   traits // what the stream carries
}

func newRelay(cfg *Config, out publisher, m *relayMetrics) *relay {
	r := &relay{
		out:      out,
		log:      cfg.Log,
		m:        m,
		lim:      cfg.Limits,
		many:     len(cfg.Upstreams) > 1,
		fresh:    make(chan struct{}, 1),
		window:   newWindow(cfg.Limits),
		lossTold: true, // nothing to lose yet
	}
	for i := range cfg.Upstreams {
		r.sources = append(r.sources, &source{name: upstreamName(cfg, i)})
	}
	return r
}

// deliver takes a message from upstream i.
func (r *relay) deliver(i int, d stream.Delivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sources[i]
	s.originOff = false
	r.newest = d.Arrived
	r.m.upstreamMessages[i].Inc()
	r.touch()
	r.endReplay(s, d)
	r.accept(s, d)
}

// accept judges a message. r.mu is held.
func (r *relay) accept(s *source, d stream.Delivery) {
	if r.stopped {
		return
	}
	if !r.heeds(s) {
		r.m.heldBack.Inc()
		r.holdBack(s, d)
		return
	}
	if s.contrary.has(d.PayloadID) || r.ended.has(d.PayloadID) {
		r.m.contrary.Inc()
		return
	}
	k := key{d.PayloadID, d.Index}
	switch r.window.judge(k, d.JSON) {
	case repeated:
		r.m.duplicates.Inc()
		return
	case conflicted:
		r.contradicted(s, d)
		return
	}
	if r.outdated(s, d) {
		r.m.late.Inc()
		return
	}
	r.window.add(k, d.JSON)
	if !r.many {
		r.publish(d)
		return
	}
	ready, late := r.order.add(d, r.othersConnected(s))
	if late > 0 {
		r.m.late.Add(late)
		r.log.Debug("Flashblock came after its place had passed", "upstream", s.name, "block", d.BlockNumber, "index", d.Index, "messages", late)
	}
	for _, d := range ready {
		r.publish(d)
	}
	r.watchGap()
}

// othersConnected reports whether an upstream other than s could bring what s has missed.
func (r *relay) othersConnected(s *source) bool {
	for _, other := range r.sources {
		if other != s && other.connected {
			return true
		}
	}
	return false
}

// watchGap starts or ends the wait for a missing message.
func (r *relay) watchGap() {
	if len(r.order.held) == 0 {
		if r.patient != nil {
			r.patient.Stop()
			r.patient = nil
		}
		return
	}
	if r.patient == nil {
		r.patient = time.AfterFunc(gapPatience, r.giveUp)
	}
}

// giveUp publishes what has waited long enough.
func (r *relay) giveUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.patient = nil
	if r.stopped {
		return
	}
	ready := r.order.release()
	if len(ready) > 0 {
		r.m.gaps.Inc()
		r.log.Warn("Flashblocks are missing from every upstream", "before block", ready[0].BlockNumber, "index", ready[0].Index)
	}
	for _, d := range ready {
		r.publish(d)
	}
}

// publish gives one message to the hub. r.mu is held, so messages keep their order.
func (r *relay) publish(d stream.Delivery) {
	lazy := newContent(d.JSON, r.lim)
	lazy.decodes = r.m.decodes
	r.beforePublish(d, lazy)
	r.out.Publish(stream.Message{
		PayloadID:   d.PayloadID,
		BlockNumber: d.BlockNumber,
		Index:       d.Index,
		V1:          d.JSON,
		V0:          r.notices.encoder(d, lazy),
		Aux:         lazy,
	})
	r.lossTold = false
	if d.PayloadID != r.last.PayloadID && r.hasLast {
		r.before = r.last
	}
	r.last, r.hasLast = d.Header, d.BlockNumber != 0
	r.m.queueDelay.UpdateDuration(d.Arrived)
	for _, notice := range r.notices.due(r.last) {
		r.out.Publish(notice)
	}
}

// state records that upstream i was connected or lost.
func (r *relay) state(i int, s stream.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources[i].connect(s.Connected)
	r.touch()
	r.replayHeld()
	r.endAttempt()
	r.checkLoss()
}

// checkLoss tells v0 clients, once, that no upstream is left. r.mu is held.
func (r *relay) checkLoss() {
	for _, s := range r.sources {
		if s.connected && !s.originOff {
			return
		}
	}
	if r.lossTold || r.stopped {
		return
	}
	r.lossTold = true
	text := flashblocks.NewDisconnectNotification(r.last.Position()).AppendJSON(nil)
	r.out.Publish(stream.Message{
		PayloadID: r.last.PayloadID, BlockNumber: r.last.BlockNumber, Index: r.last.Index,
		V0: func() []byte { return text },
	})
}

// position returns the last message published of the attempt before the one in progress, and the last one at
// all; either is zero if there is none. An upstream that resumes after the former sends the whole block in
// progress, and shows by that whether it is still building the same.
func (r *relay) position() (before, last flashblocks.Header) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.hasLast {
		return flashblocks.Header{}, flashblocks.Header{}
	}
	return r.before, r.last
}

// freshness reports how many upstreams are connected and when the newest message arrived.
func (r *relay) freshness() (connected int, newest time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sources {
		if s.connected {
			connected++
		}
	}
	return connected, r.newest
}

// touch tells whoever waits for the first replay to end that something happened.
func (r *relay) touch() {
	select {
	case r.fresh <- struct{}{}:
	default:
	}
}

// stop ends every timer. Messages are ignored from then on.
func (r *relay) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	if r.patient != nil {
		r.patient.Stop()
	}
}
