// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package follower

import (
	"sync/atomic"

	"github.com/VictoriaMetrics/metrics"
)

// meters are the figures of the merged stream; those of each connection are the stream package's.
type meters struct {
	lost      *metrics.Counter // times the last connection was lost
	taken     *metrics.Counter // flashblocks handed on
	repeated  *metrics.Counter // flashblocks that another stream or an earlier connection brought before
	conflicts *metrics.Counter // flashblocks of a stream that contradicts what was taken of the payload
	malformed *metrics.Counter // flashblocks that did not decode
	gaps      *metrics.Counter // flashblocks that came too early
	resumes   *metrics.Counter // connections given up to get what was missed
	newest    atomic.Uint64    // number of the newest block taken
}

func newMeters(set *metrics.Set, connections func() int) *meters {
	m := &meters{
		lost:      set.NewCounter("follower_upstream_lost_total"),
		taken:     set.NewCounter("follower_flashblocks_total"),
		repeated:  set.NewCounter("follower_repeated_total"),
		conflicts: set.NewCounter("follower_conflicts_total"),
		malformed: set.NewCounter("follower_malformed_total"),
		gaps:      set.NewCounter("follower_gaps_total"),
		resumes:   set.NewCounter("follower_resumes_total"),
	}
	set.NewGauge("follower_upstreams_connected", func() float64 { return float64(connections()) })
	set.NewGauge("follower_block_number", func() float64 { return float64(m.newest.Load()) })
	return m
}
