// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"fmt"

	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/flashgeth/internal/jsonwalk"
)

// rules are those of every message. The deepest known dialect (access list) nests eight levels. That the walker wants
// UTF-8 is needed here: a message goes out again in a text frame, which a client must refuse if it is not (RFC 6455,
// section 8.1).
var rules = &jsonwalk.Rules{
	MaxDepth:  64,
	Malformed: ErrMalformed,
	Invalid:   ErrInvalidField,
	Duplicate: ErrDuplicateField,
	Missing:   ErrMissingField,
}

// scanner reads the parts of a message.
type scanner struct{ jsonwalk.Walker }

func newScanner(message []byte) scanner {
	return scanner{jsonwalk.New(message, rules)}
}

// quantity256 reads an unsigned 256-bit number.
func (s *scanner) quantity256() (*uint256.Int, error) {
	word, err := s.Quantity256()
	return new(uint256.Int).SetBytes32(word[:]), err
}

// status reads the status of a receipt, which older emitters wrote as a boolean.
func (s *scanner) status() (uint64, error) {
	if c := s.Peek(); c != 't' && c != 'f' {
		return s.Quantity()
	}
	if ok, err := s.Bool(); err != nil || !ok {
		return 0, err
	}
	return 1, nil
}

// end fails unless nothing but white space is left.
func (s *scanner) end() error {
	if s.End() != nil {
		return fmt.Errorf("%w: trailing data at byte %d", ErrMalformed, s.Pos())
	}
	return nil
}
