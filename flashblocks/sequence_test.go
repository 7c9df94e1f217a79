// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// step makes one flashblock of a sequence test: block number, attempt (the payload id) and index.
func step(number uint64, attempt byte, index uint64, edits ...func(*Flashblock)) *Flashblock {
	fb := &Flashblock{
		PayloadID: engine.PayloadID{3, byte(number), attempt},
		Index:     index,
		Diff: Diff{
			GasUsed:      (index + 1) * 21000,
			Transactions: [][]byte{{byte(number), attempt, byte(index)}},
		},
		Metadata: Metadata{BlockNumber: number},
	}
	if index == 0 {
		fb.Base = &Base{BlockNumber: number, ParentHash: common.Hash{byte(number - 1)}, GasLimit: 30_000_000}
	}
	for _, edit := range edits {
		edit(fb)
	}
	return fb
}

// upTo returns the flashblocks of an attempt from index 0 to last.
func upTo(number uint64, attempt byte, last uint64) (fbs []*Flashblock) {
	for i := range last + 1 {
		fbs = append(fbs, step(number, attempt, i))
	}
	return fbs
}

func noBase(fb *Flashblock)      { fb.Base = nil }
func strayBase(fb *Flashblock)   { fb.Base = &Base{BlockNumber: fb.Metadata.BlockNumber} }
func otherTx(fb *Flashblock)     { fb.Diff.Transactions = [][]byte{{0xff}} }
func otherMeta(fb *Flashblock)   { fb.Metadata.Dialect = DialectTrimmed }
func freeForm(fb *Flashblock)    { fb.Metadata = Metadata{Dialect: DialectOpaque} }
func otherParent(fb *Flashblock) { fb.Base.ParentHash = common.Hash{0xee} }

func realRoot(fb *Flashblock) {
	fb.Diff.StateRoot = common.Hash{1}
	fb.Diff.BlockHash = common.Hash{byte(fb.Metadata.BlockNumber)}
}

func after(number, index uint64) func(*Flashblock) {
	return func(fb *Flashblock) {
		fb.Metadata.PrevFlashblockID = &FlashblockID{BlockNumber: number, Index: index}
	}
}

func gapAfter(number, index uint64) Result {
	return Result{Outcome: Gap, CanResume: true, Resume: FlashblockID{BlockNumber: number, Index: index}}
}

