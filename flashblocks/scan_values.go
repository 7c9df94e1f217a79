// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/holiman/uint256"
)

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalidField, fmt.Sprintf(format, args...))
}

// hexDigits strips the 0x prefix that every hex value on the wire has.
func hexDigits(text []byte) ([]byte, error) {
	if len(text) < 2 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X') {
		return nil, invalid("hex value without 0x prefix")
	}
	return text[2:], nil
}

// fixed reads a hex string of exactly len(dst) bytes.
func (s *scanner) fixed(dst []byte) error {
	text, err := s.str()
	if err != nil {
		return err
	}
	return decodeFixed(dst, text)
}

func decodeFixed(dst, text []byte) error {
	digits, err := hexDigits(text)
	if err != nil {
		return err
	}
	if len(digits) != 2*len(dst) {
		return invalid("%d hex digits instead of %d", len(digits), 2*len(dst))
	}
	if _, err := hex.Decode(dst, digits); err != nil {
		return invalid("%v", err)
	}
	return nil
}

// bytes reads a hex string of any length into memory of its own. The result is never nil.
func (s *scanner) bytes() ([]byte, error) {
	text, err := s.str()
	if err != nil {
		return nil, err
	}
	digits, err := hexDigits(text)
	if err != nil {
		return nil, err
	}
	out := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(out, digits); err != nil {
		return nil, invalid("%v", err)
	}
	return out, nil
}

// quantity reads an unsigned 64-bit number, as a hex string or as a plain JSON number: alloy accepts
// both for every quantity, so both occur.
func (s *scanner) quantity() (uint64, error) {
	text, base := []byte(nil), 10
	var err error
	if s.peek() == '"' {
		if text, err = s.str(); err == nil {
			text, err = hexDigits(text)
		}
		base = 16
	} else {
		text, err = s.number()
	}
	if err != nil {
		return 0, err
	}
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		return 0, invalid("signed quantity")
	}
	v, err := strconv.ParseUint(string(text), base, 64)
	if err != nil {
		return 0, invalid("%v", err)
	}
	return v, nil
}

// quantity256 reads an unsigned 256-bit number in the forms of quantity.
func (s *scanner) quantity256() (*uint256.Int, error) {
	if s.peek() != '"' {
		v, err := s.quantity()
		return uint256.NewInt(v), err
	}
	text, err := s.str()
	if err != nil {
		return nil, err
	}
	digits, err := hexDigits(text)
	if err != nil {
		return nil, err
	}
	if len(digits) == 0 || len(digits) > 64 {
		return nil, invalid("quantity of %d hex digits", len(digits))
	}
	var full [64]byte
	pad := len(full) - len(digits)
	for i := range pad {
		full[i] = '0'
	}
	copy(full[pad:], digits)
	var word [32]byte
	if _, err := hex.Decode(word[:], full[:]); err != nil {
		return nil, invalid("%v", err)
	}
	return new(uint256.Int).SetBytes32(word[:]), nil
}

// status reads the status of a receipt, which older emitters wrote as a boolean.
func (s *scanner) status() (uint64, error) {
	switch s.peek() {
	case 't':
		if s.literal("true") {
			return 1, nil
		}
	case 'f':
		if s.literal("false") {
			return 0, nil
		}
	}
	return s.quantity()
}

// fields collects which keys of an object were met, one bit each.
type fields uint32

// mark adds a key and fails if it was met before.
func (f *fields) mark(bit int, key []byte) error {
	if *f&(1<<bit) != 0 {
		return fmt.Errorf("%w: %q", ErrDuplicateField, key)
	}
	*f |= 1 << bit
	return nil
}

// require fails with the first of the names that was not met; names are in the order of their bits.
func (f fields) require(names ...string) error {
	for bit, name := range names {
		if f&(1<<bit) == 0 {
			return fmt.Errorf("%w: %s", ErrMissingField, name)
		}
	}
	return nil
}

// inField says in which field an error occurred.
func inField(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}
