// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// Errors of a call, for errors.Is. All but ErrClosed and ErrBusy may have reached the backend.
var (
	ErrTimeout     = errors.New("no answer in time")
	ErrCanceled    = errors.New("given up by the caller")
	ErrUnreachable = errors.New("not reachable") // No connection: nothing was sent
	ErrTransport   = errors.New("connection lost")
	ErrAuth        = errors.New("the JWT was refused; check that both sides hold the same secret and that their clocks agree to within a minute")
	ErrStatus      = errors.New("unexpected HTTP status")
	ErrMalformed   = errors.New("the answer is not JSON-RPC; check that the URL is that of the authenticated (engine) RPC")
	ErrTooLarge    = errors.New("the answer exceeds the limit")
	ErrBusy        = errors.New("too many calls are waiting")
	ErrClosed      = errors.New("the client is closed")
)

// Errors of a queue, for errors.Is. ErrSuperseded may have reached the backend, the others have not.
var (
	ErrSuperseded = errors.New("made pointless by a newer call")
	ErrQueueFull  = errors.New("the queue is full")
	ErrStopped    = errors.New("the queue is stopped")
	ErrStarted    = errors.New("the queue was started before")
)

// reasons are the status labels of failed calls, causes before what they bring about.
var reasons = []struct {
	err   error
	label string
}{
	{ErrSuperseded, "superseded"},
	{ErrQueueFull, "queue_full"},
	{ErrStopped, "stopped"},
	{ErrTimeout, "timeout"},
	{ErrCanceled, "canceled"},
	{ErrUnreachable, "unreachable"},
	{ErrTransport, "transport"},
	{ErrAuth, "auth"},
	{ErrStatus, "http_status"},
	{ErrMalformed, "malformed"},
	{ErrTooLarge, "too_large"},
	{ErrBusy, "busy"},
	{ErrClosed, "closed"},
}

// Reason names the cause of a failed call or job by a word from a small fixed set, for labels of
// metrics; "other" for an error that is not from here.
func Reason(err error) string {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.label
		}
	}
	return "other"
}

// CallError is the error of a call that got no JSON-RPC answer. It wraps one of this package's errors
// and the cause.
type CallError struct {
	Backend string // Name of the client
	Method  string
	Err     error
}

// Error implements error.
func (e *CallError) Error() string { return e.Backend + ": " + e.Method + ": " + e.Err.Error() }

// Unwrap returns what went wrong.
func (e *CallError) Unwrap() error { return e.Err }

// classify gives an error of net/http one of this package's names. The caller's own context tells a
// caller who left from an answer that came too late.
func classify(caller context.Context, err error) error {
	var dial *net.OpError
	var timeout net.Error
	switch {
	case errors.Is(caller.Err(), context.Canceled):
		return ErrCanceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return ErrTimeout
	case errors.As(err, &dial) && dial.Op == "dial":
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	default:
		return fmt.Errorf("%w: %w", ErrTransport, err)
	}
}