func TestSequence(t *testing.T) {
	t.Parallel()
	is := func(o Outcome) Result { return Result{Outcome: o} }
	held := func(number, index uint64) FlashblockID { return FlashblockID{BlockNumber: number, Index: index} }
	tests := []struct {
		name   string
		before []*Flashblock // all of them must be held
		add    *Flashblock
		want   Result
		at     FlashblockID // position afterwards
	}{
		{"first", nil, step(5, 1, 0), is(Accepted), held(5, 0)},
		{"joined in the middle", nil, step(5, 1, 3), is(Gap), FlashblockID{}},
		{"first without base", nil, step(5, 1, 0, noBase), is(BaseMissing), FlashblockID{}},
		{"next index", upTo(5, 1, 2), step(5, 1, 3), is(Accepted), held(5, 3)},
		{"next index, number unknown", upTo(5, 1, 2), step(5, 1, 3, freeForm), is(Accepted), held(5, 3)},
		{"base at a later index", upTo(5, 1, 2), step(5, 1, 3, strayBase), is(UnexpectedBase), held(5, 2)},
		{"index 0 of the next block without base", upTo(5, 1, 2), step(6, 1, 0, noBase), is(BaseMissing), held(5, 2)},

		{"last again", upTo(5, 1, 2), step(5, 1, 2), is(Duplicate), held(5, 2)},
		{"start again", upTo(5, 1, 2), step(5, 1, 0), is(Duplicate), held(5, 2)},
		{"again with other metadata", upTo(5, 1, 2), step(5, 1, 2, otherMeta), is(Duplicate), held(5, 2)},
		{"last again, changed", upTo(5, 1, 2), step(5, 1, 2, otherTx), is(Conflict), held(5, 2)},
		{"earlier again, changed", upTo(5, 1, 2), step(5, 1, 1, otherTx), is(Conflict), held(5, 2)},
		{"start again, other parent", upTo(5, 1, 2), step(5, 1, 0, otherParent), is(Conflict), held(5, 2)},
		{"id of this block with another number", upTo(5, 1, 2), step(5, 1, 3, func(fb *Flashblock) { fb.Metadata.BlockNumber = 6 }), is(Conflict), held(5, 2)},

		{"gap of one", upTo(5, 1, 2), step(5, 1, 4), gapAfter(5, 2), held(5, 2)},
		{"gap to the largest index", upTo(5, 1, 2), step(5, 1, ^uint64(0)), gapAfter(5, 2), held(5, 2)},
		{"start of the next block missed", upTo(5, 1, 2), step(6, 1, 1), gapAfter(5, 2), held(5, 2)},
		{"gap, number and id unknown", upTo(5, 1, 2), step(9, 9, 1, freeForm), gapAfter(5, 2), held(5, 2)},

		{"next block", upTo(5, 1, 2), step(6, 1, 0), is(Accepted), held(6, 0)},
		{"blocks skipped", upTo(5, 1, 2), step(9, 1, 0), Result{Outcome: Accepted, MissedTail: true}, held(9, 0)},
		{"next block after what is held", upTo(5, 1, 2), step(6, 1, 0, after(5, 2)), is(Accepted), held(6, 0)},
		{"next block after more than is held", upTo(5, 1, 2), step(6, 1, 0, after(5, 4)), Result{Outcome: Accepted, MissedTail: true}, held(6, 0)},
		{"next block, predecessor not tracked", upTo(5, 1, 2), step(6, 1, 0, after(0, 0)), is(Accepted), held(6, 0)},
		{"next block on the hash that is held", []*Flashblock{step(5, 1, 0, realRoot)}, step(6, 1, 0), is(Accepted), held(6, 0)},
		{"next block on another hash", []*Flashblock{step(5, 1, 0, realRoot)}, step(6, 1, 0, otherParent), Result{Outcome: Accepted, Unlinked: true}, held(6, 0)},
		{"next block, hash not final", upTo(5, 1, 0), step(6, 1, 0, otherParent), is(Accepted), held(6, 0)},

		{"new attempt", upTo(5, 1, 2), step(5, 2, 0), is(NewAttempt), held(5, 0)},
		{"new attempt on another parent", upTo(5, 1, 2), step(5, 2, 0, otherParent), is(NewAttempt), held(5, 0)},
		{"new attempt after index 0 only", upTo(5, 1, 0), step(5, 2, 0), is(NewAttempt), held(5, 0)},
		{"lower number, never seen", upTo(5, 1, 2), step(3, 1, 0), is(NewAttempt), held(3, 0)},
		{"new attempt, start missed, no earlier block", upTo(5, 1, 2), step(5, 2, 1), is(Gap), held(5, 2)},
		{"new attempt, start missed", append(upTo(4, 1, 3), upTo(5, 1, 2)...), step(5, 2, 1), gapAfter(4, 3), held(5, 2)},

		{"earlier block, later index", upTo(5, 1, 2), step(4, 1, 3), is(Stale), held(5, 2)},
		{"start of a block left behind", append(upTo(4, 1, 3), upTo(5, 1, 2)...), step(4, 1, 0), is(Stale), held(5, 2)},
		{"tail of a block left behind", append(upTo(4, 1, 3), upTo(5, 1, 2)...), step(4, 1, 4), is(Stale), held(5, 2)},
		{"next index of the old attempt", append(upTo(5, 1, 2), upTo(5, 2, 0)...), step(5, 1, 3), is(Stale), held(5, 0)},
		{"matching index of the old attempt", append(upTo(5, 1, 2), upTo(5, 2, 0)...), step(5, 1, 1), is(Stale), held(5, 0)},
		{"start of the old attempt", append(upTo(5, 1, 2), upTo(5, 2, 0)...), step(5, 1, 0), is(Stale), held(5, 0)},
		{"old attempt, number unknown", append(upTo(5, 1, 2), upTo(5, 2, 0)...), step(5, 1, 3, freeForm), is(Stale), held(5, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var s Sequence
			for _, fb := range tt.before {
				require.True(t, s.Add(fb).Outcome.Held())
			}
			last := s.Last()
			require.Equal(t, tt.want, s.Add(tt.add))
			if tt.want.Outcome.Held() {
				require.Same(t, tt.add, s.Last())
			} else {
				require.Same(t, last, s.Last())
			}
			at, ok := s.Position()
			require.Equal(t, tt.at, at)
			require.Equal(t, tt.at != FlashblockID{}, ok)
			require.Len(t, s.Flashblocks(), s.Len())
		})
	}
}

