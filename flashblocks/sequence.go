// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"slices"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
)

const (
	// maxSequenceLength bounds the flashblocks of one block: 12 s, the longest block time of the OP
	// Stack, in intervals of 5 ms, the shortest the builder accepts, and some to spare.
	maxSequenceLength = 4096

	// maxSequenceSize bounds the bytes one block may hold in memory: four messages at their limit. A
	// block of 10 MiB of transactions with as many bytes of logs stays well below it.
	maxSequenceSize = 4 * DefaultMaxDecoded

	// retiredIDs is how many payload ids that were left behind are remembered, so that their late
	// messages are not taken for new attempts. It covers a minute of 1 s blocks.
	retiredIDs = 64
)

// SequenceKey identifies one attempt to build one block.
type SequenceKey struct {
	BlockNumber uint64
	PayloadID   engine.PayloadID
	ParentHash  common.Hash
}

// Sequence holds the flashblocks of the block in progress, contiguous from index 0, and judges what
// comes next. It follows one stream from block to block. The zero value is ready for use. A Sequence
// is not safe for concurrent use, and the flashblocks given to it must not be modified afterwards.
type Sequence struct {
	key     SequenceKey
	blocks  []*Flashblock
	size    int
	retired []engine.PayloadID // ring, oldest first
	before  FlashblockID       // last position held of the block before this one
	hasPrev bool               // before is set
}

// Key tells which attempt is held; it is zero while the sequence is empty.
func (s *Sequence) Key() SequenceKey { return s.key }

// Len is the number of flashblocks held, which is the index expected next.
func (s *Sequence) Len() int { return len(s.blocks) }

// Flashblocks returns the flashblocks held, in order. The slice is a view that later calls of Add do
// not change; its elements are shared and must not be modified.
func (s *Sequence) Flashblocks() []*Flashblock {
	return s.blocks[:len(s.blocks):len(s.blocks)]
}

// Base returns the base of the block in progress, nil while the sequence is empty.
func (s *Sequence) Base() *Base {
	if len(s.blocks) == 0 {
		return nil
	}
	return s.blocks[0].Base
}

// Last returns the last flashblock held, nil while the sequence is empty.
func (s *Sequence) Last() *Flashblock {
	if len(s.blocks) == 0 {
		return nil
	}
	return s.blocks[len(s.blocks)-1]
}

// Position returns the last position held, and false while the sequence is empty. It is what a
// reconnecting subscriber resumes from.
func (s *Sequence) Position() (FlashblockID, bool) {
	if len(s.blocks) == 0 {
		return FlashblockID{}, false
	}
	return FlashblockID{BlockNumber: s.key.BlockNumber, Index: uint64(len(s.blocks) - 1)}, true
}

// Reset forgets everything, so that any index 0 is accepted next.
func (s *Sequence) Reset() { *s = Sequence{} }

// Add judges a flashblock and holds it if it continues the sequence. Whatever the outcome, what was
// held before stays held unless a new block or a new attempt takes its place.
//
// The block number of free-form metadata that does not tell it is taken from the payload id.
func (s *Sequence) Add(fb *Flashblock) Result {
	switch {
	case fb.Index == 0 && fb.Base == nil:
		return Result{Outcome: BaseMissing}
	case fb.Index > 0 && fb.Base != nil:
		return Result{Outcome: UnexpectedBase}
	case len(s.blocks) == 0:
		return s.first(fb)
	}
	number := s.numberOf(fb)
	switch {
	case number == s.key.BlockNumber && fb.PayloadID == s.key.PayloadID:
		return s.sameAttempt(fb)
	case slices.Contains(s.retired, fb.PayloadID):
		return Result{Outcome: Stale}
	case fb.PayloadID == s.key.PayloadID:
		// A payload id belongs to one block; naming another with it contradicts what is held.
		return Result{Outcome: Conflict}
	case fb.Index == 0 && number > s.key.BlockNumber:
		return s.nextBlock(fb)
	case fb.Index == 0:
		// The same number again, or a lower one when the sequencer reorganises its unsafe head.
		s.retire(s.key.PayloadID)
		if number != s.key.BlockNumber {
			s.hasPrev = false
		}
		s.start(fb)
		return Result{Outcome: NewAttempt}
	case number == s.key.BlockNumber:
		return s.missedAttempt()
	case number == 0 || number > s.key.BlockNumber:
		// The start of another block was missed. Zero is a number not told, with an id never seen.
		return s.gap()
	default:
		return Result{Outcome: Stale}
	}
}

