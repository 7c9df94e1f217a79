// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/ethereum/go-ethereum/flashgeth/devnet"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// TestSlots lets the real op-node sequence at the timings that chains use. Whatever the machine does
// meanwhile, every block must be what was published. How many flashblocks a slot has is the machine's
// matter too: in one of some periods the median block must have more than half of what is due, more than an
// interval twice as long could give, and the builder must account for what is missing by its own metrics.
func TestSlots(t *testing.T) {
	t.Setenv("OP_BATCHER_LOG_LEVEL", "debug") // op-batcher tells of accepted limits at this level only
	for name, tc := range map[string]struct {
		options
		blocks   uint64
		atLeast  int // user flashblocks per block
		atMost   int
		scenario func(*testing.T, *network, figures)
	}{
		"2s 200ms": {
			options: options{blockTime: 2 * time.Second, load: 100, batcher: true, l1BlockTime: 4 * time.Second},
			blocks:  30, atLeast: 6, atMost: 10, scenario: requireSafeHead,
		},
		"1s 200ms": {
			options: options{load: 60},
			blocks:  30, atLeast: 3, atMost: 5, scenario: requireThrottling,
		},
		// The end buffer of 100 ms takes two of the twenty.
		"1s 50ms": {
			options: options{interval: 50 * time.Millisecond, load: 60},
			blocks:  30, atLeast: 11, atMost: 20,
		},
		// And five of the fifty; a fast chain must cost a busy machine no block.
		"1s 20ms": {
			options: options{interval: 20 * time.Millisecond, load: 60},
			blocks:  8, atLeast: 26, atMost: 50,
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := boot(t, tc.options)
			var (
				list []audited
				f    figures
				loss losses
			)
			for period := range periods {
				first := n.caughtUp()
				begin := harness.Scrape(t.Context(), t, n.ends.Metrics)
				last := first + tc.blocks - 1
				n.awaitHeadWithin(last, patience+time.Duration(tc.blocks)*n.Config().BlockTime)
				accepted, _ := n.load.Counts()
				list = n.auditAll(last)
				requireLoad(t, n, list, accepted)
				f = n.summarise(list[len(list)-int(tc.blocks):])
				t.Logf("period %d: %s audited, the last %d counted", period, plural(len(list), "block"), f.blocks)
				require.LessOrEqual(t, f.perBlock, tc.atMost, "user flashblocks of the median block")
				require.Zero(t, f.abandoned, "no published flashblock was abandoned")
				loss = f.losses(n.Config(), harness.Scrape(t.Context(), t, n.ends.Metrics).Since(begin))
				t.Log(loss)
				if f.perBlock >= tc.atLeast && loss.accounted() {
					break
				}
			}
			require.Truef(t, loss.accounted(), "flashblocks are missing that the builder does not tell of, in the best of %d periods: %v", periods, loss)
			require.GreaterOrEqual(t, f.perBlock, tc.atLeast, "user flashblocks of the median block, in the best of %d periods", periods)
			n.requireMetrics(list)
			if tc.scenario != nil {
				tc.scenario(t, n, f)
			}
		})
	}
}

// periods is how many times a busy machine may try to keep up with the slots.
const periods = 4

// losses says what became of the user flashblocks that were due in some blocks.
type losses struct {
	due, published int

	// What the builder tells of the others: not planned, because the attributes came late or because the end
	// buffer leaves no room; passed over while it was busy; built too late for getPayload.
	reduced, missing, suppressed int
}

// losses compares what was published in the blocks of f with the change of the builder's metrics meanwhile.
func (f *figures) losses(cfg devnet.Config, change harness.Samples) losses {
	return losses{
		due:        f.blocks * int(cfg.BlockTime/cfg.Interval),
		published:  f.flashblocks - f.blocks,
		reduced:    int(change["builder_flashblocks_reduced_total"]),
		missing:    int(change["builder_flashblocks_missing_total"]),
		suppressed: int(change["builder_flashblocks_suppressed_total"]),
	}
}

// accounted tells whether the builder accounts for what was not published. It does not for deadlines that
// were still to come, or that it was about to notice, when getPayload ended the slot: one per slot at most on
// a machine that keeps up, so one in five of all; nor can the metrics be read at the very moment that the
// blocks begin and end.
func (l losses) accounted() bool {
	return l.due-l.published-l.reduced-l.missing-l.suppressed <= l.due/5
}

