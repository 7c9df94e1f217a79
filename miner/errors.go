// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"errors"
	"fmt"
)

var (
	// ErrUnknownPayload is returned by GetPayload for an id that no kept job has.
	ErrUnknownPayload = errors.New("unknown payload")

	// ErrNotBuilt is wrapped by errors that say nothing about the attributes: the same ones may succeed later,
	// or on another node.
	ErrNotBuilt = errors.New("payload was not built")

	// ErrStopped is returned for work requested after Stop.
	ErrStopped = fmt.Errorf("%w: builder is stopped", ErrNotBuilt)

	errMissingParent       = errors.New("missing parent")
	errMissingMinBaseFee   = errors.New("missing minBaseFee")
	errUnexpected1559      = errors.New("got eip1559 params, expected none")
	errMissingL1Attributes = errors.New("missing L1 attributes deposit transaction")
	errBlobTransaction     = errors.New("blob transactions are not allowed on an OP Stack chain")
	errWithdrawals         = errors.New("expected an empty withdrawals list from Isthmus on")
	errEarlyWithdrawals    = errors.New("withdrawals set before Shanghai activation")
	errMissingSlot         = errors.New("no slot number set post-amsterdam")
	errGasLimit            = errors.New("gas limit is too high")

	// Of a block on which no other can stand.
	errLastTimestamp   = errors.New("no timestamp is left after the block's")
	errNoBaseFee       = errors.New("block has no base fee")
	errNoBaseFeeParams = errors.New("block has no EIP-1559 parameters in its extra data")
	errNoGasTarget     = errors.New("gas target is zero")
	errNoFootprint     = errors.New("block has no DA footprint")
	errBaseFeeOverflow = errors.New("base fee exceeds 256 bits")

	errConditional  = errors.New("transaction conditional failed")
	errFailsafe     = errors.New("supervisor in failsafe")
	errInterrupted  = errors.New("execution interrupted")
	errStateRootGap = errors.New("state root is not available")

	errUnreadableState = fmt.Errorf("%w: state could not be read", ErrNotBuilt)
	errPanic           = fmt.Errorf("%w: panic", ErrNotBuilt)
)
