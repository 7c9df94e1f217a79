// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// stockUpdate is one of op-geth's forkchoice updates.
type stockUpdate func(context.Context, engine.ForkchoiceStateV1, *engine.PayloadAttributes) (engine.ForkChoiceResponse, error)

// forkchoiceUpdated lets op-geth process the head, then checks the attributes, and has the payload built where
// op-geth would use its miner. Codes and texts of the refusals are op-geth's. Their order is the specification's:
// arguments that are none of the method's, an unknown head (SYNCING), an invalid one, a safe or finalized block that
// is not the head's, of which nothing is applied, and then attributes, whose head is applied all the same. Attributes
// of which no block can be made are refused in the answer, and never by a getPayload that finds nothing.
func (api *API) forkchoiceUpdated(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes, version engine.PayloadVersion, stock stockUpdate, witness bool) (engine.ForkChoiceResponse, error) {
	api.mu.Lock()
	defer api.mu.Unlock()

	if attrs == nil {
		return api.updateHead(ctx, update, stock)
	}
	if !api.streams {
		attrs.dropOverride()
	}
	if err := checkArguments(api.chain.Config(), version, &attrs.PayloadAttributes); err != nil {
		return engine.STATUS_INVALID, err
	}
	res, err := api.updateHead(ctx, update, stock)
	if err != nil || res.PayloadStatus.Status != engine.VALID {
		return res, err
	}
	if err := api.checkAttributes(update.HeadBlockHash, attrs, version); err != nil {
		return engine.STATUS_INVALID, err
	}
	args, err := api.buildArgs(update.HeadBlockHash, attrs, version)
	if err != nil {
		return engine.STATUS_INVALID, engine.InvalidPayloadAttributes.With(err)
	}
	opts := attrs.options()
	opts.Witness = witness
	id, err := api.builder.BuildPayload(args, opts)
	switch {
	case errors.Is(err, miner.ErrNotBuilt):
		// Not the attributes' fault. To call them invalid would have derivation drop the batch they are of.
		log.Error("Builder could not build on the payload attributes", "parent", args.Parent, "timestamp", args.Timestamp, "err", err)
		return res, err
	case err != nil:
		log.Error("Builder refused the payload attributes", "parent", args.Parent, "timestamp", args.Timestamp, "err", err)
		return res, engine.InvalidPayloadAttributes.With(err)
	}
	res.PayloadID = &id
	return res, nil
}

// updateHead runs op-geth's forkchoice update and tells the builder if the head has moved. An update to where the
// chain already is, or to an older block of it, moves nothing.
func (api *API) updateHead(ctx context.Context, update engine.ForkchoiceStateV1, stock stockUpdate) (engine.ForkChoiceResponse, error) {
	before := api.chain.CurrentBlock().Hash()
	res, err := stock(ctx, update, nil)
	if head := api.chain.CurrentBlock().Hash(); head != before {
		api.builder.NewHead(head) // whatever the answer is
	}
	if err != nil && res.PayloadStatus.Status == engine.SYNCING {
		// op-geth's downloader has taken the head, and says that it had another one before.
		log.Info("Syncing to another head", "head", update.HeadBlockHash, "reason", err)
		err = nil
	}
	return res, err
}

// checkAttributes reports the first thing that is wrong with the attributes, as far as that can be told without
// building.
func (api *API) checkAttributes(head common.Hash, attrs *PayloadAttributes, version engine.PayloadVersion) error {
	config := api.chain.Config()
	if err := checkVersion(config, version, &attrs.PayloadAttributes); err != nil {
		return err
	}
	if err := checkOptimism(config, &attrs.PayloadAttributes); err != nil {
		return engine.InvalidPayloadAttributes.With(err)
	}
	if err := attrs.checkOverride(api.slot(head, attrs.Timestamp)); err != nil {
		return engine.InvalidPayloadAttributes.With(err)
	}
	return nil
}

// slot returns the length of the slot that a payload at the timestamp on the given parent has, zero if
// the parent is unknown or not older.
func (api *API) slot(parent common.Hash, timestamp uint64) time.Duration {
	header := api.chain.GetHeaderByHash(parent)
	if header == nil || header.Time >= timestamp {
		return 0
	}
	seconds := min(timestamp-header.Time, maxIntervalMs/1000)
	return time.Duration(seconds) * time.Second
}

// buildArgs turns attributes into the arguments op-geth's miner would get for them, so that payload ids
// are the same as op-geth's.
func (api *API) buildArgs(parent common.Hash, attrs *PayloadAttributes, version engine.PayloadVersion) (*gethminer.BuildPayloadArgs, error) {
	txs, err := decodeTransactions(attrs.Transactions)
	if err != nil {
		return nil, err
	}
	args := &gethminer.BuildPayloadArgs{
		Parent:       parent,
		Timestamp:    attrs.Timestamp,
		FeeRecipient: attrs.SuggestedFeeRecipient,
		Random:       attrs.Random,
		Withdrawals:  attrs.Withdrawals,
		BeaconRoot:   attrs.BeaconRoot,
		SlotNum:      attrs.SlotNumber,
		Version:      version,
		NoTxPool:     attrs.NoTxPool,
		Transactions: txs,
		GasLimit:     attrs.GasLimit,
		MinBaseFee:   attrs.MinBaseFee,
	}
	if api.chain.Config().IsOptimismHolocene(attrs.Timestamp) {
		args.EIP1559Params = bytes.Clone(attrs.EIP1559Params)
	}
	return args, nil
}
