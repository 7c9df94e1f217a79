// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"slices"
	"time"
)

// submit adds a job by the queue's rules. The caller wakes the queue.
func (q *Queue) submit(job Job, background bool) *waiter {
	job = keepBody(job)
	w := &waiter{done: job.Done}
	q.mu.Lock()
	late := q.add(job, w, background)
	q.mu.Unlock()
	for _, n := range late {
		n.done(nil, n.err)
	}
	return w
}

// add puts a job into the queue and returns the outcomes for which there is no room any more.
func (q *Queue) add(job Job, w *waiter, background bool) (late []notice) {
	drop := func(e *entry, outcome string, err error) {
		q.metrics.jobs(e.kind, outcome).Add(max(1, len(e.waiters)))
		for _, w := range e.waiters {
			late = q.notify(w, err, late)
		}
	}
	e := &entry{kind: job.Kind, req: job.Req, at: time.Now(), waiters: []*waiter{w}, background: background}
	if q.stopping {
		q.metrics.jobs(e.kind, "stopped").Inc()
		if w.done != nil {
			late = append(late, notice{w.done, ErrStopped}) // The goroutine may have ended
		}
		return late
	}
	if last := q.last(); q.cfg.Coalesce == CoalesceIdentical && job.Kind == KindForkchoice &&
		last != nil && last.kind == KindForkchoice && last.same(job.Req) {
		if len(last.waiters) >= maxWaiters {
			drop(e, "dropped", ErrQueueFull)
			return late
		}
		last.waiters = append(last.waiters, w)
		last.background = last.background || background
		q.metrics.jobs(job.Kind, "shared").Inc()
		return late
	}
	if q.cfg.Coalesce == CoalesceNewest {
		for _, old := range q.supersede(job.Kind) {
			drop(old, "superseded", ErrSuperseded)
		}
	}
	q.waiting = append(q.waiting, e)
	q.bytes += e.size()
	full := false
	for len(q.waiting) > q.cfg.Size || q.bytes > q.cfg.Bytes && len(q.waiting) > 1 {
		full = true
		drop(q.remove(q.victim()), "dropped", ErrQueueFull)
	}
	if full && !q.full {
		q.log.Warn("The backend does not keep up, calls to it are dropped", "waiting", len(q.waiting), "bytes", q.bytes)
	}
	q.full = full
	return late
}

func (q *Queue) last() *entry {
	if len(q.waiting) == 0 {
		return nil
	}
	return q.waiting[len(q.waiting)-1]
}

// supersede takes out what a new job of the kind makes pointless: the forkchoice updates right before
// another one, with or without attributes, since only the last head counts; and before a build every
// other build, since a builder gives it up for the new one.
func (q *Queue) supersede(kind Kind) (old []*entry) {
	if kind == KindNewPayload {
		return nil
	}
	for last := q.last(); last != nil && last.kind == KindForkchoice; last = q.last() {
		old = append(old, q.remove(len(q.waiting)-1))
	}
	if kind == KindBuild {
		for i := len(q.waiting) - 1; i >= 0; i-- {
			if q.waiting[i].kind == KindBuild {
				old = append(old, q.remove(i))
			}
		}
	}
	slices.Reverse(old)
	return old
}

// victim is what a full queue can do without best: the oldest forkchoice update, then the oldest
// payload, then the oldest build. The job that was just added comes last of its kind.
func (q *Queue) victim() int {
	for _, kind := range []Kind{KindForkchoice, KindNewPayload} {
		for i, e := range q.waiting {
			if e.kind == kind {
				return i
			}
		}
	}
	return 0
}

func (q *Queue) remove(i int) *entry {
	e := q.waiting[i]
	q.waiting = slices.Delete(q.waiting, i, i+1)
	q.bytes -= e.size()
	return e
}

// notify leaves an outcome to the queue's goroutine, or adds it to late if too many wait for that.
func (q *Queue) notify(w *waiter, err error, late []notice) []notice {
	if w.done == nil {
		return late
	}
	n := notice{w.done, err}
	w.done = nil
	if len(q.notices) >= maxNotices {
		return append(late, n)
	}
	q.notices = append(q.notices, n)
	return late
}

// withdraw takes back a job of Do, unless others share its call or it is in flight.
func (q *Queue) withdraw(w *waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w.done = nil
	for i, e := range q.waiting {
		at := slices.Index(e.waiters, w)
		if at < 0 {
			continue
		}
		e.waiters = slices.Delete(e.waiters, at, at+1)
		if len(e.waiters) == 0 && !e.background {
			q.remove(i)
			q.metrics.jobs(e.kind, "withdrawn").Inc()
		}
		return
	}
}
