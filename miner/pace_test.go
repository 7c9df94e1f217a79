// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What transactions really use of their limits decides how early a selection starts.
func TestPaceLearnsUsage(t *testing.T) {
	t.Parallel()
	p := &pace{nsPerGas: initialNsPerGas, share: initialShare, publish: initialPublish}
	require.EqualValues(t, 10_000_000, p.usage(10_000_000), "limits are taken at their word at first")
	for range 50 {
		p.executed(1_000_000, 10_000_000, 5*time.Millisecond)
	}
	require.InEpsilon(t, 1_000_000, p.usage(10_000_000), 0.01)
	const interval = 100 * time.Millisecond
	require.InDelta(t, 5*marginFactor, (p.cost(p.usage(10_000_000), interval)-p.reserve()).Seconds()*1e3, 0.1, "milliseconds")

	for range 50 {
		p.executed(1_000, 1_000_000_000, time.Second)
	}
	require.InEpsilon(t, 1_000_000, p.usage(10_000_000), 0.01, "small samples do not count")
}
