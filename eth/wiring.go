// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/core/types"
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/node"

	"github.com/ethereum/go-ethereum/flashgeth/eth/engine"
	"github.com/ethereum/go-ethereum/flashgeth/eth/follower"
	"github.com/ethereum/go-ethereum/flashgeth/eth/health"
	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
	"github.com/ethereum/go-ethereum/flashgeth/eth/restart"
	"github.com/ethereum/go-ethereum/flashgeth/eth/subscribe"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/operator"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// streamStopTimeout bounds how long the node's stop waits for subscribers to take what is published. It
// leaves most of the time that supervisors usually grant before they kill.
const streamStopTimeout = 3 * time.Second

// payloadIDFile is where, in the node's directory, the builder remembers the ids of published payloads.
const payloadIDFile = "flashblocks-payloads"

// assembly is the parts of a service under construction.
type assembly struct {
	*Service

	ethereum  *gethEth.Ethereum
	cfg       *Config
	processor *overlay.Processor
	feed      *subscribe.Feed
	keeper    *restart.Keeper
}

// newAssembly makes what a builder and a follower have in common: the overlay, and the feed of its
// subscriptions. Whoever delivers or publishes is added later, so that it starts after, and stops before,
// what it delivers to.
func newAssembly(stack *node.Node, ethereum *gethEth.Ethereum, cfg *Config) (*assembly, error) {
	chain, set := ethereum.BlockChain(), metrics.NewSet()
	service := &Service{set: set}
	keeper, err := service.addKeepers(stack, ethereum, cfg)
	if err != nil {
		return nil, err
	}
	processor, err := overlay.New(overlay.Config{
		Chain: chain, Strict: cfg.Strict, StaleAfter: cfg.StaleAfter, Metrics: set,
	})
	if err != nil {
		return nil, err
	}
	a := &assembly{
		Service: service, ethereum: ethereum, cfg: cfg, processor: processor,
		feed: subscribe.New(subscribe.Config{Source: processor, Chain: chain, Metrics: set}), keeper: keeper,
	}
	a.add("overlay", processor.Start, processor.Stop)
	a.add("subscriptions", a.feed.Start, a.feed.Stop)
	return a, nil
}

// addKeepers adds, before everything else, what keeps what a crash must not lose.
func (s *Service) addKeepers(stack *node.Node, ethereum *gethEth.Ethereum, cfg *Config) (*restart.Keeper, error) {
	keeper, err := restart.New(stack, ethereum, cfg.eth().NoPruning, engine.Decision(ethereum.BlockChain()))
	if err != nil {
		return nil, err
	}
	s.add("restart", keeper.Start, keeper.Stop)
	heads := restart.NewHeadKeeper(restart.HeadKeeperConfig{Chain: ethereum.BlockChain(), Database: ethereum.ChainDb()})
	s.add("heads", heads.Start, heads.Stop)
	return keeper, nil
}

// addHealth adds the judge of readiness and the endpoint that serves it and the metrics. streams is nil on a
// node that does not follow.
func (a *assembly) addHealth(streams func() int) {
	chain := a.ethereum.BlockChain()
	a.health = health.New(health.Config{
		Source:  a.processor,
		Syncing: func() bool { return !a.ethereum.Synced() },
		Head:    func() uint64 { return chain.CurrentBlock().Number.Uint64() },
		Streams: streams,
		MaxAge:  a.cfg.ReadyMaxAge,
		Metrics: a.set,
	})
	a.add("health", a.health.Start, a.health.Stop)
	if a.cfg.MetricsAddr != "" {
		a.scrapes = operator.NewEndpoint("flashblocks metrics", a.cfg.MetricsAddr, a.metricsPages())
		a.add("metrics", func(ctx context.Context) error {
			if err := a.scrapes.Start(ctx); err != nil {
				return err
			}
			log.Info("Serving flashblocks metrics", "url", "http://"+a.scrapes.Addr().String()+"/metrics")
			return nil
		}, drain(a.scrapes.Stop))
	}
}

// metricsPages serves the metrics and the health of the node.
func (a *assembly) metricsPages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.health.Healthz)
	mux.HandleFunc("GET /readyz", a.health.Readyz)
	mux.Handle("GET /metrics", operator.Metrics(a.set))
	return mux
}

// addStream adds the hub that the builder publishes to, and the server in front of it.
func (a *assembly) addStream() *stream.Hub {
	hub := stream.NewHub(stream.HubConfig{Limit: a.cfg.SubscriberLimit, Metrics: a.set})
	a.add("hub", hub.Start, drain(hub.Stop))

	server := stream.NewServer(stream.ServerConfig{
		Addr:    net.JoinHostPort(a.cfg.Addr, strconv.Itoa(a.cfg.Port)),
		Handler: hub.Handler(),
		Metrics: a.set,
	})
	a.add("stream", func(ctx context.Context) error {
		if err := server.Start(ctx); err != nil {
			return err
		}
		log.Info("Streaming flashblocks", "url", "ws://"+server.Addr().String(), "interval", a.cfg.Interval, "endbuffer", a.cfg.EndBuffer)
		return nil
	}, drain(server.Stop))
	a.stream = server.Addr
	return hub
}

