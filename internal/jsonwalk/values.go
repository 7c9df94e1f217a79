// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonwalk

import (
	"encoding/hex"
	"strconv"
)

// Hex reads a string and returns what follows the 0x that every hex value of Ethereum's JSON begins with. Whether these
// are digits is not looked at.
func (w *Walker) Hex() ([]byte, error) {
	text, err := w.String()
	if err != nil {
		return nil, err
	}
	return w.digitsOf(text)
}

func (w *Walker) digitsOf(text []byte) ([]byte, error) {
	if len(text) < 2 || text[0] != '0' || text[1]|0x20 != 'x' {
		return nil, w.invalid("hex value without 0x prefix")
	}
	return text[2:], nil
}

// Fixed reads a hex string of exactly len(dst) bytes.
func (w *Walker) Fixed(dst []byte) error {
	text, err := w.String()
	if err != nil {
		return err
	}
	return w.FixedText(dst, text)
}

// FixedText is Fixed for a string that has been read, as a key has.
func (w *Walker) FixedText(dst, text []byte) error {
	digits, err := w.digitsOf(text)
	if err != nil {
		return err
	}
	if len(digits) != 2*len(dst) {
		return w.invalid("%d hex digits instead of %d", len(digits), 2*len(dst))
	}
	if _, err := hex.Decode(dst, digits); err != nil {
		return w.invalid("%v", err)
	}
	return nil
}

// Bytes reads a hex string of any length into memory of its own. The result is never nil.
func (w *Walker) Bytes() ([]byte, error) {
	digits, err := w.Hex()
	if err != nil {
		return nil, err
	}
	out := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(out, digits); err != nil {
		return nil, w.invalid("%v", err)
	}
	return out, nil
}

// briefValue is as much of a stranger's value as an error repeats.
const briefValue = 80

// Quantity reads an unsigned 64-bit number, as a hex string or as a plain JSON number: alloy accepts both for every
// quantity, so both occur.
func (w *Walker) Quantity() (uint64, error) {
	text, base := []byte(nil), 10
	var err error
	if w.Peek() == '"' {
		text, err = w.Hex()
		base = 16
	} else {
		text, err = w.Number()
	}
	if err != nil {
		return 0, err
	}
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		return 0, w.invalid("signed quantity")
	}
	v, err := strconv.ParseUint(string(text), base, 64)
	if err != nil {
		return 0, w.invalid("%q is no quantity", text[:min(len(text), briefValue)]) // err repeats all of it
	}
	return v, nil
}

// Quantity256 reads an unsigned 256-bit number in the forms of Quantity, as 32 bytes, the highest first. A plain
// number has 64 bits.
func (w *Walker) Quantity256() (word [32]byte, err error) {
	if w.Peek() != '"' {
		v, err := w.Quantity()
		for i := range 8 {
			word[31-i] = byte(v >> (8 * i))
		}
		return word, err
	}
	digits, err := w.Hex()
	if err != nil {
		return word, err
	}
	if len(digits) == 0 || len(digits) > 2*len(word) {
		return word, w.invalid("quantity of %d hex digits", len(digits))
	}
	full := [2 * len(word)]byte{}
	pad := len(full) - len(digits)
	for i := range pad {
		full[i] = '0'
	}
	copy(full[pad:], digits)
	if _, err := hex.Decode(word[:], full[:]); err != nil {
		return word, w.invalid("%v", err)
	}
	return word, nil
}

// Bool reads true or false.
func (w *Walker) Bool() (bool, error) {
	switch w.Peek() {
	case 't':
		return true, w.literal("true")
	case 'f':
		return false, w.literal("false")
	default:
		return false, w.fail(w.pos, "expected true or false")
	}
}
