// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/gorilla/websocket"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// Subscriber follows one v1 stream. It reconnects for ever, with growing jittered pauses, resumes after
// the last message it has read, and delivers each (payload id, index) once and in order. A Subscriber
// is used once: it cannot be started again after Stop.
type Subscriber struct {
	cfg    SubscriberConfig
	log    log.Logger
	resume chan struct{} // capacity 1: requests for another connection

	mu     sync.Mutex
	state  lifecycle
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// NewSubscriber returns a subscriber that is not connected.
func NewSubscriber(cfg SubscriberConfig) *Subscriber {
	cfg = cfg.withDefaults()
	return &Subscriber{cfg: cfg, log: cfg.Log, resume: make(chan struct{}, 1)}
}

// Resume gives the connection up and makes another at once, so that the upstream replays what follows
// SubscriberConfig.Position. It is for a receiver that misses messages, never waits, and does nothing to a
// subscriber that is not connected: its next connection resumes anyway. Messages that were read before
// come again only with SubscriberConfig.Repeats.
func (s *Subscriber) Resume() {
	select {
	case s.resume <- struct{}{}:
	default: // asked for already
	}
}

// Start begins to connect and returns; it fails only for a URL that can never work. The end of ctx
// has the effect of Stop, except that nothing waits.
func (s *Subscriber) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.state {
	case stateRunning:
		return ErrStarted
	case stateStopped:
		return ErrStopped
	}
	target, err := parseUpstream(s.cfg.URL)
	if err != nil {
		return err
	}
	if s.cfg.Handler == nil {
		return errors.New("a flashblocks subscriber needs a handler")
	}
	if s.cfg.Name == "" {
		s.cfg.Name = target.Host
	}
	s.log = s.log.New("upstream", s.cfg.Name)
	s.state = stateRunning

	ctx, s.cancel = context.WithCancel(ctx)
	f := &follower{
		cfg:    s.cfg,
		log:    s.log,
		m:      newSubscriberMetrics(s.cfg.Metrics, s.cfg.Name),
		target: target,
		resume: s.resume,
		queue:  make(chan event, s.cfg.Queue),
		seen:   newDedupe(dedupeMemory),
	}
	s.wg.Add(2)
	go func() {
		defer s.wg.Done()
		defer close(f.queue)
		f.run(ctx)
	}()
	go func() {
		defer s.wg.Done()
		f.deliver(ctx)
	}()
	return nil
}

// Stop closes the connection and returns when every goroutine has ended, the handler included. What
// still waits for the handler is dropped. The error is that of ctx, if it ends before.
func (s *Subscriber) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.state = stateStopped
	if s.cancel != nil {
		s.cancel()
	}
	s.mu.Unlock()

	ended := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop of the flashblocks subscriber: %w", ctx.Err())
	}
}

// parseUpstream checks the URL. Errors leave out the URL, which may hold a key.
func parseUpstream(raw string) (*url.URL, error) {
	target, err := url.Parse(raw)
	if err != nil {
		var parse *url.Error
		if errors.As(err, &parse) {
			err = parse.Err
		}
		return nil, fmt.Errorf("the URL of the flashblocks upstream is malformed: %w", err)
	}
	if target.Scheme != "ws" && target.Scheme != "wss" {
		return nil, fmt.Errorf("the URL of the flashblocks upstream must begin with ws:// or wss://, not %q", target.Scheme)
	}
	if target.Host == "" {
		return nil, errors.New("the URL of the flashblocks upstream has no host")
	}
	if target.Fragment != "" {
		return nil, errors.New("the URL of the flashblocks upstream must have no fragment")
	}
	return target, nil
}

// event is what goes from the reading to the delivering goroutine: a message or a change of state.
type event struct {
	delivery Delivery
	state    *State
}

// follower is a running subscriber.
type follower struct {
	cfg    SubscriberConfig
	log    log.Logger
	m      *subscriberMetrics
	target *url.URL
	resume <-chan struct{}
	queue  chan event

	// Used by run alone.
	buffer    []byte // what a message is read into
	seen      *dedupe
	last      flashblocks.Header // last message read
	hasLast   bool               // last can be resumed from
	warned    time.Time          // when the operator was last told of this outage
	failures  int                // connections in a row that were answered and ended before they gave a new message
	answered  bool               // the last dial was
	reported  bool               // a state was reported
	connected bool               // the state reported last
}

// deliver calls the handlers until run has ended.
func (f *follower) deliver(ctx context.Context) {
	for ev := range f.queue {
		f.handle(ctx, ev)
	}
}

// handle calls the handler of an event, unless the subscriber has been stopped.
func (f *follower) handle(ctx context.Context, ev event) {
	switch {
	case ctx.Err() != nil:
	case ev.state != nil:
		f.cfg.OnState(*ev.state)
	default:
		f.cfg.Handler(ev.delivery)
	}
}

