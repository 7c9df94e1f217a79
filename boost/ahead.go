// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

// aheadWindow is how long before a block's timestamp its flashblocks are validated as they come. Earlier
// ones are too far from the block that is asked for to save anything.
const aheadWindow = time.Second

// aheadCost is the longest validation that is made ahead again in the same block. An execution layer judges one
// block at a time: where that takes longer than the builder's last flashblock comes before the end, one of
// an earlier prefix would stand before the one that counts.
const aheadCost = 100 * time.Millisecond

// validateAhead has the local execution layer judge a block while it grows, if its flashblocks carry roots:
// when it is asked for, the last one is often known to be valid already. At most one validation runs at a
// time, and always of the newest prefix.
func (s *Sidecar) validateAhead(r *round.Round) {
	timestamp := time.Unix(int64(r.Request().Timestamp), 0)
	timer := time.NewTimer(timestamp.Add(-aheadWindow).Sub(s.cfg.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Ended():
		return
	case <-s.life.Done():
		return
	}
	var last common.Hash
	for {
		prefix := r.Peek()
		if prefix.Count() > 0 && !prefix.Rooted() {
			return // the builder leaves the roots to others
		}
		if hash := prefix.BlockHash(); prefix.Count() > 0 && hash != last {
			last = hash
			start := s.cfg.Now()
			if version := int(s.asked.Load()); version > 0 && s.validatePrefix(prefix, version) == nil {
				s.valid.Add(hash, struct{}{})
				s.m.ahead.Inc()
			}
			if s.cfg.Now().Sub(start) > aheadCost {
				return
			}
			continue
		}
		select {
		case <-r.Changed():
		case <-r.Ended():
			return
		case <-s.life.Done():
			return
		}
	}
}

func (s *Sidecar) validatePrefix(prefix *round.Prefix, version int) error {
	method, args, err := prefix.NewPayload(version)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.life, s.cfg.L2.Timeout(method))
	defer cancel()
	return s.validate(ctx, method, args)
}

// known reports whether a block was found valid before it was asked for.
func (s *Sidecar) known(hash common.Hash) bool {
	_, ok := s.valid.Get(hash)
	return ok
}
