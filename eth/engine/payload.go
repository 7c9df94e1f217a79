// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/params/forks"
)

// GetPayloadV1 serves engine_getPayloadV1.
func (api *API) GetPayloadV1(id engine.PayloadID) (*engine.ExecutableData, error) {
	if !id.Is(engine.PayloadV1) || !api.builder.Has(id) {
		return api.ConsensusAPI.GetPayloadV1(id)
	}
	envelope, err := api.seal(id)
	if err != nil {
		return nil, err
	}
	return envelope.ExecutionPayload, nil
}

// GetPayloadV2 serves engine_getPayloadV2 for Paris and Shanghai.
func (api *API) GetPayloadV2(id engine.PayloadID) (*engine.ExecutionPayloadEnvelope, error) {
	if !id.Is(engine.PayloadV1, engine.PayloadV2) || !api.builder.Has(id) {
		return api.ConsensusAPI.GetPayloadV2(id)
	}
	return api.sealFor(id, forks.Paris, forks.Shanghai)
}

// GetPayloadV3 serves engine_getPayloadV3 for Cancun, so Ecotone to Holocene.
func (api *API) GetPayloadV3(id engine.PayloadID) (*engine.ExecutionPayloadEnvelope, error) {
	if !id.Is(engine.PayloadV3) || !api.builder.Has(id) {
		return api.ConsensusAPI.GetPayloadV3(id)
	}
	return api.sealFor(id, forks.Cancun)
}

// GetPayloadV4 serves engine_getPayloadV4 for Prague, so Isthmus and Jovian.
func (api *API) GetPayloadV4(id engine.PayloadID) (*engine.ExecutionPayloadEnvelope, error) {
	if !id.Is(engine.PayloadV3) || !api.builder.Has(id) {
		return api.ConsensusAPI.GetPayloadV4(id)
	}
	return api.sealFor(id, forks.Prague)
}

// GetPayloadV5 serves engine_getPayloadV5 for Osaka, so Karst.
func (api *API) GetPayloadV5(id engine.PayloadID) (*engine.ExecutionPayloadEnvelope, error) {
	if !id.Is(engine.PayloadV3) || !api.builder.Has(id) {
		return api.ConsensusAPI.GetPayloadV5(id)
	}
	return api.sealFor(id, osaka...)
}

// GetPayloadV6 serves engine_getPayloadV6 for Amsterdam.
func (api *API) GetPayloadV6(id engine.PayloadID) (*engine.ExecutionPayloadEnvelope, error) {
	if !id.Is(engine.PayloadV4) || !api.builder.Has(id) {
		return api.ConsensusAPI.GetPayloadV6(id)
	}
	return api.sealFor(id, forks.Amsterdam)
}

// sealFor seals a payload of the builder and checks that its fork is one the called version serves. Like
// op-geth it finds that out from the payload, so asking with the wrong version ends the building too.
func (api *API) sealFor(id engine.PayloadID, oneOf ...forks.Fork) (*engine.ExecutionPayloadEnvelope, error) {
	envelope, err := api.seal(id)
	if err != nil {
		return nil, err
	}
	if !isFork(api.chain.Config(), envelope.ExecutionPayload.Timestamp, oneOf...) {
		return nil, engine.UnsupportedFork
	}
	return envelope, nil
}

// seal seals a payload of the builder. A builder without an answer has tried to build it anew in vain, and op-geth
// reports a payload that failed to build as unknown.
func (api *API) seal(id engine.PayloadID) (*engine.ExecutionPayloadEnvelope, error) {
	envelope, err := api.builder.GetPayload(id)
	if err != nil {
		log.Error("Builder has no payload", "id", id, "err", err)
		return nil, engine.UnknownPayload
	}
	return envelope, nil
}
