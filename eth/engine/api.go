// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"context"
	"reflect"
	"sync"
	"unicode"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/eth/restart"
)

// API is op-geth's Engine API, kept from blocks without a state, with payloads built by this module's builder, which
// does not need to have started for that. Methods that do not concern the building of payloads are op-geth's own; its
// miner builds none. Every exported method is served as engine_*.
type API struct {
	*restart.ConsensusAPI

	chain   *core.BlockChain
	builder Builder
	streams bool // payload attributes may override the flags of the stream

	// mu keeps a forkchoice update and the payload it asks for together. op-geth's own lock covers the head
	// alone, as attributes are kept from it.
	mu sync.Mutex
}

// ForkchoiceUpdatedV1 serves engine_forkchoiceUpdatedV1 (Paris, and Shanghai without withdrawals).
func (api *API) ForkchoiceUpdatedV1(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoiceUpdated(ctx, update, attrs, engine.PayloadV1, api.ConsensusAPI.ForkchoiceUpdatedV1, false)
}

// ForkchoiceUpdatedV2 serves engine_forkchoiceUpdatedV2 (Paris and Shanghai).
func (api *API) ForkchoiceUpdatedV2(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoiceUpdated(ctx, update, attrs, engine.PayloadV2, api.ConsensusAPI.ForkchoiceUpdatedV2, false)
}

// ForkchoiceUpdatedV3 serves engine_forkchoiceUpdatedV3 (Cancun to Osaka, so Ecotone and later).
func (api *API) ForkchoiceUpdatedV3(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoiceUpdated(ctx, update, attrs, engine.PayloadV3, api.ConsensusAPI.ForkchoiceUpdatedV3, false)
}

// ForkchoiceUpdatedV4 serves engine_forkchoiceUpdatedV4 (Amsterdam).
func (api *API) ForkchoiceUpdatedV4(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes, custody *types.CustodyBitmap) (engine.ForkChoiceResponse, error) {
	stock := func(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
		return api.ConsensusAPI.ForkchoiceUpdatedV4(ctx, update, attrs, custody)
	}
	return api.forkchoiceUpdated(ctx, update, attrs, engine.PayloadV4, stock, false)
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
