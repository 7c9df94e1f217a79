// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

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

// ahead has blocks judged before they are asked for.
type ahead struct {
	cfg       Config
	judge     *judge
	validated *metrics.Counter
	version   atomic.Int64 // of engine_getPayload that op-node uses, 0 if it has not yet
}

// asked says which version of engine_getPayload op-node uses.
func (a *ahead) asked(version int) { a.version.Store(int64(version)) }

// watch has the local execution layer judge a block while it grows, if its flashblocks carry roots:
// when it is asked for, the last one is often known to be valid already. At most one validation runs at a
// time, and always of the newest prefix. It returns when the round has ended.
func (a *ahead) watch(ctx context.Context, r *round.Round) {
	timestamp := time.Unix(int64(r.Request().Timestamp), 0)
	timer := time.NewTimer(timestamp.Add(-aheadWindow).Sub(a.cfg.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Ended():
		return
	case <-ctx.Done():
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
			start := a.cfg.Now()
			if version := int(a.version.Load()); version > 0 && a.validate(ctx, prefix, version) == nil {
				a.judge.valid.Add(hash, struct{}{})
				a.validated.Inc()
			}
			if a.cfg.Now().Sub(start) > aheadCost {
				return
			}
			continue
		}
		select {
		case <-r.Changed():
		case <-r.Ended():
			return
		case <-ctx.Done():
			return
		}
	}
}

func (a *ahead) validate(ctx context.Context, prefix *round.Prefix, version int) error {
	method, args, err := prefix.NewPayload(version)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, a.cfg.L2.Timeout(method))
	defer cancel()
	return a.judge.validate(ctx, method, args)
}