// emit queues an event, waiting for the handler if the queue is full, or handles it at once.
func (f *follower) emit(ctx context.Context, ev event) error {
	if f.cfg.Inline {
		f.handle(ctx, ev)
		return ctx.Err()
	}
	select {
	case f.queue <- ev:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// report queues a state unless it is the one reported last.
func (f *follower) report(ctx context.Context, state State) {
	if f.reported && f.connected == state.Connected {
		return
	}
	f.reported, f.connected = true, state.Connected
	// The only error is the end of ctx, after which nobody is told.
	_ = f.emit(ctx, event{state: &state})
}

// run connects again and again until ctx ends.
func (f *follower) run(ctx context.Context) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval, pause.Multiplier = f.cfg.BackoffMin, f.cfg.BackoffMax, 2
	for {
		progress, err := f.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if f.answered {
			f.failures++
		}
		if progress {
			f.failures, f.warned = 0, time.Time{}
			pause.Reset()
		}
		if errors.Is(err, errResume) && progress {
			continue // the upstream is well: nothing to be patient with
		}
		wait := pause.NextBackOff()
		f.outage(err, wait)
		f.report(ctx, State{Reason: err})
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// outagePause is the time between two warnings of one outage, whose attempts may follow every few
// milliseconds.
const outagePause = 30 * time.Second

// outage logs that there is no connection: at its start and once in a while, every attempt at debug level.
func (f *follower) outage(err error, wait time.Duration) {
	level := f.log.Debug
	if now := time.Now(); f.warned.IsZero() || now.Sub(f.warned) >= outagePause {
		f.warned, level = now, f.log.Warn
	}
	level("Flashblocks upstream is not connected, dialling again", "err", err, "retry", common.PrettyDuration(wait))
}

// once makes one connection and follows it to its end. It reports whether any new message came; only
// then is the next pause a short one, so an upstream that accepts and closes at once is not hammered.
func (f *follower) once(ctx context.Context) (progress bool, err error) {
	ws, err := f.dial(ctx)
	if err != nil {
		f.m.dialErrors.Inc()
		return false, err
	}
	f.m.connects.Inc()
	f.m.connected.Set(1)
	f.log.Info("Flashblocks upstream connected", "block", f.last.BlockNumber, "index", f.last.Index)
	f.report(ctx, State{Connected: true})
	select {
	case <-f.resume: // from before: this connection has resumed
	default:
	}
	progress, err = f.follow(ctx, ws)
	f.m.connected.Set(0)
	f.m.disconnects.Inc()
	return progress, err
}

// dial connects, resuming after the last message if there is one.
func (f *follower) dial(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.DialTimeout)
	defer cancel()
	dialer := websocket.Dialer{
		Proxy:            http.ProxyFromEnvironment,
		HandshakeTimeout: f.cfg.DialTimeout,
		TLSClientConfig:  f.cfg.TLS,
		ReadBufferSize:   readBuffer,
	}
	ws, resp, err := dialer.DialContext(ctx, f.resumeURL(), f.cfg.Header)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }()
	}
	f.answered = answersPosition(resp)
	switch {
	case err == nil:
		return ws, nil
	case resp != nil && errors.Is(err, websocket.ErrBadHandshake):
		return nil, fmt.Errorf("the upstream answered the upgrade with status %d", resp.StatusCode)
	default:
		return nil, fmt.Errorf("dial of the upstream: %w", err)
	}
}

// answersPosition tells whether a response may depend on the position that was asked for. Nobody there, a
// full upstream or a gateway with nothing behind it say the same to any: an upstream that is down for a
// while must be resumed from the position when it is back.
func answersPosition(resp *http.Response) bool {
	if resp == nil {
		return false
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return false
	}
	return true
}

// resumeAttempts is after how many fruitless connections in a row the position is left out. An
// upstream may refuse it, or replay something unreadable after it each time; live messages are better
// than none, and the sequence rules see the gap.
const resumeAttempts = 3

// resumeURL is the configured URL, with the position to resume after once there is one.
func (f *follower) resumeURL() string {
	last, ok := f.last, f.hasLast
	if f.cfg.Position != nil {
		last, ok = f.cfg.Position()
	}
	if !ok || f.failures > 0 && f.failures%resumeAttempts == 0 {
		return f.target.String()
	}
	target, query := *f.target, f.target.Query()
	query.Set(paramBlock, fmt.Sprint(last.BlockNumber))
	query.Set(paramIndex, fmt.Sprint(last.Index))
	query.Del(paramPayload)
	if last.PayloadID != (engine.PayloadID{}) {
		query.Set(paramPayload, last.PayloadID.String())
	}
	target.RawQuery = query.Encode()
	return target.String()
}
