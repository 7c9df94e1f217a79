// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import "errors"

var (
	// ErrStarted is returned by a second Start.
	ErrStarted = errors.New("stream: already started")

	// ErrStopped is returned by Start after Stop.
	ErrStopped = errors.New("stream: already stopped")

	// ErrDrainTimeout is returned by Stop when clients were cut off before they had taken everything
	// that was published.
	ErrDrainTimeout = errors.New("stream: clients were cut off before they were drained")

	// errResume ends a connection whose receiver asked for another.
	errResume = errors.New("the receiver resumes")

	// errNotDeflated is why a message is sent without compression.
	errNotDeflated = errors.New("stream: compress/flate gave no flushed block")
)
