// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import "errors"

var (
	errNoChain        = errors.New("overlay needs a chain")
	errNotOptimism    = errors.New("flashblocks need an OP Stack chain")
	errBadBase        = errors.New("base of the block contradicts its parent or the chain's rules")
	errBadTransaction = errors.New("flashblock holds a transaction that does not decode")
	errNotExecuted    = errors.New("transaction of a type that op-geth does not execute")
	errExecution      = errors.New("flashblock holds a transaction that is not valid here")
	errPointless      = errors.New("the block is canonical already")
	errPanic          = errors.New("panic while executing a flashblock")

	// Reasons to wait: a later canonical head may remove them.
	errNoParent = errors.New("parent of the block is not known yet")
	errTooDeep  = errors.New("too many pending blocks since the canonical head")
	errNoState  = errors.New("state of the parent is not available")
)
