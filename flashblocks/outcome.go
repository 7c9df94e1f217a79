// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"bytes"
	"slices"

	"github.com/ethereum/go-ethereum/core/types"
)

// Outcome is what Sequence.Add made of a flashblock.
type Outcome uint8

const (
	// Accepted means that the flashblock continues the block in progress, or begins a later one
	// (index 0), and is held now.
	Accepted Outcome = iota
	// NewAttempt means that an index 0 with a new payload id, for the same or a lower number, replaced
	// the block in progress. What was published of the old attempt is void.
	NewAttempt
	// Duplicate means that the same flashblock is held already; ignore it.
	Duplicate
	// Conflict means that another flashblock is held at this position: the sender equivocates. What
	// was held stays.
	Conflict
	// Gap means that flashblocks are missing before this one. The prefix held stays good; resume from
	// Result.Resume.
	Gap
	// Stale means that the flashblock belongs to a block or an attempt left behind; ignore it.
	Stale
	// BaseMissing means an index 0 without base.
	BaseMissing
	// UnexpectedBase means a base at an index other than 0.
	UnexpectedBase
	// TooLong means that the block in progress has more flashblocks, or more bytes, than any real
	// block. What was held stays.
	TooLong
)

var outcomeNames = [...]string{
	"accepted", "new attempt", "duplicate", "conflict", "gap", "stale", "base missing", "unexpected base", "too long",
}

// String returns a short name in lower case, fit for logs and metric labels.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown"
}

// Held reports whether the flashblock is now part of the sequence.
func (o Outcome) Held() bool { return o == Accepted || o == NewAttempt }

// Result is the answer of Sequence.Add.
type Result struct {
	Outcome Outcome

	// Resume is the last position before what is missing, if the outcome is Gap and CanResume is set.
	// A stream resumed there (?block_number=N&flashblock_index=M) replays everything after it.
	// CanResume is false when nothing earlier was seen; then only ?from=current helps.
	Resume    FlashblockID
	CanResume bool

	// Unlinked is set with the index 0 of the next block if its parent hash is provably not the block
	// that was held: its last flashblock had a state root, hence a final hash, and it is another one.
	Unlinked bool

	// MissedTail is set with an index 0 that does not follow directly on what was held: blocks were
	// skipped, or prev_flashblock_id names a position that was never received.
	MissedTail bool
}

// SameContent reports whether two flashblocks at one position agree on the block; if not, somebody
// equivocates. Metadata is left out, because relays may trim or extend it.
func SameContent(a, b *Flashblock) bool { return sameContent(a, b) }

// sameContent compares what a flashblock says about the block. Metadata is left out, because relays
// may encode, trim or extend it, and nothing of the block depends on it.
func sameContent(a, b *Flashblock) bool {
	return a.PayloadID == b.PayloadID && a.Index == b.Index && sameBase(a.Base, b.Base) && sameDiff(&a.Diff, &b.Diff)
}

func sameBase(a, b *Base) bool {
	if a == nil || b == nil {
		return a == b
	}
	sameFee := a.BaseFeePerGas == b.BaseFeePerGas ||
		a.BaseFeePerGas != nil && b.BaseFeePerGas != nil && a.BaseFeePerGas.Eq(b.BaseFeePerGas)
	return sameFee && equalPointers(a.ParentBeaconBlockRoot, b.ParentBeaconBlockRoot) &&
		a.ParentHash == b.ParentHash && a.FeeRecipient == b.FeeRecipient && a.PrevRandao == b.PrevRandao &&
		a.BlockNumber == b.BlockNumber && a.GasLimit == b.GasLimit && a.Timestamp == b.Timestamp &&
		bytes.Equal(a.ExtraData, b.ExtraData)
}

func sameDiff(a, b *Diff) bool {
	return a.StateRoot == b.StateRoot && a.ReceiptsRoot == b.ReceiptsRoot && a.LogsBloom == b.LogsBloom &&
		a.GasUsed == b.GasUsed && a.BlockHash == b.BlockHash && a.WithdrawalsRoot == b.WithdrawalsRoot &&
		equalPointers(a.BlobGasUsed, b.BlobGasUsed) &&
		(a.PostExecTx == nil) == (b.PostExecTx == nil) && bytes.Equal(a.PostExecTx, b.PostExecTx) &&
		slices.EqualFunc(a.Transactions, b.Transactions, bytes.Equal) &&
		slices.EqualFunc(a.Withdrawals, b.Withdrawals, equalPointers[types.Withdrawal])
}

func equalPointers[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
