// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// inboundCounters and inboundGauge are figures of the builder's stream. The relay counts in them if there is one.
const (
	inbound          = "rollup_boost_flashblocks_ws_inbound_"
	inboundReconnect = inbound + "reconnect_attempts"
	inboundMessages  = inbound + "messages_received"
	inboundConnected = inbound + "connection_status"
)

// registerFigures makes the figures that belong to the process, and those that a part that is not
// running would have: "nothing happened" and "not scraped" must differ.
func registerFigures(set *metrics.Set) {
	built := "unknown"
	if day, err := time.Parse("20060102", gitDate); err == nil {
		built = day.Format(time.DateOnly)
	}
	set.GetOrCreateGauge(fmt.Sprintf("rollup_boost_builder_info{version=%q,build_timestamp=%q,git_sha=%q}", version(), built, gitCommit),
		func() float64 { return 1 })
	set.GetOrCreateCounter(inboundReconnect)
	set.GetOrCreateCounter(inboundMessages)
	set.GetOrCreateGauge(inboundConnected, nil)
}
