// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Status is what the view shows besides the flashblocks.
type Status struct {
	Elapsed  time.Duration
	Unsafe   uint64 // op-node's heads
	Safe     uint64
	Accepted uint64 // transactions of the load
	Rejected uint64
	Summary  Summary

	// Follower tells how fast the follower knows, zero without one.
	Follower Preconfirmation
}

// flashblockHeader and flashblockRow are the columns of a flashblock; with the longest verdict a row is 79 characters wide.
func flashblockHeader() string {
	return fmt.Sprintf("%8s %4s %8s %6s %25s %9s  %s", "block", "idx", "offset", "txs", "gas / ceiling", "latency", "fate")
}

func flashblockRow(fb Flashblock, fate string) string {
	gas := thousands(fb.GasUsed) + " / " + thousands(fb.GasCeiling)
	return fmt.Sprintf("%8d %4d %6.0fms %6d %25s %7.1fms  %s", fb.Block, fb.Index, fb.OffsetMs, fb.Txs, gas, fb.LatencyMs, fate)
}

// blockRow is one line about a sealed block.
func blockRow(block Block) string {
	count := strconv.Itoa(block.Flashblocks)
	if block.Abandoned > 0 {
		count += "+" + strconv.Itoa(block.Abandoned) // published for payload ids that were not sealed
	}
	return fmt.Sprintf("%8d %7s flashblocks %6d txs %13s gas  %s %s",
		block.Number, count, block.Txs, thousands(block.GasUsed), block.Verdict, shortHash(block))
}

// shortHash returns the first digits of a block's hash.
func shortHash(block Block) string {
	return block.Hash.Hex()[:8]
}

// thousands formats n with separators.
func thousands(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var out strings.Builder
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteRune(digit)
	}
	return out.String()
}

// SummaryText returns the closing words of a run.
func SummaryText(status Status) string {
	s := status.Summary
	text := fmt.Sprintf("%s blocks, %s flashblocks, %s transactions in %v; safe head %d\n",
		thousands(uint64(s.Blocks)), thousands(uint64(s.Flashblocks)), thousands(uint64(s.Txs)), status.Elapsed.Round(time.Second), status.Safe)
	text += fmt.Sprintf("load: %s transactions accepted, %s rejected\n", thousands(status.Accepted), thousands(status.Rejected))
	if follower := status.Follower.String(); follower != "" {
		text += follower + "\n"
	}
	text += fmt.Sprintf("published == sealed: %d of %d blocks", s.Matching, s.Blocks)
	if s.Unstreamed > 0 {
		text += fmt.Sprintf(", %d without user transactions were not streamed", s.Unstreamed)
	}
	if s.Extended > 0 {
		text += fmt.Sprintf(", %d hold all that was published and more", s.Extended)
	}
	if s.Fallback > 0 {
		text += fmt.Sprintf(", %d are the local execution layer's and were not streamed", s.Fallback)
	}
	if s.Unobserved > 0 {
		text += fmt.Sprintf(", %d were not observed from their start", s.Unobserved)
	}
	text += "\n"
	if s.Differing > 0 {
		text += fmt.Sprintf("\n!!! %d sealed blocks are NOT what was published !!!\nthe first: %s\n", s.Differing, s.Difference)
	}
	return text
}
