// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package copies gives the builder copies of the calls that change what its blocks hold: transactions and limits. Nobody
// waits for their outcomes.
package copies

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

const (
	// copiers is how many calls are copied at a time.
	copiers = 8

	// copyBytes bounds what waits to be copied, and is being copied, in memory: hundreds of the largest transactions.
	copyBytes = 64 << 20

	// defaultWait bounds the transactions that wait for a builder that does not take them: a few seconds of a busy
	// chain.
	defaultWait = 1024

	// copyHeadStart is what the local execution layer has to take in a transaction before the builder may tell it of
	// the same one: many times what that takes, and a small part of the time between two flashblocks.
	copyHeadStart = 20 * time.Millisecond
)

// SyncMethod is answered when the transaction is in a block. The builder has to hear of it before, as of plainMethod's.
const (
	SyncMethod  = "eth_sendRawTransactionSync"
	plainMethod = "eth_sendRawTransaction"
)

// copiedMethods change what the builder's blocks hold: transactions and limits.
var copiedMethods = map[string]bool{
	plainMethod:                         true,
	"eth_sendRawTransactionConditional": true,
	"miner_setExtra":                    true,
	"miner_setGasPrice":                 true,
	"miner_setGasLimit":                 true,
	"miner_setMaxDASize":                true,
}

// Caller makes calls to the builder.
type Caller interface {
	Call(ctx context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error)
}

// Config configures a Copier. Every field is required, unless it says otherwise.
type Config struct {
	Builder     Caller      // Nil without a builder
	AsksBuilder func() bool // Whether the builder takes part at the moment; never without one
	Wait        int         // Most calls that wait, default 1024

	Metrics *metrics.Set
	Log     log.Logger
}

// Copier copies calls to the builder. Its methods are safe for concurrent use.
type Copier struct {
	cfg     Config
	queue   chan jsonrpc.Request
	bytes   atomic.Int64 // of the calls that are copied or wait for that
	dropped *metrics.Counter

	end context.CancelFunc // nil before Start
	wg  sync.WaitGroup
}

// New returns a copier, which takes calls at once and makes them after Start.
func New(cfg Config) *Copier {
	if cfg.Wait <= 0 {
		cfg.Wait = defaultWait
	}
	return &Copier{
		cfg:     cfg,
		queue:   make(chan jsonrpc.Request, cfg.Wait),
		dropped: cfg.Metrics.GetOrCreateCounter("rollup_boost_copied_calls_dropped_total"),
	}
}

// Start makes the calls until Stop. Without a builder there are none.
func (c *Copier) Start(ctx context.Context) {
	if c.cfg.Builder == nil {
		return
	}
	ctx, c.end = context.WithCancel(context.WithoutCancel(ctx))
	for range copiers {
		c.wg.Go(func() { c.loop(ctx) })
	}
}

// Stop cuts off the calls that are being made and forgets those that wait.
func (c *Copier) Stop() {
	if c.end != nil {
		c.end()
	}
	c.wg.Wait()
}

// Copy gives the builder a copy of a call that concerns it, and has no effect for any other. Nothing is repeated:
// op-batcher and wallets do that.
func (c *Copier) Copy(req *jsonrpc.Request) {
	if !copiedMethods[req.Method] || !c.cfg.AsksBuilder() {
		return
	}
	// A copy of its own: the call may be a small part of a large batch.
	reqs, _, err := jsonrpc.ParseBody(bytes.Clone(req.Raw))
	if err != nil || len(reqs) != 1 {
		return // cannot be: it was parsed before
	}
	c.put(reqs[0])
}

// WaitsForBlock reports whether the answer to any of the calls waits for a block.
func WaitsForBlock(reqs []jsonrpc.Request) bool {
	return slices.ContainsFunc(reqs, func(req jsonrpc.Request) bool { return req.Method == SyncMethod })
}

// Meanwhile gives the builder the transactions of those calls that the local execution layer answers only when they
// are in a block: some time after they are passed on, or when answered is called, whatever is sooner.
func (c *Copier) Meanwhile(reqs []jsonrpc.Request) (answered func()) {
	if !WaitsForBlock(reqs) || !c.cfg.AsksBuilder() {
		return func() {}
	}
	copyAll := func() {
		for i := range reqs {
			c.copySync(&reqs[i])
		}
	}
	timer := time.AfterFunc(copyHeadStart, copyAll)
	return func() {
		if timer.Stop() {
			copyAll()
		}
	}
}

// copySync gives the builder the transaction of a call that waits for it.
func (c *Copier) copySync(req *jsonrpc.Request) {
	if req.Method != SyncMethod || !c.cfg.AsksBuilder() {
		return
	}
	if args, err := req.Args(); err == nil && len(args) > 0 {
		c.put(*engineapi.OwnRequest(plainMethod, args[0]))
	}
}

// put hands a call to the loops that make them, unless too much waits there.
func (c *Copier) put(req jsonrpc.Request) {
	size := int64(len(req.Raw))
	if c.bytes.Add(size) <= copyBytes {
		select {
		case c.queue <- req:
			return
		default:
		}
	}
	c.bytes.Add(-size)
	c.dropped.Inc()
}

// loop makes the copied calls.
func (c *Copier) loop(ctx context.Context) {
	for {
		select {
		case req := <-c.queue:
			resp, err := c.cfg.Builder.Call(ctx, &req)
			c.bytes.Add(-int64(len(req.Raw)))
			if err == nil && resp.Error != nil {
				err = resp.Error
			}
			if err != nil {
				c.cfg.Log.Debug("Builder did not take a copied call", "method", req.Method, "err", err)
			}
		case <-ctx.Done():
			return
		}
	}
}
