// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/catalyst"
)

// API is op-geth's Engine API with payloads built as flashblocks. Methods that do not concern the
// building of payloads are op-geth's own. Every exported method is served as engine_*.
type API struct {
	*catalyst.ConsensusAPI

	chain   *core.BlockChain
	builder Builder

	// ready is false before the builder has started and after it has stopped: the node opens its RPC
	// endpoints before it starts services. op-geth's miner builds in the meantime.
	ready  atomic.Bool
	opened chan struct{} // closed when the builder has started
	once   sync.Once     // closes it

	// mu keeps a forkchoice update and the job it starts together. op-geth's own lock covers the head
	// alone once attributes are kept from it.
	mu        sync.Mutex
	delegated recentIDs // payloads that op-geth's miner builds, guarded by mu
}

// newAPI wraps the node's only ConsensusAPI.
func newAPI(api *catalyst.ConsensusAPI, chain *core.BlockChain, builder Builder) *API {
	return &API{ConsensusAPI: api, chain: chain, builder: builder, opened: make(chan struct{})}
}

// open lets the builder have payloads. It is unexported, as every exported method is served.
func (api *API) open() {
	api.ready.Store(true)
	api.once.Do(func() { close(api.opened) })
}

// startGrace is how long attributes wait for the builder of a node that is starting. A consensus client
// finds a restarted node at once and would have its first blocks built by op-geth's miner, unseen by
// subscribers. op-node gives an engine call five seconds.
const startGrace = 2 * time.Second

// awaitBuilder waits until the builder has started, for a bounded time: a slot is never missed.
func (api *API) awaitBuilder(ctx context.Context) {
	select {
	case <-api.opened:
		return
	default:
	}
	timer := time.NewTimer(startGrace)
	defer timer.Stop()
	select {
	case <-api.opened:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// close gives new payloads to op-geth's miner again.
func (api *API) close() { api.ready.Store(false) }

// ForkchoiceUpdatedV1 serves engine_forkchoiceUpdatedV1 (Paris, and Shanghai without withdrawals).
func (api *API) ForkchoiceUpdatedV1(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoiceUpdated(ctx, update, attrs, engine.PayloadV1, api.ConsensusAPI.ForkchoiceUpdatedV1)
}

// ForkchoiceUpdatedV2 serves engine_forkchoiceUpdatedV2 (Paris and Shanghai).
func (api *API) ForkchoiceUpdatedV2(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoiceUpdated(ctx, update, attrs, engine.PayloadV2, api.ConsensusAPI.ForkchoiceUpdatedV2)
}

// ForkchoiceUpdatedV3 serves engine_forkchoiceUpdatedV3 (Cancun to Osaka, so Ecotone and later).
func (api *API) ForkchoiceUpdatedV3(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoiceUpdated(ctx, update, attrs, engine.PayloadV3, api.ConsensusAPI.ForkchoiceUpdatedV3)
}

// ForkchoiceUpdatedV4 serves engine_forkchoiceUpdatedV4 (Amsterdam).
func (api *API) ForkchoiceUpdatedV4(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes, custody *types.CustodyBitmap) (engine.ForkChoiceResponse, error) {
	stock := func(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
		return api.ConsensusAPI.ForkchoiceUpdatedV4(ctx, update, attrs, custody)
	}
	return api.forkchoiceUpdated(ctx, update, attrs, engine.PayloadV4, stock)
}

// ExchangeCapabilities serves engine_exchangeCapabilities: the methods of this type, which are those of
// op-geth's API and no others. op-geth's own answer would list its type's methods, not what is served.
func (api *API) ExchangeCapabilities([]string) []string {
	typ := reflect.TypeOf(api)
	caps := make([]string, 0, typ.NumMethod())
	for i := range typ.NumMethod() {
		name := typ.Method(i).Name
		if name == "ExchangeCapabilities" {
			continue // the specification wants it left out
		}
		caps = append(caps, "engine_"+string(unicode.ToLower(rune(name[0])))+name[1:])
	}
	return caps
}
