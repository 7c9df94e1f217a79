// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

func TestSlotPlan(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name                string
		blockTime, interval time.Duration
		positions           int
		first, last         time.Duration
	}{
		{"2s in 200ms", 2 * time.Second, 200 * ms, 10, 100 * ms, 1900 * ms},
		{"1s in 200ms", time.Second, 200 * ms, 5, 100 * ms, 900 * ms},
		{"1s in 50ms", time.Second, 50 * ms, 18, 50 * ms, 900 * ms},
		{"2s in 20ms", 2 * time.Second, 20 * ms, 95, 20 * ms, 1900 * ms},
		{"2s in 300ms", 2 * time.Second, 300 * ms, 6, 400 * ms, 1900 * ms},
		{"one flashblock", time.Second, time.Second, 1, 900 * ms, 900 * ms},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			plan := newSlotPlan(test.blockTime, test.interval)
			require.Len(t, plan.due, test.positions+1)
			require.Zero(t, plan.due[0])
			require.Equal(t, test.first, plan.due[1])
			require.Equal(t, test.last, plan.due[len(plan.due)-1])
			require.IsIncreasing(t, plan.due)
		})
	}
}

func TestSlotOffset(t *testing.T) {
	t.Parallel()
	plan := newSlotPlan(2*time.Second, 200*ms)
	require.Equal(t, 250*ms, plan.offset(1000, time.Unix(998, int64(250*ms))))
	require.Equal(t, -50*ms, plan.offset(1000, time.Unix(997, int64(950*ms))))
}

func TestSlotPosition(t *testing.T) {
	t.Parallel()
	plan := newSlotPlan(2*time.Second, 200*ms)
	for _, test := range []struct {
		name   string
		offset time.Duration
		prev   int
		want   int
	}{
		{"on time", 101 * ms, 0, 1},
		{"early", 98 * ms, 0, 1},
		{"after a missed trigger", 503 * ms, 1, 3},
		{"later than its successor is due", 320 * ms, 1, 2},
		{"the last", 1901 * ms, 9, 10},
		{"beyond the last", 2500 * ms, 10, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, plan.position(test.offset, test.prev))
		})
	}
}

func TestSlotCeiling(t *testing.T) {
	t.Parallel()
	plan := newSlotPlan(2*time.Second, 200*ms)
	const limit = 60_000_000
	for _, test := range []struct {
		name     string
		position int
		begin    time.Duration
		want     uint64
	}{
		{"deposits", 0, 10 * ms, limit},
		{"first", 1, 10 * ms, limit / 10},
		{"ninth", 9, 10 * ms, limit / 10 * 9},
		{"last", 10, 10 * ms, limit},
		{"first of a slot half over", 6, 1010 * ms, limit / 5},
		{"last of a slot half over", 10, 1010 * ms, limit},
		{"only one left", 10, 1850 * ms, limit},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, plan.ceiling(test.position, test.begin, limit))
		})
	}
}
