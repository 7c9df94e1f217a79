// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"context"

	"github.com/ethereum/go-ethereum/beacon/engine"
)

// ForkchoiceUpdatedWithWitnessV1 serves engine_forkchoiceUpdatedWithWitnessV1.
func (api *API) ForkchoiceUpdatedWithWitnessV1(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.updateWithWitness(ctx, update, attrs, engine.PayloadV1, api.ConsensusAPI.ForkchoiceUpdatedWithWitnessV1)
}

// ForkchoiceUpdatedWithWitnessV2 serves engine_forkchoiceUpdatedWithWitnessV2.
func (api *API) ForkchoiceUpdatedWithWitnessV2(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.updateWithWitness(ctx, update, attrs, engine.PayloadV2, api.ConsensusAPI.ForkchoiceUpdatedWithWitnessV2)
}

// ForkchoiceUpdatedWithWitnessV3 serves engine_forkchoiceUpdatedWithWitnessV3.
func (api *API) ForkchoiceUpdatedWithWitnessV3(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.updateWithWitness(ctx, update, attrs, engine.PayloadV3, api.ConsensusAPI.ForkchoiceUpdatedWithWitnessV3)
}

// updateWithWitness asks for a payload with the witness of its execution, which is not streamed. The first update
// that names a payload decides: ids do not tell whether a witness was asked for, and one that is there already
// stays without, as op-geth's would.
func (api *API) updateWithWitness(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes, version engine.PayloadVersion, stock stockUpdate) (engine.ForkChoiceResponse, error) {
	if attrs == nil {
		return api.forkchoiceUpdated(ctx, update, nil, version, stock, true)
	}
	return api.forkchoiceUpdated(ctx, update, &PayloadAttributes{PayloadAttributes: *attrs}, version, stock, true)
}
