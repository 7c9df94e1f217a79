// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import "errors"

var errZeroInterval = errors.New("flashblocks.intervalMs must be greater than zero")

// Reasons that op-geth gives for a refused forkchoice state.
var (
	errFinalUnknown = errors.New("final block not available in database")
	errFinalForeign = errors.New("final block not in canonical chain")
	errSafeUnknown  = errors.New("safe block not available in database")
	errSafeForeign  = errors.New("safe block not in canonical chain")
)

// Reasons that op-geth gives for refused attributes. Drivers and their tests match on these texts, so
// they are kept letter for letter, spelling included.
var (
	errV1Fields           = errors.New("withdrawals and beacon root not supported in V1")
	errV1Fork             = errors.New("fcuV1 called post-shanghai")
	errUnexpectedRoot     = errors.New("unexpected beacon root")
	errEarlyWithdrawals   = errors.New("withdrawals before shanghai")
	errMissingWithdrawals = errors.New("missing withdrawals")
	errV2Fork             = errors.New("fcuV2 must only be called with paris or shanghai payloads")
	errMissingRoot        = errors.New("missing beacon root")
	errV3Fork             = errors.New("fcuV3 must only be called for cancun/prague/osaka payloads")
	errMissingSlot        = errors.New("missing slot number")
	errMissingTarget      = errors.New("missing target gas limit")
	errV4Fork             = errors.New("fcuV4 must only be called for amsterdam payloads")

	errMissingGasLimit   = errors.New("gasLimit parameter is required")
	errCanyonWithdrawals = errors.New("non-empty withdrawals post-Canyon")
	errEarly1559Params   = errors.New("non-empty eip155Params pre-Holocene")
)
