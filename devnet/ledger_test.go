// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// The slot of the tests' blocks ends at this time.
const slotEnd = 2000

// publish returns a flashblock of block 7 with one transaction per given byte.
func publish(id byte, index uint64, txs ...byte) *flashblocks.Flashblock {
	fb := &flashblocks.Flashblock{
		PayloadID: engine.PayloadID{id},
		Index:     index,
		Diff:      flashblocks.Diff{GasUsed: 21000 * (index + 1), ReceiptsRoot: common.Hash{byte(index)}},
		Metadata:  flashblocks.Metadata{BlockNumber: 7},
	}
	if index == 0 {
		fb.Base = &flashblocks.Base{BlockNumber: 7, Timestamp: slotEnd, GasLimit: 60_000_000}
	}
	for _, tx := range txs {
		fb.Diff.Transactions = append(fb.Diff.Transactions, []byte{tx})
	}
	return fb
}

// sealedWith returns block 7 as it is after the flashblock of the given index.
func sealedWith(index uint64, txs ...byte) *sealedBlock {
	block := &sealedBlock{
		Number: 7, GasUsed: 21000 * (index + 1), ReceiptsRoot: common.Hash{byte(index)},
		Seen: time.Unix(slotEnd, 0), UserTxs: max(len(txs)-1, 0),
	}
	for _, tx := range txs {
		block.Txs = append(block.Txs, crypto.Keccak256Hash([]byte{tx}))
	}
	return block
}

// newTestLedger returns a ledger that has seen the flashblocks, one every 200 ms.
func newTestLedger(fbs ...*flashblocks.Flashblock) *ledger {
	l := newLedger(newSlotPlan(2*time.Second, 200*ms), false)
	for _, fb := range fbs {
		l.add(fb, slotTime(fb.Index))
	}
	return l
}

// slotTime is when the flashblock of an index is due, and 3 ms.
func slotTime(index uint64) time.Time {
	return time.Unix(slotEnd-2, 0).Add(newSlotPlan(2*time.Second, 200*ms).due[index] + 3*ms)
}

func TestLedgerDescribesFlashblocks(t *testing.T) {
	t.Parallel()
	l := newTestLedger(publish(1, 0, 'd'))
	got := l.add(publish(1, 1, 'a', 'b'), slotTime(1))
	require.Equal(t, Flashblock{
		Block: 7, Index: 1, PayloadID: engine.PayloadID{1}, OffsetMs: 103, Txs: 2,
		GasUsed: 42000, GasCeiling: 6_000_000, LatencyMs: 3,
	}, got)
}

// The attributes of a chain's first block can come long before its slot, which the builder uses at once.
func TestLedgerDescribesAnEarlySlot(t *testing.T) {
	t.Parallel()
	l := newTestLedger()
	early := -2 * time.Second
	l.add(publish(1, 0, 'd'), slotTime(0).Add(early))
	got := l.add(publish(1, 1, 'a'), slotTime(1).Add(early))
	require.InDelta(t, -1897, got.OffsetMs, 0)
	require.InDelta(t, 0, got.LatencyMs, 0)
	require.Equal(t, uint64(6_000_000), got.GasCeiling)
}

func TestLedgerVerdict(t *testing.T) {
	t.Parallel()
	complete := []*flashblocks.Flashblock{publish(1, 0, 'd'), publish(1, 1, 'a'), publish(1, 2, 'b', 'c')}
	for _, test := range []struct {
		name   string
		seen   []*flashblocks.Flashblock
		lost   bool // the stream broke after them
		sealed *sealedBlock
		want   Verdict
		reason string
	}{
		{"equal", complete, false, sealedWith(2, 'd', 'a', 'b', 'c'), Matching, ""},
		{"equal though the stream broke afterwards", complete, true, sealedWith(2, 'd', 'a', 'b', 'c'), Matching, ""},
		{"the second of two attempts", append([]*flashblocks.Flashblock{publish(2, 0, 'd'), publish(2, 1, 'x')}, complete...), false, sealedWith(2, 'd', 'a', 'b', 'c'), Matching, ""},
		{"one transaction was not published", complete, false, sealedWith(2, 'd', 'a', 'b', 'c', 'z'), Differing, "4 transactions were published and 5 sealed"},
		{"one published transaction is missing", complete, false, sealedWith(2, 'd', 'a', 'b'), Differing, "4 transactions were published and 3 sealed"},
		{"another order", complete, false, sealedWith(2, 'd', 'b', 'a', 'c'), Differing, "transaction 1 was published"},
		{"other gas", complete, false, sealedWith(1, 'd', 'a', 'b', 'c'), Differing, "gas used"},
		{"user transactions without any flashblock", []*flashblocks.Flashblock{publish(9, 0)}, false, &sealedBlock{Number: 8, UserTxs: 1, Txs: make([]common.Hash, 2)}, Differing, "nothing was published"},
		{"deposits without any flashblock", []*flashblocks.Flashblock{publish(9, 0)}, false, &sealedBlock{Number: 8, Txs: make([]common.Hash, 1)}, Unstreamed, ""},
		{"the stream broke within the block", complete[:2], true, sealedWith(2, 'd', 'a', 'b', 'c'), Unobserved, ""},
		{"the stream was joined within the block", complete[1:], false, sealedWith(2, 'd', 'a', 'b', 'c'), Unobserved, ""},
		{"a flashblock was missed", []*flashblocks.Flashblock{complete[0], complete[2]}, false, sealedWith(2, 'd', 'a', 'b', 'c'), Unobserved, ""},
		{"before the stream was joined", nil, false, sealedWith(2, 'd', 'a'), Unobserved, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := newTestLedger(test.seen...)
			if test.lost {
				l.lost()
			}
			block, done := l.compare(test.sealed, test.sealed.Seen.Add(settleTime))
			require.True(t, done)
			require.Equal(t, test.want, block.Verdict, block.Reason)
			if test.reason == "" {
				require.Empty(t, block.Reason)
			} else {
				require.Contains(t, block.Reason, test.reason)
			}
		})
	}
}

