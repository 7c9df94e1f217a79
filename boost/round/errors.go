// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"errors"
	"fmt"
)

var (
	// ErrNoAttributes is returned for a forkchoice update that starts no build.
	ErrNoAttributes = errors.New("the forkchoice update has no payload attributes")

	// ErrMalformed is returned for JSON that has not the form the Engine API gives it.
	ErrMalformed = errors.New("malformed engine object")

	// ErrNonconforming is returned for a block that is not the one the attributes ask for.
	ErrNonconforming = errors.New("the builder's block does not conform to the payload attributes")

	// ErrMismatch is returned for a block that does not begin with the transactions of the flashblocks.
	ErrMismatch = errors.New("the builder's block does not contain its own flashblocks")

	// ErrEmptyPrefix is returned when no flashblock came for a round.
	ErrEmptyPrefix = errors.New("no flashblock of this round has come")

	// ErrVersion is returned for a version of engine_getPayload that flashblocks cannot answer.
	ErrVersion = errors.New("flashblocks do not make a payload of this engine version")

	// ErrBuilderInUse is returned when the builder names one payload id for two local ones, which would
	// put one block under two ids.
	ErrBuilderInUse = errors.New("the builder's payload id belongs to another round")
)

// What an object has too much or too little.
var (
	errTwice   = fmt.Errorf("%w: a member appears twice", ErrMalformed)
	errMissing = fmt.Errorf("%w: a member is missing", ErrMalformed)
)

// errComplete ends a walk over an object that needs not be walked to its end.
var errComplete = errors.New("complete")
