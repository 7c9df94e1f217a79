// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/vm"
)

// JSON-RPC error codes of the pending API.
const (
	codeReverted      = 3      // as op-geth's, data is what was returned
	codeTimeout       = 4      // EIP-7966
	codeInvalidParams = -32602 // JSON-RPC 2.0
)

var (
	errNotMarshalled  = errors.New("transaction cannot be marshalled")
	errNoPendingProof = errors.New("no proofs at pending: the state root of the block under construction is not known before it is sealed")
	errNoPendingState = errors.New("state of the pending block's parent is not available")
	errFilterNotFound = errors.New("filter not found") // op-geth's words: clients match them
	errTooManyFilters = errors.New("too many pending log filters are installed")
)

// invalidParams is an error in the parameters of a call.
type invalidParams struct{ reason string }

func invalidParamsf(format string, args ...any) error {
	return &invalidParams{fmt.Sprintf(format, args...)}
}

// Error implements error.
func (e *invalidParams) Error() string { return e.reason }

// ErrorCode implements rpc.Error.
func (*invalidParams) ErrorCode() int { return codeInvalidParams }

// revertError is a call that reverted, told as op-geth tells it.
type revertError struct {
	error
	returned []byte
}

func newRevertError(returned []byte) *revertError {
	err := vm.ErrExecutionReverted
	if reason, unpack := abi.UnpackRevert(returned); unpack == nil {
		err = fmt.Errorf("%w: %v", err, reason)
	}
	return &revertError{error: err, returned: returned}
}

// Unwrap returns the cause.
func (e *revertError) Unwrap() error { return e.error }

// ErrorCode implements rpc.Error.
func (*revertError) ErrorCode() int { return codeReverted }

// ErrorData implements rpc.DataError.
func (e *revertError) ErrorData() any { return hexutil.Encode(e.returned) }

// txTimeoutError says that a transaction was accepted but has no receipt yet (EIP-7966). Clients take the
// hash from its data and keep waiting.
type txTimeoutError struct {
	hash    common.Hash
	timeout time.Duration
}

// Error implements error.
func (e *txTimeoutError) Error() string {
	return fmt.Sprintf("The transaction was added to the transaction pool but wasn't processed in %v", e.timeout)
}

// ErrorCode implements rpc.Error.
func (*txTimeoutError) ErrorCode() int { return codeTimeout }

// ErrorData implements rpc.DataError.
func (e *txTimeoutError) ErrorData() any { return e.hash.Hex() }

// positionTimeoutError says that a position was not reached in time.
type positionTimeoutError struct {
	number, index uint64
	reached       *Position
}

// Error implements error.
func (e *positionTimeoutError) Error() string {
	return fmt.Sprintf("flashblock %d of block %d was not reached in time", e.index, e.number)
}

// ErrorCode implements rpc.Error.
func (*positionTimeoutError) ErrorCode() int { return codeTimeout }

// ErrorData implements rpc.DataError.
func (e *positionTimeoutError) ErrorData() any { return e.reached }