func (l losses) String() string {
	return fmt.Sprintf("of %d user flashblocks due %d were published; the builder says: %d reduced, %d missing, %d suppressed",
		l.due, l.published, l.reduced, l.missing, l.suppressed)
}

// requireLoad checks that the blocks carry what the generator sends, so that the audit has something to
// compare: of what was accepted when the last of them became the head, the most. Transactions wait in the
// pool while the machine is busy.
func requireLoad(t *testing.T, n *network, list []audited, before uint64) {
	t.Helper()
	users := 0
	for i := range list {
		users += list[i].users()
	}
	accepted, rejected := n.load.Counts()
	t.Logf("load: %d transactions accepted, %d rejected, %d in the audited blocks", accepted, rejected, users)
	require.Positive(t, before)
	require.Greater(t, uint64(users), before/3)
	require.LessOrEqual(t, uint64(users), accepted+rejected+unanswered)
	require.Less(t, rejected, accepted/2+10)
}

// requireSafeHead waits until op-node has derived from op-batcher's batches what the builder built, and
// checks that op-batcher could set its limits.
func requireSafeHead(t *testing.T, n *network, _ figures) {
	t.Helper()
	var safe uint64
	harness.Eventually(t, "the safe head has advanced by ten blocks", func() bool {
		status, err := n.SyncStatus(t.Context())
		if err != nil {
			return false
		}
		safe = status.SafeL2.Number
		return safe >= 10
	})
	status, err := n.SyncStatus(t.Context())
	require.NoError(t, err)
	require.Equal(t, n.block(status.SafeL2.Number).Hash(), status.SafeL2.Hash, "the derived chain is the sequenced one")
	t.Logf("safe head at %d, unsafe head at %d", status.SafeL2.Number, status.UnsafeL2.Number)

	harness.Eventually(t, "op-batcher has set its limits (miner_setMaxDASize)", func() bool {
		log, err := os.ReadFile(n.LogPath("op-batcher"))
		return err == nil && strings.Contains(string(log), "Successfully set max DA size on endpoint")
	})
	log, err := os.ReadFile(n.LogPath("op-batcher"))
	require.NoError(t, err)
	require.NotContains(t, string(log), "Result of SetMaxDASize was false")
}

// unanswered is how many transactions may be in a block whose batch has no answer yet, or will never have
// one because the generator has stopped waiting.
const unanswered = 400

// smallestDA is the least estimate of a transaction's size on the data availability layer, in bytes
// (Fjord specification).
const smallestDA = 100

// requireThrottling sets limits as a throttling op-batcher does. Blocks become smaller while they hold
// and fill up again when they are lifted; what is published stays what is sealed.
func requireThrottling(t *testing.T, n *network, before figures) {
	t.Helper()
	const limit = 15 * smallestDA
	usual := before.userTxs / before.blocks
	require.Greater(t, usual, limit/smallestDA, "the load exceeds the limit")

	var accepted bool
	call(t.Context(), t, n.rpc, &accepted, "miner_setMaxDASize", hexutil.Uint64(0), hexutil.Uint64(limit))
	require.True(t, accepted)
	first := n.head() + 2 // the block under construction has the old limits
	n.awaitHead(first + 2)
	for _, a := range n.audit(first, first+2) {
		require.LessOrEqual(t, a.users(), limit/smallestDA, "user transactions of throttled block %d", a.block.NumberU64())
		require.Positive(t, a.users(), "throttled block %d is not empty", a.block.NumberU64())
	}
	// Which block is the first without limits depends on when op-node asks for it. One of these takes what
	// has piled up; those after it are usual again.
	first = n.head() + 1
	call(t.Context(), t, n.rpc, &accepted, "miner_setMaxDASize", hexutil.Uint64(0), hexutil.Uint64(0))
	require.True(t, accepted)
	last := n.head() + 2
	n.awaitHead(last)
	fullest := 0
	for _, a := range n.audit(first, last) {
		fullest = max(fullest, a.users())
	}
	require.Greater(t, fullest, usual, "a block takes what has piled up")
}
