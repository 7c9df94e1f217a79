// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"

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
	"eth_sendRawTransaction":            true,
	"eth_sendRawTransactionConditional": true,
	"miner_setExtra":                    true,
	"miner_setGasPrice":                 true,
	"miner_setGasLimit":                 true,
	"miner_setMaxDASize":                true,
}

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
	size := int64(len(req.Raw))
	if s.copying.Add(size) <= copyBytes {
		select {
		case s.copies <- copied{reqs[0]}:
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
