// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// copied is a call that goes to the builder as well.
type copied struct{ req jsonrpc.Request }

// copiers is how many calls are copied at a time.
const copiers = 8

// copyBytes bounds what waits to be copied, and is being copied, in memory: hundreds of the largest transactions.
const copyBytes = 64 << 20

// copiedMethods change what the builder's blocks hold: transactions and limits.
var copiedMethods = map[string]bool{
	plainMethod:                         true,
	"eth_sendRawTransactionConditional": true,
	"miner_setExtra":                    true,
	"miner_setGasPrice":                 true,
	"miner_setGasLimit":                 true,
	"miner_setMaxDASize":                true,
}

// syncMethod is answered when the transaction is in a block. The builder has to hear of it before, as of
// plainMethod's.
const (
	syncMethod  = "eth_sendRawTransactionSync"
	plainMethod = "eth_sendRawTransaction"
)

// maxSyncing bounds the bodies with such calls that are passed on at a time. Each holds a connection for seconds, of
// which op-batcher, the health polls and all others need some, too.
const maxSyncing = 32

// copyHeadStart is what the local execution layer has to take in a transaction before the builder may tell it of the
// same one: many times what that takes, and a small part of the time between two flashblocks.
const copyHeadStart = 20 * time.Millisecond

// copyToBuilder gives the builder a copy of a call that concerns it. Nobody waits for the outcome, and
// nothing is repeated: op-batcher and wallets do that.
func (s *Sidecar) copyToBuilder(req *jsonrpc.Request) {
	if !copiedMethods[req.Method] || !s.asksBuilder() {
		return
	}
	// A copy of its own: the call may be a small part of a large batch.
	reqs, _, err := jsonrpc.ParseBody(bytes.Clone(req.Raw))
	if err != nil || len(reqs) != 1 {
		return // cannot be: it was parsed before
	}
	s.queueCopy(reqs[0])
}

// waitsForBlock reports whether the answer to any of the calls waits for a block.
func waitsForBlock(reqs []jsonrpc.Request) bool {
	return slices.ContainsFunc(reqs, func(req jsonrpc.Request) bool { return req.Method == syncMethod })
}

// copyMeanwhile gives the builder the transactions of those calls that the local execution layer answers only when
// they are in a block: some time after they are passed on, or when answered is called, whatever is sooner. The
// error is for a body that must not be passed on, because too many of its kind are waiting.
func (s *Sidecar) copyMeanwhile(reqs []jsonrpc.Request) (answered func(), err error) {
	if !waitsForBlock(reqs) {
		return func() {}, nil
	}
	if s.syncing.Add(1) > maxSyncing {
		s.syncing.Add(-1)
		return nil, errBusy
	}
	if !s.asksBuilder() {
		return func() { s.syncing.Add(-1) }, nil
	}
	copyAll := func() {
		for i := range reqs {
			s.copySync(&reqs[i])
		}
	}
	timer := time.AfterFunc(copyHeadStart, copyAll)
	return func() {
		s.syncing.Add(-1)
		if timer.Stop() {
			copyAll()
		}
	}, nil
}

// copySync gives the builder the transaction of a call that waits for it.
func (s *Sidecar) copySync(req *jsonrpc.Request) {
	if req.Method != syncMethod || !s.asksBuilder() {
		return
	}
	if args, err := req.Args(); err == nil && len(args) > 0 {
		s.queueCopy(jsonrpc.NewRequest(ownID, plainMethod, args[0]))
	}
}

// queueCopy hands a call to the loops that make them, unless too much waits there.
func (s *Sidecar) queueCopy(req jsonrpc.Request) {
	size := int64(len(req.Raw))
	if s.copying.Add(size) <= copyBytes {
		select {
		case s.copies <- copied{req}:
			return
		default:
		}
	}
	s.copying.Add(-size)
	s.m.copiesDropped.Inc()
}

// copyLoop makes the copied calls.
func (s *Sidecar) copyLoop() {
	for {
		select {
		case c := <-s.copies:
			resp, err := s.cfg.Builder.Call(s.life, &c.req)
			s.copying.Add(-int64(len(c.req.Raw)))
			if err == nil && resp.Error != nil {
				err = resp.Error
			}
			if err != nil {
				s.log.Debug("Builder did not take a copied call", "method", c.req.Method, "err", err)
			}
		case <-s.life.Done():
			return
		}
	}
}