// assembleBuilder makes the service of a node that builds. journal is where op-geth keeps local transactions,
// empty if it does not.
func assembleBuilder(stack *node.Node, ethereum *gethEth.Ethereum, cfg *Config, idFile, journal string) (*assembly, *miner.Builder, error) {
	a, err := newAssembly(stack, ethereum, cfg)
	if err != nil {
		return nil, nil, err
	}
	hub := a.addStream()
	a.addHealth(nil)
	b, err := newBuilder(ethereum, cfg, &publishing{
		hub: hub, idFile: idFile, set: a.set,
		listen: func(built miner.Built) { a.processor.DeliverBuilt(built) },
	})
	if err != nil {
		return nil, nil, err
	}
	a.add("builder", b.Start, b.Stop)
	a.addRestorer(journal)
	return a, b, nil
}

// addRestorer adds what brings back local transactions after a restart.
func (a *assembly) addRestorer(journal string) {
	if journal == "" {
		return
	}
	var (
		chain = a.ethereum.BlockChain()
		pool  = a.cfg.eth().TxPool
	)
	r := restart.NewRestorer(restart.RestorerConfig{
		Journal: journal, Most: pool.GlobalSlots + pool.GlobalQueue, Pool: a.ethereum.TxPool(), Chain: chain,
		Signer: types.LatestSigner(chain.Config()),
	})
	r.Restore()
	a.add("local transactions", r.Start, r.Stop)
}

// assembleFollower makes the service of a node that follows the streams of others. What it is asked to build
// itself it does not publish.
func assembleFollower(stack *node.Node, ethereum *gethEth.Ethereum, cfg *Config) (*assembly, *miner.Builder, error) {
	a, err := newAssembly(stack, ethereum, cfg)
	if err != nil {
		return nil, nil, err
	}
	b, err := newBuilder(ethereum, cfg, new(publishing))
	if err != nil {
		return nil, nil, err
	}
	f, err := follower.New(follower.Config{
		URLs: cfg.URLs, Timeout: cfg.UpstreamTimeout, Sink: a.processor, Metrics: a.set, Lost: a.feed.Lost,
	})
	if err != nil {
		return nil, nil, err
	}
	a.addHealth(f.Connections)
	a.set.NewGauge("follower_blocks_behind", func() float64 { return float64(a.behind(f.Newest())) })
	a.add("builder", b.Start, b.Stop)
	a.add("follower", f.Start, f.Stop)
	return a, b, nil
}

// behind returns by how many blocks what this node answers at pending is behind the newest flashblock received.
func (a *assembly) behind(newest uint64) uint64 {
	reached := a.ethereum.BlockChain().CurrentBlock().Number.Uint64()
	if s := a.processor.Snapshot(); s != nil {
		reached = max(reached, s.Number())
	}
	return max(newest, reached) - reached
}

// drain bounds the stop of a part that waits for its clients. Clients that are too slow to leave are
// cut off, which is worth a line in the log but is no failure of the node.
func drain(stop func(context.Context) error) func() error {
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), streamStopTimeout)
		defer cancel()
		if err := stop(ctx); err != nil {
			log.Warn("Flashblocks subscribers were cut off", "err", err)
		}
		return nil
	}
}

// publishing is where what a builder builds becomes known before it is sealed. The zero value is nowhere.
type publishing struct {
	hub    *stream.Hub
	idFile string
	set    *metrics.Set
	listen func(miner.Built)
}

// newBuilder makes the builder with the limits that op-geth's own miner would have. What it publishes is pending
// state of this node too, without being executed again.
func newBuilder(ethereum *gethEth.Ethereum, cfg *Config, to *publishing) (*miner.Builder, error) {
	var (
		node   = cfg.eth()
		config = miner.Config{
			Flashblocks:      cfg.Flashblocks,
			GasCeil:          node.Miner.GasCeil,
			EffectiveGasCeil: node.Miner.EffectiveGasCeil,
			GasPrice:         node.Miner.GasPrice,
			MaxDATxSize:      node.Miner.MaxDATxSize,
			MaxDABlockSize:   node.Miner.MaxDABlockSize,
			Recommit:         node.Miner.Recommit,
			Prio:             node.TxPool.Locals,
			PayloadIDFile:    to.idFile,
			OnFlashblock:     to.listen,
			Metrics:          to.set,
		}
	)
	if to.hub == nil {
		return miner.New(ethereum, config, nil)
	}
	return miner.New(ethereum, config, to.hub)
}
