// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package published

import (
	"maps"
	"slices"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// Attempts are what was published, by block number and payload id: A is what their owner keeps of one payload id.
// The zero value has none. It is not safe for concurrent use.
type Attempts[A any] struct {
	byNumber map[uint64]*block[A]
}

// block is what was published for one block number, in the order in which it began.
type block[A any] struct {
	ids      []engine.PayloadID
	attempts []*A
}

// Of returns the attempt that a flashblock belongs to, and whether it begins with it.
func (s *Attempts[A]) Of(fb *flashblocks.Flashblock) (a *A, begun bool) {
	number := fb.Metadata.BlockNumber
	at := s.byNumber[number]
	if at == nil {
		if s.byNumber == nil {
			s.byNumber = make(map[uint64]*block[A])
		}
		at = new(block[A])
		s.byNumber[number] = at
	}
	if i := slices.Index(at.ids, fb.PayloadID); i >= 0 {
		return at.attempts[i], false
	}
	a = new(A)
	at.ids, at.attempts = append(at.ids, fb.PayloadID), append(at.attempts, a)
	return a, true
}

// At returns the attempts at a block number, in the order in which they began.
func (s *Attempts[A]) At(number uint64) []*A {
	if at := s.byNumber[number]; at != nil {
		return at.attempts
	}
	return nil
}

// Numbers returns the block numbers that something was published for, ascending.
func (s *Attempts[A]) Numbers() []uint64 { return slices.Sorted(maps.Keys(s.byNumber)) }

// Forget drops what was published for blocks before a number.
func (s *Attempts[A]) Forget(before uint64) {
	maps.DeleteFunc(s.byNumber, func(number uint64, _ *block[A]) bool { return number < before })
}
