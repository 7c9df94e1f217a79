// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"strings"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
)

// readOnly are methods that change nothing.
var readOnly = map[string]bool{
	"engine_exchangeCapabilities": true,
	"engine_getClientVersionV1":   true,
	"eth_blockNumber":             true,
	"eth_chainId":                 true,
	"eth_getBlockByHash":          true,
	"eth_getBlockByNumber":        true,
	"eth_syncing":                 true,
}

// repeatable reports whether a call may be sent again over a new connection after the kept-alive one it
// was written to died without an answer, as it happens when an EL restarts. (A call of which not one
// byte was written is always sent again, one on a fresh connection never.)
//
// Of the Engine API these are newPayload (a known block is not executed twice), forkchoiceUpdated (the
// same head changes nothing, the same attributes have the same payload id and the running build goes
// on) and the reads: getPayload, exchangeCapabilities, getClientVersion. Transactions, miner_* and
// whatever is unknown are not.
func repeatable(method string) bool {
	return strings.HasPrefix(method, engineapi.NewPayload) || strings.HasPrefix(method, engineapi.ForkchoiceUpdated) ||
		strings.HasPrefix(method, engineapi.GetPayload) || readOnly[method]
}