func TestSequenceContinuesAfterRejections(t *testing.T) {
	t.Parallel()
	var s Sequence
	for _, fb := range upTo(5, 1, 1) {
		require.Equal(t, Accepted, s.Add(fb).Outcome)
	}
	view := s.Flashblocks()
	for _, bad := range []*Flashblock{
		step(5, 1, 1, otherTx), step(5, 1, 3), step(4, 1, 2), step(5, 1, 2, strayBase), step(5, 7, 2),
	} {
		require.False(t, s.Add(bad).Outcome.Held())
	}
	require.Equal(t, Accepted, s.Add(step(5, 1, 2)).Outcome)
	require.Equal(t, SequenceKey{5, engine.PayloadID{3, 5, 1}, common.Hash{4}}, s.Key())
	require.EqualValues(t, 5, s.Base().BlockNumber)

	require.Equal(t, NewAttempt, s.Add(step(5, 2, 0)).Outcome)
	require.Equal(t, upTo(5, 1, 1), view, "a view must not change with the sequence")
}

func TestSequenceReset(t *testing.T) {
	t.Parallel()
	var s Sequence
	for _, fb := range append(upTo(5, 1, 1), upTo(6, 1, 1)...) {
		require.True(t, s.Add(fb).Outcome.Held())
	}
	s.Reset()
	require.Zero(t, s.Len())
	require.Nil(t, s.Base())
	require.Nil(t, s.Last())
	require.Equal(t, Accepted, s.Add(step(5, 1, 0)).Outcome, "everything may come again after a reset")
}

func TestSequenceBounds(t *testing.T) {
	t.Parallel()
	t.Run("length", func(t *testing.T) {
		t.Parallel()
		var s Sequence
		for i := range uint64(maxSequenceLength) {
			require.Equal(t, Accepted, s.Add(step(5, 1, i)).Outcome)
		}
		require.Equal(t, TooLong, s.Add(step(5, 1, maxSequenceLength)).Outcome)
		require.Equal(t, Accepted, s.Add(step(6, 1, 0)).Outcome)
	})
	t.Run("size", func(t *testing.T) {
		t.Parallel()
		// One transaction shared by all, so that the test does not need the memory it counts.
		large := make([]byte, DefaultMaxDecoded/2)
		fill := func(fb *Flashblock) { fb.Diff.Transactions = [][]byte{large} }
		var s Sequence
		outcome := Accepted
		for i := uint64(0); outcome == Accepted; i++ {
			require.Less(t, i, uint64(10))
			outcome = s.Add(step(5, 1, i, fill)).Outcome
		}
		require.Equal(t, TooLong, outcome)
		require.Equal(t, 3, s.Len())
	})
	t.Run("retired ids", func(t *testing.T) {
		t.Parallel()
		var s Sequence
		for i := range 3 * retiredIDs {
			require.True(t, s.Add(step(uint64(i+1), 1, 0)).Outcome.Held())
		}
		require.Len(t, s.retired, retiredIDs)
		require.Equal(t, Stale, s.Add(step(3*retiredIDs-1, 1, 0)).Outcome)
	})
}

