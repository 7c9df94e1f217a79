// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import "errors"

var (
	// ErrTooLarge is returned for a message that exceeds a limit, compressed or plain.
	ErrTooLarge = errors.New("flashblock message exceeds the size limit")

	// ErrCompression is returned for a message that is neither JSON nor a complete brotli stream.
	ErrCompression = errors.New("flashblock message is neither JSON nor brotli")

	// ErrMalformed is returned for a message that is not well-formed JSON in UTF-8.
	ErrMalformed = errors.New("flashblock message is not well-formed JSON")

	// ErrInvalidField is returned for a field whose value has the wrong type, length or range.
	ErrInvalidField = errors.New("flashblock field has an invalid value")

	// ErrMissingField is returned for a message that lacks a field every dialect has.
	ErrMissingField = errors.New("flashblock field is missing")

	// ErrDuplicateField is returned for a message that carries a field twice, which two readers could
	// understand differently.
	ErrDuplicateField = errors.New("flashblock field appears twice")

	// ErrBlockNumberMismatch is returned for a message whose base and metadata name different blocks.
	ErrBlockNumberMismatch = errors.New("flashblock base and metadata disagree on the block number")

	// ErrEmptySequence is returned when there is no flashblock to assemble a payload from.
	ErrEmptySequence = errors.New("flashblock sequence is empty")

	// ErrBrokenSequence is returned when the flashblocks to assemble do not start with a base at index
	// 0, are not contiguous, or belong to different payloads.
	ErrBrokenSequence = errors.New("flashblock sequence is not contiguous")
)
