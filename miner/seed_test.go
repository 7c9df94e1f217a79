// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// seedVariable sets the seed of the random tests: a number to repeat a failure, "random" to search for new
// ones, as make fuzz does. Without it every run is of the same seed, so that what a change broke is told
// from what was there before.
const seedVariable = "FLASHGETH_SEED"

func testSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(1)
	switch text := os.Getenv(seedVariable); text {
	case "":
	case "random":
		seed = rand.Uint64() >> 1 // tests add to it
	default:
		var err error
		seed, err = strconv.ParseUint(text, 10, 63)
		require.NoError(t, err, seedVariable)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat with %s=%d", seedVariable, seed)
		}
	})
	return seed
}
