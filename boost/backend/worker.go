// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// hang is what the queue has learnt of a backend that does not answer.
type hang struct {
	at   time.Time     // When a call ended without an answer, zero if the last one got one
	took time.Duration // How long that call waited
}

// left returns how much time an entry has, and false if that is not limited.
func (h hang) left(e *entry, now time.Time) (time.Duration, bool) {
	if h.at.IsZero() || e.at.After(h.at) {
		return 0, false
	}
	return h.took - now.Sub(e.at), true
}

// answer is the outcome of a call.
type answer struct {
	res  *jsonrpc.Response
	err  error
	took time.Duration
}

// flight is a call that is being made.
type flight struct {
	entry    *entry
	started  time.Time
	cancel   context.CancelFunc
	gaveUp   bool // The call was cut off for what waits behind it
	answered chan answer
}

// run is the queue's goroutine. It ends when the queue is stopping and nothing is left to do.
func (q *Queue) run(ctx context.Context) {
	defer close(q.ended)
	defer q.abort(nil)
	patience := time.NewTimer(time.Hour)
	defer patience.Stop()
	var (
		now  *flight
		hung hang
	)
	for {
		q.tell()
		if now == nil {
			e, stopped := q.pop()
			switch {
			case e != nil && ctx.Err() != nil:
				q.finish(e, answer{err: ErrStopped}, "stopped")
				continue
			case e != nil:
				if now = q.launch(ctx, e, hung); now == nil {
					continue
				}
			case stopped:
				q.tell()
				return
			}
		}
		var answered chan answer
		if now != nil {
			answered = now.answered
			patience.Reset(q.patience(now))
		}
		select {
		case <-q.wake:
		case <-patience.C:
			if now != nil && q.patience(now) <= 0 {
				now.gaveUp = true
				now.cancel()
			}
		case a := <-answered:
			hung = q.land(ctx, now, a, hung)
			now = nil
		}
	}
}

// pop takes the next entry into flight. It reports whether the queue is stopping.
func (q *Queue) pop() (e *entry, stopping bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) > 0 {
		e = q.remove(0)
	}
	q.running = e
	return e, q.stopping
}

// launch makes the call of an entry, in a goroutine that ends with it. It returns nil if the entry's
// time is over.
func (q *Queue) launch(ctx context.Context, e *entry, hung hang) *flight {
	f := &flight{entry: e, started: time.Now(), answered: make(chan answer, 1)}
	q.metrics.wait.Update(f.started.Sub(e.at).Seconds())
	left, limited := hung.left(e, f.started)
	if limited && left <= 0 {
		q.finish(e, answer{err: ErrTimeout}, "expired")
		return nil
	}
	if limited {
		ctx, f.cancel = context.WithTimeout(ctx, left)
	} else {
		ctx, f.cancel = context.WithCancel(ctx)
	}
	go func() {
		res, err := q.cfg.Caller.Call(ctx, e.req)
		f.answered <- answer{res, err, time.Since(f.started)}
	}()
	return f
}

// land tells the outcome of a call and returns what it says about the backend.
func (q *Queue) land(ctx context.Context, f *flight, a answer, hung hang) hang {
	f.cancel()
	switch {
	case a.err == nil:
		q.finish(f.entry, a, "done")
		return hang{}
	case f.gaveUp:
		a.err = fmt.Errorf("%w: %w", ErrSuperseded, a.err)
		q.finish(f.entry, a, "superseded")
		return hung
	case ctx.Err() != nil:
		a.err = errors.Join(ErrStopped, a.err)
		q.finish(f.entry, a, "stopped")
		return hung
	case errors.Is(a.err, ErrTimeout), errors.Is(a.err, context.DeadlineExceeded):
		q.finish(f.entry, a, "failed")
		if _, limited := hung.left(f.entry, time.Now()); limited {
			return hung // It had less time than a call needs
		}
		return hang{at: time.Now(), took: a.took}
	default:
		q.finish(f.entry, a, "failed")
		return hung
	}
}

// patience returns how much longer the call in flight may keep what waits waiting.
func (q *Queue) patience(f *flight) time.Duration {
	const forever = time.Hour
	if q.cfg.Coalesce != CoalesceNewest || f.entry.kind != KindForkchoice || f.gaveUp {
		return forever
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.waiting {
		if e.kind == KindForkchoice {
			continue
		}
		since := e.at
		if f.started.After(since) {
			since = f.started
		}
		return q.cfg.Patience - time.Since(since)
	}
	return forever
}

// finish tells everybody who waits for an entry.
func (q *Queue) finish(e *entry, a answer, outcome string) {
	q.mu.Lock()
	var dones []func(*jsonrpc.Response, error)
	for _, w := range e.waiters {
		if w.done != nil {
			dones = append(dones, w.done)
			w.done = nil
		}
	}
	q.mu.Unlock()
	q.metrics.jobs(e.kind, outcome).Inc()
	if a.err != nil {
		q.log.Debug("Call not answered", "kind", e.kind, "method", e.req.Method, "err", a.err)
	}
	for _, done := range dones {
		done(a.res, a.err)
	}
}

// tell delivers the outcomes of dropped jobs.
func (q *Queue) tell() {
	q.mu.Lock()
	notices := q.notices
	q.notices = nil
	q.mu.Unlock()
	for _, n := range notices {
		n.done(nil, n.err)
	}
}

// failAll ends the jobs of a queue that was never started.
func (q *Queue) failAll() {
	q.tell()
	for {
		e, _ := q.pop()
		if e == nil {
			return
		}
		q.finish(e, answer{err: ErrStopped}, "stopped")
	}
}
