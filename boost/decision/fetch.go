// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"context"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

// fetched is the builder's own answer, checked but not validated.
func (s search) fetched(ctx context.Context) candidate {
	id, err := s.builderID(ctx)
	if err != nil {
		return failed(round.ReasonUnavailable, err)
	}
	resp, err := s.builder.Call(ctx, engineapi.PayloadRequest(s.key.version, id))
	if err == nil && resp.Error != nil {
		err = resp.Error
	}
	if err != nil {
		return failed(round.ReasonUnavailable, err)
	}
	block, err := round.ParsePayload(resp.Result)
	if err == nil {
		err = block.Fits(s.key.version)
	}
	if err != nil {
		return failed(round.ReasonOther, err)
	}
	if err := s.prefix.Matches(block); err != nil {
		return failed(round.ReasonMismatch, err)
	}
	if err := round.Conform(s.round.Request(), block); err != nil {
		return failed(round.ReasonNonconforming, err)
	}
	return candidate{result: resp.Result, block: block}
}

// builderID waits for the builder's answer to the build. Its call has a time limit of its own, which began
// with the build; a builder that has been silent for the whole slot costs nothing here.
func (s search) builderID(ctx context.Context) (engine.PayloadID, error) {
	ctx, cancel := context.WithTimeout(ctx, s.builder.Timeout(s.round.Request().Method))
	defer cancel()
	return s.round.Builder(ctx)
}

// finalise asks the builder for its block without waiting: this ends its work on it.
func (s search) finalise() {
	s.work.run(func() {
		id, err := s.builderID(s.work.life)
		if err != nil {
			return
		}
		if _, err := s.builder.Call(s.work.life, engineapi.PayloadRequest(s.key.version, id)); err != nil {
			s.log.Debug("Builder did not take the end of its work", "payload", id, "err", err)
		}
	})
}
