// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/local"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

// rebuild lets the local execution layer build the block of a list of transactions, roots included. check
// compares what comes back. The block needs no validation: who judges it has made it.
func (s search) rebuild(ctx context.Context, txs []json.RawMessage, check func(*round.Payload) error) candidate {
	if err := ctx.Err(); err != nil {
		return innocent(round.ReasonUnavailable, err) // too late to begin
	}
	build := s.round.Request()
	wait, err := s.rebuilds.SubmitBuild(build.Head, build.Method, build.Rebuild(txs))
	if err != nil {
		return innocent(round.ReasonUnavailable, err)
	}
	var o local.Outcome
	select {
	case o = <-wait:
	case <-ctx.Done():
		return innocent(round.ReasonUnavailable, ctx.Err())
	}
	id, err := engineapi.LocalAnswer(o.Resp, o.Err)
	if err != nil {
		return innocent(round.ReasonInvalid, fmt.Errorf("the local execution layer does not build the builder's block: %w", err))
	}
	resp, err := s.l2.Call(ctx, engineapi.PayloadRequest(s.key.version, id))
	if err == nil && resp.Error != nil {
		err = resp.Error
	}
	if err != nil {
		return innocent(round.ReasonInvalid, fmt.Errorf("the local execution layer did not build the builder's block: %w", err))
	}
	block, err := round.ParsePayload(resp.Result)
	if err != nil {
		return innocent(round.ReasonOther, err)
	}
	if err := check(block); err != nil {
		return failed(round.ReasonMismatch, err)
	}
	if err := round.Conform(build, block); err != nil {
		return innocent(round.ReasonNonconforming, err)
	}
	return candidate{result: resp.Result, block: block}
}

// sameTransactions checks that two blocks hold the same transactions.
func sameTransactions(want, got *round.Payload) error {
	if len(want.Transactions) != len(got.Transactions) {
		return fmt.Errorf("%w: %d transactions instead of %d", round.ErrMismatch, len(got.Transactions), len(want.Transactions))
	}
	for i := range want.Transactions {
		if !bytes.EqualFold(want.Transactions[i], got.Transactions[i]) {
			return fmt.Errorf("%w: transaction %d differs", round.ErrMismatch, i)
		}
	}
	return nil
}
