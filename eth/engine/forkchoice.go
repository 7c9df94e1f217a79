// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// stockUpdate is one of op-geth's forkchoice updates.
type stockUpdate func(context.Context, engine.ForkchoiceStateV1, *engine.PayloadAttributes) (engine.ForkChoiceResponse, error)

// forkchoiceUpdated checks the attributes, lets op-geth process the head, and starts the builder where
// op-geth would start its miner. Codes, texts and order of the refusals are op-geth's, which means that
// the head is set even when the transactions of the attributes turn out to be garbage.
func (api *API) forkchoiceUpdated(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes, version engine.PayloadVersion, stock stockUpdate) (engine.ForkChoiceResponse, error) {
	if attrs != nil && !attrs.NoTxPool {
		api.awaitBuilder(ctx)
	}
	api.mu.Lock()
	defer api.mu.Unlock()

	if attrs == nil {
		return api.updateHead(ctx, update, nil, stock)
	}
	if err := api.checkAttributes(update.HeadBlockHash, attrs, version); err != nil {
		return engine.STATUS_INVALID, err
	}
	// A payload without pool transactions is derived from L1, not sequenced: nothing to stream. Amsterdam
	// (V4) is no fork of the OP Stack, and the builder does not make its headers.
	if attrs.NoTxPool || !api.ready.Load() || version == engine.PayloadV4 {
		return api.delegate(ctx, update, attrs, stock)
	}
	res, err := api.updateHead(ctx, update, nil, stock)
	if err != nil || res.PayloadStatus.Status != engine.VALID {
		return res, err
	}
	args, err := api.buildArgs(update.HeadBlockHash, attrs, version)
	if err != nil {
		return engine.STATUS_INVALID, engine.InvalidPayloadAttributes.With(err)
	}
	// The first update that names a payload decides who builds it: what was published under an id has
	// to be sealed under it, and op-geth keeps the first job of an id too. Whether attributes that come
	// again stand for the same payload is for the builder to say.
	id := args.Id()
	if !api.builder.Has(id) && (attrs.disabled() || api.delegated.has(id)) {
		return api.delegate(ctx, update, attrs, stock)
	}
	id, err = api.startJob(args, attrs.options())
	if err != nil {
		log.Error("Builder refused the payload attributes", "parent", args.Parent, "timestamp", args.Timestamp, "err", err)
		return res, engine.InvalidPayloadAttributes.With(err)
	}
	if id == (engine.PayloadID{}) {
		return api.delegate(ctx, update, attrs, stock)
	}
	res.PayloadID = &id
	return res, nil
}

// updateHead runs op-geth's forkchoice update and tells the builder of a valid head.
func (api *API) updateHead(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes, stock stockUpdate) (engine.ForkChoiceResponse, error) {
	res, err := stock(ctx, update, attrs)
	// An answer can be VALID beside an error: the head is set, the attributes are refused.
	if res.PayloadStatus.Status == engine.VALID {
		api.builder.NewHead(update.HeadBlockHash)
	}
	return res, err
}

// delegate lets op-geth's miner build the payload.
func (api *API) delegate(ctx context.Context, update engine.ForkchoiceStateV1, attrs *PayloadAttributes, stock stockUpdate) (engine.ForkChoiceResponse, error) {
	res, err := api.updateHead(ctx, update, &attrs.PayloadAttributes, stock)
	if err == nil && res.PayloadID != nil {
		api.keepDelegated(*res.PayloadID)
	}
	return res, err
}

// keepDelegated notes a payload that op-geth's miner builds, and ends the builder's: the stream would go on
// with a block that nobody is going to seal.
func (api *API) keepDelegated(id engine.PayloadID) {
	api.delegated.add(id)
	api.builder.Abandon()
}

// checkAttributes reports the first thing that is wrong with the attributes, as far as that can be told
// before the head is processed.
func (api *API) checkAttributes(head common.Hash, attrs *PayloadAttributes, version engine.PayloadVersion) error {
	config := api.chain.Config()
	if err := checkVersion(config, version, &attrs.PayloadAttributes); err != nil {
		return err
	}
	if head == (common.Hash{}) {
		return nil // op-geth answers INVALID to a zero head before it looks any further
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

// startJob starts the builder. A panic of the builder gives the zero id, so that op-geth's miner takes
// the slot: a slot is never missed.
func (api *API) startJob(args *gethminer.BuildPayloadArgs, opts miner.Options) (id engine.PayloadID, err error) {
	defer func() {
		if r := recover(); r != nil {
			log.Error("Builder panicked, op-geth's miner takes the payload", "parent", args.Parent, "timestamp", args.Timestamp, "panic", fmt.Sprint(r))
			id, err = engine.PayloadID{}, nil
		}
	}()
	return api.builder.BuildPayload(args, opts)
}