// Boost decides last whose block is sealed: it may be longer than what was published, or the local execution
// layer's where nothing was published. What was published and is not there is a broken promise all the same.
func TestLedgerVerdictBehindBoost(t *testing.T) {
	t.Parallel()
	complete := []*flashblocks.Flashblock{publish(1, 0, 'd'), publish(1, 1, 'a')}
	for _, test := range []struct {
		name   string
		seen   []*flashblocks.Flashblock
		lost   bool
		sealed *sealedBlock
		want   Verdict
		held   int // flashblocks that are in the sealed block
	}{
		{"equal", complete, false, sealedWith(1, 'd', 'a'), Matching, 2},
		{"longer", complete, false, sealedWith(2, 'd', 'a', 'b'), Extended, 2},
		{"longer, and another attempt", append([]*flashblocks.Flashblock{publish(2, 0, 'd'), publish(2, 1, 'x')}, complete...), false, sealedWith(2, 'd', 'a', 'b'), Extended, 2},
		{"longer, but the stream broke", complete, true, sealedWith(2, 'd', 'a', 'b'), Unobserved, 0},
		{"shorter", complete, false, sealedWith(0, 'd'), Differing, 0},
		{"longer in another order", complete, false, sealedWith(2, 'd', 'b', 'a'), Differing, 0},
		{"nothing was published", []*flashblocks.Flashblock{publish(9, 0)}, false, &sealedBlock{Number: 8, UserTxs: 1, Txs: make([]common.Hash, 2)}, Fallback, 0},
		{"nothing was published for deposits", []*flashblocks.Flashblock{publish(9, 0)}, false, &sealedBlock{Number: 8, Txs: make([]common.Hash, 1)}, Fallback, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := newTestLedger(test.seen...)
			l.boost = true
			if test.lost {
				l.lost()
			}
			_, done := l.compare(test.sealed, test.sealed.Seen)
			require.Equal(t, test.want == Matching, done, "whatever is not equal may still be completed")
			block, done := l.compare(test.sealed, test.sealed.Seen.Add(settleTime))
			require.True(t, done)
			require.Equal(t, test.want, block.Verdict, block.Reason)
			require.Equal(t, test.held, block.Flashblocks)
			require.Equal(t, l.published(test.sealed.Number)-test.held, block.Abandoned)
			sealed := 0
			for _, fb := range l.settle(math.MaxUint64) {
				if fb.Sealed {
					sealed++
				}
			}
			require.Equal(t, test.held, sealed)
		})
	}
}

// A block may be known before its last flashblock has been read.
func TestLedgerWaitsForLateFlashblocks(t *testing.T) {
	t.Parallel()
	l := newTestLedger(publish(1, 0, 'd'))
	sealed := sealedWith(1, 'd', 'a')
	_, done := l.compare(sealed, sealed.Seen.Add(settleTime-1))
	require.False(t, done)
	l.add(publish(1, 1, 'a'), slotTime(1))
	block, done := l.compare(sealed, sealed.Seen.Add(settleTime-1))
	require.True(t, done)
	require.Equal(t, Matching, block.Verdict)
}

func TestLedgerSettlesEveryFlashblockOnce(t *testing.T) {
	t.Parallel()
	l := newTestLedger(publish(1, 0, 'd'), publish(2, 0, 'd'), publish(2, 1, 'a'))
	block, done := l.compare(sealedWith(1, 'd', 'a'), time.Unix(slotEnd, 0))
	require.True(t, done)
	require.Equal(t, 2, block.Flashblocks)
	require.Equal(t, 1, block.Abandoned)

	settled := l.settle(7)
	require.Len(t, settled, 2)
	for _, fb := range settled {
		require.True(t, fb.Sealed)
		require.Equal(t, engine.PayloadID{2}, fb.PayloadID)
	}
	abandoned := l.settle(8)
	require.Len(t, abandoned, 1)
	require.False(t, abandoned[0].Sealed)
	require.Empty(t, l.settle(9))
}

// After a reorganisation the abandoned attempt may become canonical after all.
func TestLedgerRemembersAbandonedAttempts(t *testing.T) {
	t.Parallel()
	l := newTestLedger(publish(1, 0, 'd'), publish(1, 1, 'a'), publish(2, 0, 'd'))
	now := time.Unix(slotEnd, 0)
	for _, sealed := range []*sealedBlock{sealedWith(0, 'd'), sealedWith(1, 'd', 'a')} {
		block, done := l.compare(sealed, now)
		require.True(t, done)
		require.Equal(t, Matching, block.Verdict)
		l.settle(7)
	}
}

func TestLedgerIsBounded(t *testing.T) {
	t.Parallel()
	l := newTestLedger()
	for number := range uint64(10 * ledgerBlocks) {
		fb := publish(1, 0, 'd')
		fb.Metadata.BlockNumber = number
		l.add(fb, slotTime(0))
	}
	require.LessOrEqual(t, len(l.attempts.Numbers()), ledgerBlocks+1)
}
