// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// copied is a call that goes to the builder as well.
type copied struct{ req jsonrpc.Request }

// copiers is how many calls are copied at a time.
const copiers = 8

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
	select {
	case s.copies <- copied{*req}:
	default:
		s.m.copiesDropped.Inc()
	}
}

// copyLoop makes the copied calls.
func (s *Sidecar) copyLoop() {
	for {
		select {
		case c := <-s.copies:
			resp, err := s.cfg.Builder.Call(s.life, &c.req)
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
