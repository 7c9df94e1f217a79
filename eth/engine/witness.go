// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"context"

	"github.com/ethereum/go-ethereum/beacon/engine"
)

// The updates with a witness stay op-geth's: its miner records the witness while it builds. They are
// seen here so that the builder follows the head, and so that the payloads keep to the rule that the
// first update naming an id decides who builds it: ids do not tell whether a witness was asked for.

// ForkchoiceUpdatedWithWitnessV1 serves engine_forkchoiceUpdatedWithWitnessV1.
func (api *API) ForkchoiceUpdatedWithWitnessV1(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.updateWithWitness(ctx, update, attrs, api.ConsensusAPI.ForkchoiceUpdatedWithWitnessV1)
}

// ForkchoiceUpdatedWithWitnessV2 serves engine_forkchoiceUpdatedWithWitnessV2.
func (api *API) ForkchoiceUpdatedWithWitnessV2(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.updateWithWitness(ctx, update, attrs, api.ConsensusAPI.ForkchoiceUpdatedWithWitnessV2)
}

// ForkchoiceUpdatedWithWitnessV3 serves engine_forkchoiceUpdatedWithWitnessV3.
func (api *API) ForkchoiceUpdatedWithWitnessV3(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.updateWithWitness(ctx, update, attrs, api.ConsensusAPI.ForkchoiceUpdatedWithWitnessV3)
}

// updateWithWitness runs op-geth's update and notes the payload it builds. If the builder has that payload
// already its block stands, without a witness, as op-geth's first one would.
func (api *API) updateWithWitness(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes, stock stockUpdate) (engine.ForkChoiceResponse, error) {
	api.mu.Lock()
	defer api.mu.Unlock()

	res, err := api.updateHead(ctx, update, attrs, stock)
	if err == nil && res.PayloadID != nil && !api.builder.Has(*res.PayloadID) {
		api.keepDelegated(*res.PayloadID)
	}
	return res, err
}