// Every field of base and diff must count as content.
func TestSameContent(t *testing.T) {
	t.Parallel()
	changes := map[string]func(*Flashblock){
		"payload id":       func(fb *Flashblock) { fb.PayloadID[7]++ },
		"index":            func(fb *Flashblock) { fb.Index++ },
		"no base":          func(fb *Flashblock) { fb.Base = nil },
		"beacon root":      func(fb *Flashblock) { fb.Base.ParentBeaconBlockRoot = ptr(common.Hash{}) },
		"no beacon root":   func(fb *Flashblock) { fb.Base.ParentBeaconBlockRoot = nil },
		"parent":           func(fb *Flashblock) { fb.Base.ParentHash[0]++ },
		"fee recipient":    func(fb *Flashblock) { fb.Base.FeeRecipient[0]++ },
		"randao":           func(fb *Flashblock) { fb.Base.PrevRandao[0]++ },
		"number":           func(fb *Flashblock) { fb.Base.BlockNumber++ },
		"gas limit":        func(fb *Flashblock) { fb.Base.GasLimit++ },
		"timestamp":        func(fb *Flashblock) { fb.Base.Timestamp++ },
		"extra data":       func(fb *Flashblock) { fb.Base.ExtraData[0]++ },
		"base fee":         func(fb *Flashblock) { fb.Base.BaseFeePerGas.AddUint64(fb.Base.BaseFeePerGas, 1) },
		"no base fee":      func(fb *Flashblock) { fb.Base.BaseFeePerGas = nil },
		"state root":       func(fb *Flashblock) { fb.Diff.StateRoot[0]++ },
		"receipts root":    func(fb *Flashblock) { fb.Diff.ReceiptsRoot[0]++ },
		"bloom":            func(fb *Flashblock) { fb.Diff.LogsBloom[0]++ },
		"gas used":         func(fb *Flashblock) { fb.Diff.GasUsed++ },
		"block hash":       func(fb *Flashblock) { fb.Diff.BlockHash[0]++ },
		"transaction":      func(fb *Flashblock) { fb.Diff.Transactions[0][0]++ },
		"transactions":     func(fb *Flashblock) { fb.Diff.Transactions = nil },
		"withdrawals":      func(fb *Flashblock) { fb.Diff.Withdrawals = nil },
		"withdrawals root": func(fb *Flashblock) { fb.Diff.WithdrawalsRoot[0]++ },
		"blob gas":         func(fb *Flashblock) { *fb.Diff.BlobGasUsed++ },
		"no blob gas":      func(fb *Flashblock) { fb.Diff.BlobGasUsed = nil },
		"post-exec":        func(fb *Flashblock) { fb.Diff.PostExecTx[0]++ },
		"no post-exec":     func(fb *Flashblock) { fb.Diff.PostExecTx = nil },
	}
	original := func() *Flashblock {
		g := newGenerator(1)
		fb := g.flashblock(2)
		fb.Base = g.base(fb.Metadata.BlockNumber)
		fb.Base.ParentBeaconBlockRoot, fb.Base.ExtraData = ptr(g.hash()), g.bytes(9)
		fb.Diff.Withdrawals = []*types.Withdrawal{{Index: 1}}
		fb.Diff.Transactions[0] = g.bytes(3)
		fb.Diff.BlobGasUsed, fb.Diff.PostExecTx = ptr(uint64(1)), g.bytes(3)
		return fb
	}
	require.True(t, sameContent(original(), original()))
	for name, change := range changes {
		fb := original()
		change(fb)
		require.False(t, sameContent(original(), fb), name)
		require.False(t, sameContent(fb, original()), name)
	}
}

func TestOutcomeNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for o := Accepted; o <= TooLong; o++ {
		require.NotEqual(t, "unknown", o.String())
		require.False(t, seen[o.String()])
		seen[o.String()] = true
	}
	require.Equal(t, "unknown", (TooLong + 1).String())
}
