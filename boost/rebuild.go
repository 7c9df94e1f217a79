// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

// errMovedOn is returned when op-node has left the parent of the block meanwhile.
var errMovedOn = errors.New("op-node has chosen another head")

// rebuild lets the local execution layer build the block of a list of transactions, roots included. check
// compares what comes back. The block needs no validation: who judges it has made it.
func (s *Sidecar) rebuild(ctx context.Context, key flightKey, r *round.Round, txs []json.RawMessage, check func(*round.Payload) error) candidate {
	if err := ctx.Err(); err != nil {
		return innocent(round.ReasonUnavailable, err) // too late to begin
	}
	wait, err := s.submitRebuild(r.Request(), txs)
	if err != nil {
		return innocent(round.ReasonUnavailable, err)
	}
	var o outcome
	select {
	case o = <-wait:
	case <-ctx.Done():
		return innocent(round.ReasonUnavailable, ctx.Err())
	}
	id, err := localAnswer(o.resp, o.err)
	if err != nil {
		return innocent(round.ReasonInvalid, fmt.Errorf("the local execution layer does not build the builder's block: %w", err))
	}
	resp, err := s.cfg.L2.Call(ctx, payloadRequest(key.version, id))
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
	if err := round.Conform(r.Request(), block); err != nil {
		return innocent(round.ReasonNonconforming, err)
	}
	return candidate{result: resp.Result, block: block}
}

// finish makes the block of what was published and of nothing else, without the builder, which the operator has
// taken out in the middle of the block.
func (s *Sidecar) finish(ctx context.Context, key flightKey, r *round.Round, prefix *round.Prefix) candidate {
	prefix = prefix.Public()
	if prefix.Rooted() && !s.cfg.ExternalStateRoot {
		if c := s.assembled(ctx, key, r, prefix); c.err == nil {
			return c
		}
	}
	return s.rebuild(ctx, key, r, prefix.Transactions(), prefix.Equal)
}

// submitRebuild sends the forkchoice update that starts it, on the head that op-node has given last: a late
// one must never move the head, or what is safe, back.
func (s *Sidecar) submitRebuild(build *round.Request, txs []json.RawMessage) (<-chan outcome, error) {
	args := build.Rebuild(txs)
	s.head.mu.Lock()
	defer s.head.mu.Unlock()
	if s.head.hash != build.Head {
		return nil, errMovedOn
	}
	if s.head.state != nil {
		args[0] = s.head.state
	}
	req := jsonrpc.NewRequest(ownID, build.Method, args...)
	return s.submit(backend.KindBuild, &req), nil
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
