// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"context"
	"errors"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

// finder finds blocks of the builder's.
type finder struct {
	l2          Caller
	builder     Caller
	rebuilds    Rebuilder
	judge       *judge
	work        *background
	external    bool // the local execution layer computes the roots
	rescueAfter time.Duration
	rescues     *metrics.Counter
	log         log.Logger
}

func newFinder(cfg Config, m *meters, work *background, judge *judge) *finder {
	return &finder{
		l2: cfg.L2, builder: cfg.Builder, rebuilds: cfg.Rebuilds, judge: judge, work: work,
		external: cfg.ExternalStateRoot, rescueAfter: cfg.RescueAfter, rescues: m.rescues, log: cfg.Log,
	}
}

// search is for the block of one answer. prefix is what had come of it when it was asked for.
type search struct {
	*finder
	key    flightKey
	round  *round.Round
	prefix *round.Prefix
}

// build finds a block of the builder's that is valid, by the first way that works:
//
//   - flashblocks that carry roots are a block already,
//   - in external state root mode the local execution layer executes the builder's transactions,
//   - otherwise the builder's own answer gives the roots, and must hold what was published.
//
// If none does but something was published, the local execution layer rebuilds exactly that: a
// preconfirmation outlives the builder that gave it.
func (s search) build(ctx context.Context) candidate {
	switch {
	case s.prefix.Count() > 0 && s.external:
		c := s.rebuild(ctx, s.prefix.Transactions(), s.prefix.Equal)
		if c.err == nil {
			s.finalise()
			return c
		}
		s.log.Warn("Builder's transactions cannot be rebuilt", "payload", s.key.id, "err", c.err)
		if ctx.Err() != nil {
			return c // the builder cannot help it that there is no time to ask it
		}
		return s.validated(ctx, s.fetched(ctx))
	case s.prefix.Count() > 0 && s.prefix.Rooted():
		s.finalise()
		c := s.assembled(ctx)
		if c.err == nil {
			return c
		}
		return s.rescue(ctx, c)
	case s.prefix.Count() > 0:
		return s.hedged(ctx)
	case s.external:
		c := s.fetched(ctx)
		if c.err != nil {
			return c
		}
		want := c.block
		return s.rebuild(ctx, want.Transactions, func(got *round.Payload) error { return sameTransactions(want, got) })
	default:
		return s.validated(ctx, s.fetched(ctx))
	}
}

// finish makes the block of what was published and of nothing else, without the builder, which the operator has
// taken out in the middle of the block.
func (s search) finish(ctx context.Context) candidate {
	s.prefix = s.prefix.Public()
	if s.prefix.Rooted() && !s.external {
		if c := s.assembled(ctx); c.err == nil {
			return c
		}
	}
	return s.rebuild(ctx, s.prefix.Transactions(), s.prefix.Equal)
}

// assembled makes the block of the flashblocks alone.
func (s search) assembled(ctx context.Context) candidate {
	result, err := s.prefix.Envelope(s.key.version)
	if err != nil {
		return failed(round.ReasonOther, err)
	}
	block, err := round.ParsePayload(result)
	if err != nil {
		return failed(round.ReasonOther, err)
	}
	if err := round.Conform(s.round.Request(), block); err != nil {
		return failed(round.ReasonNonconforming, err)
	}
	return s.validated(ctx, candidate{result: result, block: block, hashed: true})
}

// validated has the local execution layer judge a block, unless it has done so before.
func (s search) validated(ctx context.Context, c candidate) candidate {
	if c.err != nil || c.hashed && s.judge.known(c.block.BlockHash) {
		return c
	}
	method, args := c.block.NewPayload(s.key.version, s.round.Request().BeaconRoot)
	if err := s.judge.validate(ctx, method, args); err != nil {
		if errors.Is(err, errNotValid) {
			return failed(round.ReasonInvalid, err)
		}
		return innocent(round.ReasonUnavailable, err) // no judgement came
	}
	return c
}
