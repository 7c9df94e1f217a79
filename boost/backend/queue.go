// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

const (
	// defaultSize is minutes of blocks. A backend that far behind catches up by itself.
	defaultSize = 128

	// defaultBytes bounds the same in memory: 128 of the largest blocks would be 128 MB.
	defaultBytes = 64 << 20

	// defaultPatience is far more than a healthy EL needs for a forkchoice update, and little of a slot.
	defaultPatience = 150 * time.Millisecond

	// maxWaiters bounds how many share one call; they are clients, each with a connection.
	maxWaiters = 1024

	// maxNotices bounds the outcomes of dropped jobs that wait for the queue's goroutine.
	maxNotices = 1024
)

// QueueConfig configures a Queue. Name and Caller are required; other zero values mean their default.
type QueueConfig struct {
	Name     string // "l2" or "builder": label of metrics and logs
	Caller   Caller
	Coalesce CoalesceMode
	Size     int           // Most jobs that wait, default 128
	Bytes    int           // Most bytes of their requests, default 64 MiB
	Patience time.Duration // CoalesceNewest: the time a forkchoice update may keep a newPayload or a build waiting, default 150 ms
	Metrics  *metrics.Set  // Nil for a private set
	Log      log.Logger    // Nil for the root logger
}

func (c QueueConfig) withDefaults() QueueConfig {
	if c.Size <= 0 {
		c.Size = defaultSize
	}
	if c.Bytes <= 0 {
		c.Bytes = defaultBytes
	}
	if c.Patience <= 0 {
		c.Patience = defaultPatience
	}
	if c.Metrics == nil {
		c.Metrics = metrics.NewSet()
	}
	if c.Log == nil {
		c.Log = log.Root()
	}
	return c
}

// Queue makes calls one after another, in the order they were submitted.
//
// A backend that does not answer delays what is behind the call in flight, but only once: after a call
// ended without an answer in time, what was waiting then gets no more than the same time since it was
// submitted, so that a row of waiting jobs does not take a row of timeouts.
type Queue struct {
	cfg     QueueConfig
	log     log.Logger
	metrics *queueMetrics
	wake    chan struct{}
	ended   chan struct{} // Closed when the goroutine has ended
	abort   context.CancelCauseFunc
	unwatch func() bool

	mu       sync.Mutex
	waiting  []*entry
	bytes    int // Of the waiting entries
	running  *entry
	notices  []notice
	full     bool // The last job found the queue full
	started  bool
	stopping bool
}

// notice is an outcome that the queue's goroutine has to tell.
type notice struct {
	done func(*jsonrpc.Response, error)
	err  error
}

// NewQueue returns a queue, which takes jobs at once and makes calls after Start.
func NewQueue(cfg QueueConfig) *Queue {
	cfg = cfg.withDefaults()
	q := &Queue{
		cfg:   cfg,
		log:   cfg.Log.New("queue", cfg.Name),
		wake:  make(chan struct{}, 1),
		ended: make(chan struct{}),
	}
	q.metrics = newQueueMetrics(cfg.Metrics, cfg.Name, func() float64 { return float64(q.Len()) })
	return q
}

// Len returns how many jobs wait; the one in flight is not among them.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// Start begins to make calls. The end of ctx has the effect of Stop, except that nothing waits.
func (q *Queue) Start(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.started || q.stopping {
		return ErrStarted
	}
	q.started = true
	// Calls outlive ctx: a shutdown lets them end.
	calls, abort := context.WithCancelCause(context.WithoutCancel(ctx))
	q.abort = abort
	q.unwatch = context.AfterFunc(ctx, q.beginStop)
	go q.run(calls)
	return nil
}

// Stop refuses new jobs and returns when those that wait are done. When ctx ends, the call in flight is
// cut off, the other jobs fail with ErrStopped, and the error tells how many.
func (q *Queue) Stop(ctx context.Context) error {
	q.beginStop()
	q.mu.Lock()
	started := q.started
	q.mu.Unlock()
	if !started {
		q.failAll()
		return nil
	}
	defer q.unwatch()
	select {
	case <-q.ended:
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	cut := len(q.waiting)
	if q.running != nil {
		cut++
	}
	q.mu.Unlock()
	q.abort(ErrStopped)
	<-q.ended
	if cut > 0 {
		return fmt.Errorf("%w: %d calls to the %s were cut off: %w", ErrStopped, cut, q.cfg.Name, ctx.Err())
	}
	return nil
}

func (q *Queue) beginStop() {
	q.mu.Lock()
	q.stopping = true
	q.mu.Unlock()
	q.signal()
}

func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default: // The goroutine looks at everything when it wakes
	}
}

// Submit adds a job and never blocks.
func (q *Queue) Submit(job Job) {
	q.submit(job, true)
	q.signal()
}

// Enqueue is Submit for a call that is not urgent: it keeps its place in the order, but an idle queue makes it
// only after Wake or the next Submit.
func (q *Queue) Enqueue(job Job) { q.submit(job, true) }

// Wake lets an idle queue look for what was put into it.
func (q *Queue) Wake() {
	q.mu.Lock()
	due := len(q.waiting) > 0 || len(q.notices) > 0
	q.mu.Unlock()
	if due {
		q.signal()
	}
}

// Do adds a job and waits for its outcome. When ctx ends first, the job is withdrawn unless its call is
// in flight, and the error wraps ErrCanceled or ErrTimeout.
func (q *Queue) Do(ctx context.Context, kind Kind, req *jsonrpc.Request) (*jsonrpc.Response, error) {
	type outcome struct {
		res *jsonrpc.Response
		err error
	}
	told := make(chan outcome, 1)
	w := q.submit(Job{Kind: kind, Req: req, Done: func(res *jsonrpc.Response, err error) { told <- outcome{res, err} }}, false)
	q.signal()
	select {
	case o := <-told:
		return o.res, o.err
	case <-ctx.Done():
		q.withdraw(w)
		return nil, &CallError{Backend: q.cfg.Name, Method: req.Method, Err: classify(ctx, ctx.Err())}
	}
}
