// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// documented are the seven metrics that builders of flashblocks publish under exactly these names.
var documented = []string{
	"builder_flashblock_build_time_ms",
	"builder_flashblock_tx_count",
	"builder_block_total_gas",
	"builder_block_tx_count",
	"builder_block_revenue_wei",
	"builder_block_build_time_ms",
	"builder_flashblock_count",
}

// requireMetrics checks the documented metrics against an audit of every block since the start of the node.
func (n *network) requireMetrics(list []audited) {
	n.t.Helper()
	values := harness.Scrape(n.t.Context(), n.t, n.ends.Metrics)
	// The node goes on while we look. The next block may have been sealed, but is not the head yet.
	most := float64(n.head()+1) + float64(attemptsBeyondOne(n.recorder, n.head()+1))
	published := userFlashblocks(n.recorder)
	for _, name := range documented {
		require.Contains(n.t, values, name+"_sum")
		require.Contains(n.t, values, name+"_count")
		require.Contains(n.t, values, name+`{quantile="0.5"}`)
		n.t.Logf("%s: %.0f samples, mean %.3f", name, values[name+"_count"], values.Mean(name))
	}
	var (
		blocks   = float64(len(list))
		interval = float64(n.Config().Interval.Milliseconds())
		user     = 0.0 // flashblocks with an index above 0
	)
	for i := range list {
		user += float64(list[i].attempt.User())
	}
	for _, name := range []string{"builder_block_total_gas", "builder_block_tx_count", "builder_block_revenue_wei", "builder_block_build_time_ms", "builder_flashblock_count"} {
		require.GreaterOrEqual(n.t, values[name+"_count"], blocks, "%s counts every block", name)
		require.LessOrEqual(n.t, values[name+"_count"], most, "%s counts blocks once", name)
	}
	require.GreaterOrEqual(n.t, values["builder_flashblock_tx_count_count"], user, "every user flashblock is counted")
	require.GreaterOrEqual(n.t, values["builder_flashblock_count_sum"], user, "the flashblocks of every block")
	unseen := float64(n.firstRecorded()-1) * float64(len(deadlines(n.Config().BlockTime, n.Config().Interval)))
	require.LessOrEqual(n.t, values["builder_flashblock_count_sum"], float64(published)+unseen, "every flashblock is counted once")
	require.Positive(n.t, values.Mean("builder_flashblock_tx_count"))
	require.Greater(n.t, values.Mean("builder_block_tx_count"), 1.0, "deposits and user transactions")
	require.Greater(n.t, values.Mean("builder_block_total_gas"), 21_000.0)
	require.Less(n.t, values.Mean("builder_block_total_gas"), float64(n.Genesis().GasLimit))
	require.Greater(n.t, values.Mean("builder_block_revenue_wei"), 21_000.0, "fees of user transactions")
	require.Positive(n.t, values.Mean("builder_flashblock_build_time_ms"))
	// Medians, since a mean has the moments in it at which a busy machine ran something else.
	require.Less(n.t, values[`builder_flashblock_build_time_ms{quantile="0.5"}`], interval, "building takes less than an interval")
	require.Positive(n.t, values.Mean("builder_block_build_time_ms"))
	require.Less(n.t, values[`builder_block_build_time_ms{quantile="0.5"}`], float64(n.Config().BlockTime.Milliseconds()), "waiting is no build time")
	require.Zero(n.t, values["builder_job_failures_total"])
	require.Zero(n.t, values["builder_fallback_blocks_total"])
	require.Zero(n.t, values["flashblocks_stream_encode_errors_total"])
	require.GreaterOrEqual(n.t, values["builder_reused_executions_total"], blocks, "own blocks are imported without a second execution")
}
