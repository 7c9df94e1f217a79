// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package testseed gives random tests their seed.
package testseed

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Variable sets the seed of the random tests: a number to repeat a failure, "random" to search for new ones, as
// make fuzz does. Without it every run is of the same seed, so that what a change broke is told from what was there
// before.
const Variable = "FLASHGETH_SEED"

// New returns the seed of a test, to which the test may add, and has it named if the test fails.
func New(t testing.TB) uint64 {
	t.Helper()
	seed := uint64(1)
	switch text := os.Getenv(Variable); text {
	case "":
	case "random":
		seed = rand.Uint64() >> 1 //nolint:gosec // not a secret
	default:
		var err error
		seed, err = strconv.ParseUint(text, 10, 63)
		require.NoError(t, err, Variable)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat with %s=%d", Variable, seed)
		}
	})
	return seed
}
