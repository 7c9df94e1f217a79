// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/params/forks"
)

// The checks of payload attributes in this file are those of op-geth's eth/catalyst (api.go,
// api_optimism.go) in the same order: op-geth keeps them in one unexported function together with the
// start of its own miner. A differential test compares every refusal with op-geth's.

var (
	cancunToOsaka = []forks.Fork{forks.Cancun, forks.Prague, forks.Osaka, forks.BPO1, forks.BPO2, forks.BPO3, forks.BPO4, forks.BPO5}
	osaka         = []forks.Fork{forks.Osaka, forks.BPO1, forks.BPO2, forks.BPO3, forks.BPO4, forks.BPO5}
)

// isFork reports whether the latest fork at the given timestamp is one of those named.
func isFork(config *gethparams.ChainConfig, timestamp uint64, oneOf ...forks.Fork) bool {
	return slices.Contains(oneOf, config.LatestFork(timestamp))
}

// checkArguments reports attributes that are no arguments of the version of the forkchoice update at all.
func checkArguments(config *gethparams.ChainConfig, version engine.PayloadVersion, attrs *engine.PayloadAttributes) error {
	if version == engine.PayloadV1 {
		return checkV1(config, attrs)
	}
	return nil
}

// checkVersion reports attributes that the version of the forkchoice update does not allow.
func checkVersion(config *gethparams.ChainConfig, version engine.PayloadVersion, attrs *engine.PayloadAttributes) error {
	switch version {
	case engine.PayloadV1:
		return nil // they would be no arguments
	case engine.PayloadV2:
		return checkV2(config, attrs)
	case engine.PayloadV3:
		return checkV3(config, attrs)
	default:
		return checkV4(config, attrs)
	}
}

func checkV1(config *gethparams.ChainConfig, attrs *engine.PayloadAttributes) error {
	switch {
	case attrs.Withdrawals != nil || attrs.BeaconRoot != nil:
		return engine.InvalidParams.With(errV1Fields)
	case !isFork(config, attrs.Timestamp, forks.Paris, forks.Shanghai):
		return engine.InvalidParams.With(errV1Fork)
	}
	return nil
}

func checkV2(config *gethparams.ChainConfig, attrs *engine.PayloadAttributes) error {
	fork := config.LatestFork(attrs.Timestamp)
	switch {
	case attrs.BeaconRoot != nil:
		return engine.InvalidPayloadAttributes.With(errUnexpectedRoot)
	case fork == forks.Paris && attrs.Withdrawals != nil:
		return engine.InvalidPayloadAttributes.With(errEarlyWithdrawals)
	case fork == forks.Shanghai && attrs.Withdrawals == nil:
		return engine.InvalidPayloadAttributes.With(errMissingWithdrawals)
	case fork != forks.Paris && fork != forks.Shanghai:
		return engine.UnsupportedFork.With(errV2Fork)
	}
	return nil
}

func checkV3(config *gethparams.ChainConfig, attrs *engine.PayloadAttributes) error {
	switch {
	case attrs.Withdrawals == nil:
		return engine.InvalidPayloadAttributes.With(errMissingWithdrawals)
	case attrs.BeaconRoot == nil:
		return engine.InvalidPayloadAttributes.With(errMissingRoot)
	case !isFork(config, attrs.Timestamp, cancunToOsaka...):
		return engine.UnsupportedFork.With(errV3Fork)
	}
	return nil
}

func checkV4(config *gethparams.ChainConfig, attrs *engine.PayloadAttributes) error {
	switch {
	case attrs.Withdrawals == nil:
		return engine.InvalidPayloadAttributes.With(errMissingWithdrawals)
	case attrs.BeaconRoot == nil:
		return engine.InvalidPayloadAttributes.With(errMissingRoot)
	case attrs.SlotNumber == nil:
		return engine.InvalidPayloadAttributes.With(errMissingSlot)
	case attrs.TargetGasLimit == nil:
		return engine.InvalidPayloadAttributes.With(errMissingTarget)
	case !isFork(config, attrs.Timestamp, forks.Amsterdam):
		return engine.UnsupportedFork.With(errV4Fork)
	}
	return nil
}

// checkOptimism reports attributes that the OP Stack's own rules refuse.
func checkOptimism(config *gethparams.ChainConfig, attrs *engine.PayloadAttributes) error {
	if attrs.GasLimit == nil {
		return errMissingGasLimit
	}
	if config.IsCanyon(attrs.Timestamp) && len(attrs.Withdrawals) != 0 {
		return errCanyonWithdrawals
	}
	if config.IsHolocene(attrs.Timestamp) {
		return eip1559.ValidateHolocene1559Params(attrs.EIP1559Params)
	}
	if len(attrs.EIP1559Params) != 0 {
		return errEarly1559Params
	}
	return nil
}

// decodeTransactions decodes the transactions of the attributes.
func decodeTransactions(raw [][]byte) (types.Transactions, error) {
	txs := make(types.Transactions, len(raw))
	for i, enc := range raw {
		txs[i] = new(types.Transaction)
		if err := txs[i].UnmarshalBinary(enc); err != nil {
			return nil, fmt.Errorf("transaction %d is not valid: %w", i, err)
		}
	}
	return txs, nil
}
