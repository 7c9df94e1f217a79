// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import "errors"

var (
	// ErrUnknownPayload is returned by GetPayload for an id that no kept job has.
	ErrUnknownPayload = errors.New("unknown payload")

	// ErrStopped is returned for work requested after Stop.
	ErrStopped = errors.New("builder is stopped")

	errMissingParent       = errors.New("missing parent")
	errMissingMinBaseFee   = errors.New("missing minBaseFee")
	errUnexpected1559      = errors.New("got eip1559 params, expected none")
	errMissingL1Attributes = errors.New("missing L1 attributes deposit transaction")
	errBlobTransaction     = errors.New("blob transactions are not allowed on an OP Stack chain")
	errWithdrawals         = errors.New("expected an empty withdrawals list from Isthmus on")

	errConditional  = errors.New("transaction conditional failed")
	errFailsafe     = errors.New("supervisor in failsafe")
	errInterrupted  = errors.New("execution interrupted")
	errNoFallback   = errors.New("no fallback builder configured")
	errStateRootGap = errors.New("state root is not available")

	errUnreadableState = errors.New("state could not be read")
)
