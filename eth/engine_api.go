// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/eth/restart"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// payloadBuilder is what the Engine API needs of the builder.
type payloadBuilder interface {
	// BuildPayload starts a job, unless the one for these arguments still builds or was fetched. Its errors
	// concern the arguments, and nothing was published when it returns one.
	BuildPayload(args *gethminer.BuildPayloadArgs, opts miner.Options) (engine.PayloadID, error)
	// Has tells whether a payload is the builder's.
	Has(id engine.PayloadID) bool
	// GetPayload seals a payload; repeated calls give the same answer.
	GetPayload(id engine.PayloadID) (*engine.ExecutionPayloadEnvelope, error)
	// NewHead tells the builder of the head that a forkchoice update set.
	NewHead(head common.Hash)
	// Abandon ends the payload under construction, as op-geth's miner builds the next one.
	Abandon()
}

// EngineAPI is op-geth's Engine API, kept from blocks without a state, with payloads built as flashblocks. Methods that do not concern the
// building of payloads are op-geth's own. Every exported method is served as engine_*.
type EngineAPI struct {
	*restart.ConsensusAPI

	chain   *core.BlockChain
	builder payloadBuilder

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

// newEngineAPI wraps the node's only ConsensusAPI.
func newEngineAPI(api *restart.ConsensusAPI, chain *core.BlockChain, builder payloadBuilder) *EngineAPI {
	return &EngineAPI{ConsensusAPI: api, chain: chain, builder: builder, opened: make(chan struct{})}
}

// open lets the builder have payloads. It is unexported, as every exported method is served.
func (api *EngineAPI) open(context.Context) error {
	api.ready.Store(true)
	api.once.Do(func() { close(api.opened) })
	return nil
}

// startGrace is how long attributes wait for the builder of a node that is starting. A consensus client
// finds a restarted node at once and would have its first blocks built by op-geth's miner, unseen by
// subscribers. op-node gives an engine call five seconds.
const startGrace = 2 * time.Second

// awaitBuilder waits until the builder has started, for a bounded time: a slot is never missed.
func (api *EngineAPI) awaitBuilder(ctx context.Context) {
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
func (api *EngineAPI) close() error {
	api.ready.Store(false)
	return nil
}

// ForkchoiceUpdatedV1 serves engine_forkchoiceUpdatedV1 (Paris, and Shanghai without withdrawals).
func (api *EngineAPI) ForkchoiceUpdatedV1(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoiceUpdated(ctx, update, attrs, engine.PayloadV1, api.ConsensusAPI.ForkchoiceUpdatedV1)
}

// ForkchoiceUpdatedV2 serves engine_forkchoiceUpdatedV2 (Paris and Shanghai).
func (api *EngineAPI) ForkchoiceUpdatedV2(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoiceUpdated(ctx, update, attrs, engine.PayloadV2, api.ConsensusAPI.ForkchoiceUpdatedV2)
}

// ForkchoiceUpdatedV3 serves engine_forkchoiceUpdatedV3 (Cancun to Osaka, so Ecotone and later).
func (api *EngineAPI) ForkchoiceUpdatedV3(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoiceUpdated(ctx, update, attrs, engine.PayloadV3, api.ConsensusAPI.ForkchoiceUpdatedV3)
}

// ForkchoiceUpdatedV4 serves engine_forkchoiceUpdatedV4 (Amsterdam).
func (api *EngineAPI) ForkchoiceUpdatedV4(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes, custody *types.CustodyBitmap) (engine.ForkChoiceResponse, error) {
	stock := func(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
		return api.ConsensusAPI.ForkchoiceUpdatedV4(ctx, update, attrs, custody)
	}
	return api.forkchoiceUpdated(ctx, update, attrs, engine.PayloadV4, stock)
}

// ExchangeCapabilities serves engine_exchangeCapabilities: the methods of this type, which are those of
// op-geth's API and no others. op-geth's own answer would list its type's methods, not what is served.
func (api *EngineAPI) ExchangeCapabilities([]string) []string {
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
