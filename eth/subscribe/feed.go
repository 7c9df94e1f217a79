// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package subscribe

import (
	"context"
	"errors"
	"sync"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"
	gethparams "github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// codeLagged is the code of the notification that ends the subscription of a slow reader, that of
// EIP-1474 for an exceeded limit.
const codeLagged = -32005

// errLagged is why a slow reader's subscription ends.
var errLagged = errors.New("the subscription has ended: the reader fell too far behind")

// subscriptionEnded is the last thing a slow reader gets. JSON-RPC has no notification for the end of a
// subscription, so it comes in place of a result.
type subscriptionEnded struct {
	Error struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// Feed turns changes of the pending state into notifications of RPC subscriptions. Every subscription has
// a goroutine and a bounded queue of its own, the overlay's: a reader that does not read fills its own
// socket, then its own queue, and then loses its own subscription. What all readers get in the same form
// is rendered once.
type Feed struct {
	source Source
	config *gethparams.ChainConfig
	chain  Chain

	open   *metrics.Gauge // subscriptions open now
	lagged *metrics.Counter

	rendered rendered

	mu      sync.Mutex
	stopped bool
	notices map[chan flashblocks.FlashblockID]struct{} // of the loss of the upstream
	quit    chan struct{}
	wg      sync.WaitGroup
}

// New makes a Feed. It starts nothing.
func New(cfg Config) *Feed {
	return &Feed{
		source: cfg.Source, config: cfg.Chain.Config(), chain: cfg.Chain,
		open:    cfg.Metrics.NewGauge("flashblocks_rpc_subscriptions", nil),
		lagged:  cfg.Metrics.NewCounter("flashblocks_rpc_subscriptions_lagged_total"),
		notices: make(map[chan flashblocks.FlashblockID]struct{}),
		quit:    make(chan struct{}),
	}
}

// APIs returns the services whose subscriptions the feed serves.
func (f *Feed) APIs() []rpc.API {
	return []rpc.API{
		{Namespace: "eth", Service: &EthAPI{feed: f}},
		{Namespace: "flashblocks", Service: &FlashblocksAPI{feed: f}},
	}
}

// Start does nothing: subscriptions begin by themselves.
func (f *Feed) Start(context.Context) error { return nil }

// Stop ends every subscription and waits for their goroutines.
func (f *Feed) Stop() error {
	f.mu.Lock()
	if !f.stopped {
		f.stopped = true
		close(f.quit)
	}
	f.mu.Unlock()
	f.wg.Wait()
	return nil
}

// Lost tells the subscriptions that ask for it that the upstream is gone, without waiting for any of them.
func (f *Feed) Lost(last flashblocks.FlashblockID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for notices := range f.notices {
		select {
		case notices <- last:
		default: // it has one waiting
		}
	}
}

// consumer makes the notifications of one subscription. Its methods are called from one goroutine.
type consumer interface {
	// begin is told of the pending state that the subscription starts from, nil for none.
	begin(at *overlay.Snapshot)

	// event returns what the reader gets for a change.
	event(ctx context.Context, ev overlay.Event) ([]any, error)
}

// noticeConsumer is a consumer that wants to hear of the loss of the upstream.
type noticeConsumer interface {
	consumer
	lost(last flashblocks.FlashblockID) any
}

// subscribe begins a subscription. It is in place before its id is returned, so the reader misses nothing
// that happens after it knows the id.
func (f *Feed) subscribe(ctx context.Context, c consumer) (*rpc.Subscription, error) {
	notifier, ok := rpc.NotifierFromContext(ctx)
	if !ok {
		return nil, rpc.ErrNotificationsUnsupported
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return nil, errors.New("the node is shutting down")
	}
	var notices chan flashblocks.FlashblockID
	if _, ok := c.(noticeConsumer); ok {
		notices = make(chan flashblocks.FlashblockID, 1)
		f.notices[notices] = struct{}{}
	}
	var (
		sub    = notifier.CreateSubscription()
		events = f.source.Subscribe()
	)
	c.begin(f.source.Snapshot())
	f.open.Inc()
	f.wg.Go(func() {
		defer func() {
			events.Unsubscribe()
			f.mu.Lock()
			delete(f.notices, notices)
			f.mu.Unlock()
			f.open.Dec()
		}()
		f.serve(notifier, sub, events, notices, c)
	})
	return sub, nil
}

// serve delivers to one reader until it leaves, falls behind, or the node stops.
func (f *Feed) serve(notifier *rpc.Notifier, sub *rpc.Subscription, events *overlay.Subscription, notices <-chan flashblocks.FlashblockID, c consumer) {
	// The request that subscribed is over; what is rendered belongs to nobody's deadline.
	ctx := context.Background()
	for {
		var items []any
		select {
		case ev, open := <-events.Events():
			if !open {
				f.end(notifier, sub)
				return
			}
			var err error
			if items, err = c.event(ctx, ev); err != nil {
				log.Warn("Pending state could not be rendered for a subscription", "err", err)
			}
		case last := <-notices:
			if nc, ok := c.(noticeConsumer); ok {
				items = []any{nc.lost(last)}
			}
		case err := <-sub.Err():
			log.Trace("RPC subscription ended", "id", sub.ID, "err", err)
			return
		case <-f.quit:
			return
		}
		for _, item := range items {
			if err := notifier.Notify(sub.ID, item); err != nil {
				return // the connection is gone
			}
		}
	}
}

// end says goodbye to a reader that lost its subscription, unless everything stops.
func (f *Feed) end(notifier *rpc.Notifier, sub *rpc.Subscription) {
	select {
	case <-f.quit:
		return
	case err := <-sub.Err():
		log.Trace("RPC subscription ended", "id", sub.ID, "err", err)
		return
	default:
	}
	f.lagged.Inc()
	log.Debug("RPC subscription ended: its reader is too slow", "id", sub.ID)
	var bye subscriptionEnded
	bye.Error.Code, bye.Error.Message = codeLagged, errLagged.Error()
	_ = notifier.Notify(sub.ID, bye) // who does not read this either will find the silence
}
