// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/VictoriaMetrics/metrics"

	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// streamStopTimeout bounds how long the node's stop waits for subscribers to take what is published. It
// leaves most of the time that supervisors usually grant before they kill.
const streamStopTimeout = 3 * time.Second

// payloadIDFile is where, in the node's directory, the builder remembers the ids of published payloads.
const payloadIDFile = "flashblocks-payloads"

// assemble makes the stream, the builder and the Prometheus endpoint, and puts them into a service in
// the order of their start: whoever publishes starts after, and stops before, what it publishes to.
func assemble(ethereum *gethEth.Ethereum, cfg *Config, idFile string) (*Service, builder, error) {
	s := &Service{set: metrics.NewSet()}

	hub := stream.NewHub(stream.HubConfig{Limit: cfg.SubscriberLimit, Metrics: s.set})
	s.add("hub", hub.Start, drain(hub.Stop))

	server := stream.NewServer(stream.ServerConfig{
		Addr:    net.JoinHostPort(cfg.Addr, strconv.Itoa(cfg.Port)),
		Handler: hub.Handler(),
		Metrics: s.set,
	})
	s.add("stream", server.Start, drain(server.Stop))
	s.stream = server.Addr

	if cfg.MetricsAddr != "" {
		s.scrapes = newMetricsServer(cfg.MetricsAddr, s.set)
		s.add("metrics", s.scrapes.start, s.scrapes.stop)
	}
	b, err := newBuilder(ethereum, cfg, idFile, s.set, hub)
	if err != nil {
		return nil, nil, err
	}
	s.add("builder", b.Start, b.Stop)
	return s, b, nil
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

// newBuilder makes the builder with the same limits as op-geth's own miner, which builds what it fails to.
func newBuilder(ethereum *gethEth.Ethereum, cfg *Config, idFile string, set *metrics.Set, stream miner.Publisher) (*miner.Builder, error) {
	node := cfg.eth()
	return miner.New(ethereum, miner.Config{
		Flashblocks:      cfg.Flashblocks,
		GasCeil:          node.Miner.GasCeil,
		EffectiveGasCeil: node.Miner.EffectiveGasCeil,
		GasPrice:         node.Miner.GasPrice,
		MaxDATxSize:      node.Miner.MaxDATxSize,
		MaxDABlockSize:   node.Miner.MaxDABlockSize,
		Prio:             node.TxPool.Locals,
		PayloadIDFile:    idFile,
		Fallback:         newFallback(ethereum.Miner()),
		Metrics:          set,
	}, stream)
}
