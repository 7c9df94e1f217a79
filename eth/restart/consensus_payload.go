// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"context"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// NewPayloadV1 serves engine_newPayloadV1.
func (api *ConsensusAPI) NewPayloadV1(ctx context.Context, params engine.ExecutableData) (engine.PayloadStatusV1, error) {
	return api.payload(ctx, &params, func() (engine.PayloadStatusV1, error) {
		return api.ConsensusAPI.NewPayloadV1(ctx, params)
	})
}

// NewPayloadV2 serves engine_newPayloadV2.
func (api *ConsensusAPI) NewPayloadV2(ctx context.Context, params engine.ExecutableData) (engine.PayloadStatusV1, error) {
	return api.payload(ctx, &params, func() (engine.PayloadStatusV1, error) {
		return api.ConsensusAPI.NewPayloadV2(ctx, params)
	})
}

// NewPayloadV3 serves engine_newPayloadV3.
func (api *ConsensusAPI) NewPayloadV3(ctx context.Context, params engine.ExecutableData, versionedHashes []common.Hash, beaconRoot *common.Hash) (engine.PayloadStatusV1, error) {
	return api.payload(ctx, &params, func() (engine.PayloadStatusV1, error) {
		return api.ConsensusAPI.NewPayloadV3(ctx, params, versionedHashes, beaconRoot)
	})
}

// NewPayloadV4 serves engine_newPayloadV4.
func (api *ConsensusAPI) NewPayloadV4(ctx context.Context, params engine.ExecutableData, versionedHashes []common.Hash, beaconRoot *common.Hash, executionRequests []hexutil.Bytes) (engine.PayloadStatusV1, error) {
	return api.payload(ctx, &params, func() (engine.PayloadStatusV1, error) {
		return api.ConsensusAPI.NewPayloadV4(ctx, params, versionedHashes, beaconRoot, executionRequests)
	})
}

// NewPayloadV5 serves engine_newPayloadV5.
func (api *ConsensusAPI) NewPayloadV5(ctx context.Context, params engine.ExecutableData, versionedHashes []common.Hash, beaconRoot *common.Hash, executionRequests []hexutil.Bytes) (engine.PayloadStatusV1, error) {
	return api.payload(ctx, &params, func() (engine.PayloadStatusV1, error) {
		return api.ConsensusAPI.NewPayloadV5(ctx, params, versionedHashes, beaconRoot, executionRequests)
	})
}

// NewPayloadWithWitnessV1 serves engine_newPayloadWithWitnessV1.
func (api *ConsensusAPI) NewPayloadWithWitnessV1(ctx context.Context, params engine.ExecutableData) (engine.PayloadStatusV1, error) {
	return api.payload(ctx, &params, func() (engine.PayloadStatusV1, error) {
		return api.ConsensusAPI.NewPayloadWithWitnessV1(ctx, params)
	})
}

// NewPayloadWithWitnessV2 serves engine_newPayloadWithWitnessV2.
func (api *ConsensusAPI) NewPayloadWithWitnessV2(ctx context.Context, params engine.ExecutableData) (engine.PayloadStatusV1, error) {
	return api.payload(ctx, &params, func() (engine.PayloadStatusV1, error) {
		return api.ConsensusAPI.NewPayloadWithWitnessV2(ctx, params)
	})
}

// NewPayloadWithWitnessV3 serves engine_newPayloadWithWitnessV3.
func (api *ConsensusAPI) NewPayloadWithWitnessV3(ctx context.Context, params engine.ExecutableData, versionedHashes []common.Hash, beaconRoot *common.Hash) (engine.PayloadStatusV1, error) {
	return api.payload(ctx, &params, func() (engine.PayloadStatusV1, error) {
		return api.ConsensusAPI.NewPayloadWithWitnessV3(ctx, params, versionedHashes, beaconRoot)
	})
}

// NewPayloadWithWitnessV4 serves engine_newPayloadWithWitnessV4.
func (api *ConsensusAPI) NewPayloadWithWitnessV4(ctx context.Context, params engine.ExecutableData, versionedHashes []common.Hash, beaconRoot *common.Hash, executionRequests []hexutil.Bytes) (engine.PayloadStatusV1, error) {
	return api.payload(ctx, &params, func() (engine.PayloadStatusV1, error) {
		return api.ConsensusAPI.NewPayloadWithWitnessV4(ctx, params, versionedHashes, beaconRoot, executionRequests)
	})
}