// gap is the answer to a flashblock that comes too early.
func (s *Sequence) gap() Result {
	resume, ok := s.Position()
	return Result{Outcome: Gap, Resume: resume, CanResume: ok}
}

func (s *Sequence) first(fb *Flashblock) Result {
	if slices.Contains(s.retired, fb.PayloadID) {
		return Result{Outcome: Stale}
	}
	if fb.Index > 0 {
		return Result{Outcome: Gap}
	}
	s.start(fb)
	return Result{Outcome: Accepted}
}

// numberOf returns the block a flashblock belongs to.
func (s *Sequence) numberOf(fb *Flashblock) uint64 {
	switch {
	case fb.Base != nil:
		return fb.Base.BlockNumber
	case fb.Metadata.BlockNumber == 0 && fb.PayloadID == s.key.PayloadID:
		return s.key.BlockNumber
	default:
		return fb.Metadata.BlockNumber
	}
}

// sameAttempt judges a flashblock of the attempt that is held.
func (s *Sequence) sameAttempt(fb *Flashblock) Result {
	next := uint64(len(s.blocks))
	switch {
	case fb.Index < next:
		if sameContent(s.blocks[fb.Index], fb) {
			return Result{Outcome: Duplicate}
		}
		return Result{Outcome: Conflict}
	case fb.Index > next:
		return s.gap()
	}
	size := fb.SizeHint()
	if next >= maxSequenceLength || s.size+size > maxSequenceSize {
		return Result{Outcome: TooLong}
	}
	s.blocks = append(s.blocks, fb)
	s.size += size
	return Result{Outcome: Accepted}
}

// nextBlock begins a later block. It is accepted even if blocks in between were missed: a base makes
// its block complete in itself.
func (s *Sequence) nextBlock(fb *Flashblock) Result {
	result := Result{Outcome: Accepted}
	held, _ := s.Position()
	if fb.Base.BlockNumber != s.key.BlockNumber+1 {
		result.MissedTail = true
	} else {
		last := &s.Last().Diff
		result.Unlinked = last.StateRoot != (common.Hash{}) && last.BlockHash != fb.Base.ParentHash
		// An all-zero predecessor is what builders send that do not keep track of it.
		prev := fb.Metadata.PrevFlashblockID
		result.MissedTail = prev != nil && *prev != (FlashblockID{}) && *prev != held
	}
	s.retire(s.key.PayloadID)
	s.before, s.hasPrev = held, true
	s.start(fb)
	return result
}

// missedAttempt handles a flashblock of a new attempt at the same number whose index 0 was missed. The
// attempt has to be replayed from its start, so the position to resume from is the end of the block before.
func (s *Sequence) missedAttempt() Result {
	return Result{Outcome: Gap, Resume: s.before, CanResume: s.hasPrev}
}

func (s *Sequence) start(fb *Flashblock) {
	s.key = SequenceKey{
		BlockNumber: fb.Base.BlockNumber,
		PayloadID:   fb.PayloadID,
		ParentHash:  fb.Base.ParentHash,
	}
	s.blocks = []*Flashblock{fb}
	s.size = fb.SizeHint()
}

func (s *Sequence) retire(id engine.PayloadID) {
	if len(s.retired) == retiredIDs {
		s.retired = append(s.retired[:0], s.retired[1:]...)
	}
	s.retired = append(s.retired, id)
}
