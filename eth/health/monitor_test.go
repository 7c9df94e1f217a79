// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import (
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"
)

// The age of a pending state that has never come is that of the wait for it.
func TestSnapshotAge(t *testing.T) {
	t.Parallel()
	set := metrics.NewSet()
	m := New(Config{Metrics: set})
	require.WithinRange(t, m.begun, time.Now().Add(-time.Hour), time.Now())
	now := time.Now()
	m.begun = now.Add(-time.Minute)
	require.Equal(t, time.Minute, m.age(now))
	require.GreaterOrEqual(t, set.GetOrCreateGauge("flashblocks_newest_snapshot_age_seconds", nil).Get(), time.Minute.Seconds())
	m.newest = now.Add(-time.Second)
	require.Equal(t, time.Second, m.age(now))
}
