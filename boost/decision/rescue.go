// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

var errSilent = errors.New("the builder does not answer")

// hedged takes the builder's own answer. If that fails, or does not come soon, what was published is rebuilt,
// and the first block counts. How long the local execution layer takes to judge the answer is no reason to have it
// build as well.
func (s search) hedged(ctx context.Context) candidate {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	own, answered := make(chan candidate, 1), make(chan struct{}, 1)
	s.work.run(func() {
		own <- s.guarded(s.key.id, func() candidate {
			c := s.fetched(ctx)
			answered <- struct{}{}
			return s.validated(ctx, c)
		})
	})

	patience := time.NewTimer(s.rescueAfter)
	defer patience.Stop()
	var rescued chan candidate
	for {
		select {
		case <-answered:
			patience.Stop()
		case c := <-own:
			switch {
			case c.err == nil:
				return c
			case rescued == nil:
				return s.rescue(ctx, c)
			}
			if other := <-rescued; other.err == nil {
				return other
			}
			return c
		case <-patience.C:
			if s.prefix.Published() == 0 {
				continue
			}
			rescued = make(chan candidate, 1)
			s.work.run(func() {
				rescued <- s.guarded(s.key.id, func() candidate {
					return s.rescue(ctx, failed(round.ReasonUnavailable, errSilent))
				})
			})
		case c := <-rescued:
			if c.err == nil {
				return c
			}
			return <-own
		}
	}
}

// rescue rebuilds what was published when the builder's block is of no use. c is what it was.
func (s search) rescue(ctx context.Context, c candidate) candidate {
	if s.prefix.Published() == 0 {
		return c
	}
	s.rescues.Inc()
	s.log.Warn("Rebuilding the published flashblocks without the builder", "payload", s.key.id, "flashblocks", s.prefix.Count(), "err", c.err)
	again := s.rebuild(ctx, s.prefix.Transactions(), s.prefix.Equal)
	if again.err != nil {
		c.err = errors.Join(c.err, again.err)
		return c
	}
	again.blame = c.blame
	return again
}
