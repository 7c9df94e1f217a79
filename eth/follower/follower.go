// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package follower

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// stopTimeout bounds how long the node's stop waits for the streams to be left.
const stopTimeout = 3 * time.Second

// pingsPerTimeout is how many pings an upstream may leave unanswered before it is given up.
const pingsPerTimeout = 3

// Follower subscribes to streams and hands what they bring to the sink as one stream: every flashblock
// once, in order, from whichever stream it comes first.
type Follower struct {
	cfg     Config
	metrics *meters
	merge   *merger
	streams []*followed

	mu        sync.Mutex
	connected int       // streams connected
	since     time.Time // of the last change between none connected and any

	stop context.CancelFunc
}

// followed is one stream.
type followed struct {
	sub       *stream.Subscriber
	connected bool // owned by the goroutine of the subscriber's handlers
}

// New makes a Follower. It starts nothing.
func New(cfg Config) (*Follower, error) {
	if cfg.Lost == nil {
		cfg.Lost = func(flashblocks.FlashblockID) {}
	}
	f := &Follower{cfg: cfg, since: time.Now()}
	f.metrics = newMeters(cfg.Metrics, f.Connections)
	f.merge = newMerger(cfg.Sink, f.metrics)
	names := make(map[string]int)
	for _, raw := range cfg.URLs {
		target, err := url.Parse(raw)
		if err != nil {
			return nil, errors.New("the URL of a flashblocks stream is malformed") // Check has said more
		}
		name := target.Host
		if names[target.Host]++; names[target.Host] > 1 {
			name = fmt.Sprintf("%s#%d", target.Host, names[target.Host])
		}
		f.streams = append(f.streams, f.follow(joinInProgress(target), name))
	}
	return f, nil
}

// joinInProgress asks a stream that knows how to for the block in progress from its beginning, when there is
// no position to resume from. Other streams ignore the parameter.
func joinInProgress(target *url.URL) string {
	query := target.Query()
	if query.Has("from") || query.Has("block_number") {
		return target.String() // the operator knows better
	}
	at := *target
	query.Set("from", "current")
	at.RawQuery = query.Encode()
	return at.String()
}

// follow makes the subscriber of one stream.
func (f *Follower) follow(target, name string) *followed {
	s := new(followed)
	src := &source{name: name}
	s.sub = stream.NewSubscriber(stream.SubscriberConfig{
		URL:      target,
		Name:     name,
		Repeats:  true, // a resume brings again what came too early; the merger tells what is new
		Position: func() (flashblocks.Header, bool) { return f.merge.resumeFrom(src) },
		Handler:  func(d stream.Delivery) { f.merge.accept(src, d) },
		OnState: func(state stream.State) {
			if !state.Connected {
				f.merge.lost(src)
			}
			f.changed(s, state)
		},
		PingInterval: f.cfg.Timeout / pingsPerTimeout,
		ReadTimeout:  f.cfg.Timeout,
		Metrics:      f.cfg.Metrics,
	})
	src.resume = s.sub.Resume
	return s
}

// changed takes in a change of one connection.
func (f *Follower) changed(s *followed, state stream.State) {
	if s.connected == state.Connected {
		return
	}
	s.connected = state.Connected
	delta := -1
	if state.Connected {
		delta = 1
	}
	f.mu.Lock()
	before := f.connected
	f.connected += delta
	after := f.connected
	if before == 0 || after == 0 {
		f.since = time.Now()
	}
	f.mu.Unlock()
	if after == 0 {
		f.metrics.lost.Inc()
		last, _ := f.merge.position()
		log.Warn("No flashblocks stream is connected: pending falls back to latest", "block", last.BlockNumber, "index", last.Index, "err", state.Reason)
		f.cfg.Lost(last)
	}
}

// Connections returns how many streams are connected.
func (f *Follower) Connections() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.connected
}

// Newest returns the number of the newest block of which a flashblock was taken in, zero before the first.
func (f *Follower) Newest() uint64 { return f.metrics.newest.Load() }

// lostSince returns since when no stream is connected, and false while any is.
func (f *Follower) lostSince() (time.Time, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.since, f.connected == 0
}

// Start begins to follow every stream. A stream that cannot be reached is tried for ever.
func (f *Follower) Start(ctx context.Context) error {
	ctx, f.stop = context.WithCancel(ctx)
	f.merge.start(ctx)
	for i, s := range f.streams {
		if err := s.sub.Start(ctx); err != nil {
			return errors.Join(fmt.Errorf("flashblocks.url, stream %d: %w", i+1, err), f.Stop()) // the stop has a time limit of its own
		}
	}
	log.Info("Following flashblocks", "streams", len(f.streams))
	return nil
}

// Stop leaves every stream and waits until nothing is delivered any more.
func (f *Follower) Stop() error {
	if f.stop != nil {
		f.stop() // first, so that no handler waits for a sink that may be gone
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var errs []error
	for _, s := range f.streams {
		errs = append(errs, s.sub.Stop(ctx))
	}
	return errors.Join(errs...)
}
