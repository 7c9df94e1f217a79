// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonrpc

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// maxDepth bounds the recursion of the scanner. No RPC of an execution client nests a tenth as deep;
// encoding/json on the other side admits 10,000.
const maxDepth = 512

// Bytes repeated over a word, for looking at eight bytes at a time.
const (
	ones      = 0x0101010101010101
	highs     = 0x80 * ones
	spaces    = ' ' * ones
	quotes    = '"' * ones
	backslash = '\\' * ones
)

// visitor sees the members of one object: the key with its quotes, and where the value lies.
type visitor func(key []byte, from, to int) error

// scanner walks over JSON once, checks its grammar (RFC 8259) and decodes nothing.
type scanner struct{ data []byte }

func (s scanner) fail(at int, what string) error {
	if at >= len(s.data) {
		return &syntaxError{len(s.data), "unexpected end"}
	}
	return &syntaxError{at, what}
}

// at returns the byte at i, 0 behind the end: a byte that no rule of the grammar accepts.
func (s scanner) at(i int) byte {
	if i < len(s.data) {
		return s.data[i]
	}
	return 0
}

// space returns the first position from i on that is not white space.
func (s scanner) space(i int) int {
	for i < len(s.data) {
		switch s.data[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

// end checks that nothing but white space follows.
func (s scanner) end(i int) error {
	if i = s.space(i); i < len(s.data) {
		return s.fail(i, "something follows the value")
	}
	return nil
}

// value returns the end of the value that starts at i.
func (s scanner) value(i, depth int) (int, error) {
	switch c := s.at(i); c {
	case '"':
		return s.str(i)
	case '{':
		return s.object(i, depth, nil)
	case '[':
		return s.array(i, depth, nil)
	case 't':
		return s.literal(i, "true")
	case 'f':
		return s.literal(i, "false")
	case 'n':
		return s.literal(i, "null")
	default:
		if c == '-' || isDigit(c) {
			return s.number(i)
		}
		return i, s.fail(i, "no value starts here")
	}
}

// object returns the end of the object that starts at i and shows its members to visit, if any.
func (s scanner) object(i, depth int, visit visitor) (int, error) {
	if depth >= maxDepth {
		return i, s.fail(i, "nested too deep")
	}
	if i = s.space(i + 1); s.at(i) == '}' {
		return i + 1, nil
	}
	for {
		if s.at(i) != '"' {
			return i, s.fail(i, "a key must be a string")
		}
		keyEnd, err := s.str(i)
		if err != nil {
			return keyEnd, err
		}
		colon := s.space(keyEnd)
		if s.at(colon) != ':' {
			return colon, s.fail(colon, "no colon after a key")
		}
		from := s.space(colon + 1)
		to, err := s.value(from, depth+1)
		if err != nil {
			return to, err
		}
		if visit != nil {
			if err := visit(s.data[i:keyEnd], from, to); err != nil {
				return to, err
			}
		}
		i = s.space(to)
		switch s.at(i) {
		case ',':
			i = s.space(i + 1)
		case '}':
			return i + 1, nil
		default:
			return i, s.fail(i, "neither a comma nor the end after a member")
		}
	}
}

// array returns the end of the array that starts at i and shows its elements to visit, if any.
func (s scanner) array(i, depth int, visit func(from, to int) error) (int, error) {
	if depth >= maxDepth {
		return i, s.fail(i, "nested too deep")
	}
	if i = s.space(i + 1); s.at(i) == ']' {
		return i + 1, nil
	}
	for {
		to, err := s.value(i, depth+1)
		if err != nil {
			return to, err
		}
		if visit != nil {
			if err := visit(i, to); err != nil {
				return to, err
			}
		}
		i = s.space(to)
		switch s.at(i) {
		case ',':
			i = s.space(i + 1)
		case ']':
			return i + 1, nil
		default:
			return i, s.fail(i, "neither a comma nor the end after an element")
		}
	}
}

// str returns the end of the string that starts at i. The bulk of an engine call is hex digits, so
// the inner loop takes words and stops only where one holds a byte of interest.
func (s scanner) str(i int) (int, error) {
	data := s.data
	for i++; ; {
		for i+32 <= len(data) {
			at := data[i : i+32 : i+32]
			a, b := binary.LittleEndian.Uint64(at), binary.LittleEndian.Uint64(at[8:])
			c, d := binary.LittleEndian.Uint64(at[16:]), binary.LittleEndian.Uint64(at[24:])
			if special(a)|special(b)|special(c)|special(d) != 0 {
				break
			}
			i += 32
		}
		for i+8 <= len(data) {
			word := binary.LittleEndian.Uint64(data[i:])
			if found := special(word); found != 0 {
				i += bits.TrailingZeros64(found) / 8
				break
			}
			i += 8
		}
		if i >= len(data) {
			return i, s.fail(i, "")
		}
		switch c := data[i]; {
		case c == '"':
			return i + 1, nil
		case c == '\\':
			n, err := s.escape(i)
			if err != nil {
				return i, err
			}
			i = n
		case c < ' ':
			return i, s.fail(i, "control character in a string")
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && n <= 1 {
				return i, s.fail(i, "not UTF-8")
			}
			i += n
		}
	}
}

// special marks the high bit of the bytes of word that end or complicate a string: quotes,
// backslashes, control characters and whatever is not ASCII. Only the lowest mark is exact.
func special(word uint64) uint64 {
	quote, escape := word^quotes, word^backslash
	return ((quote-ones)&^quote | (escape-ones)&^escape | (word-spaces)&^word | word) & highs
}

// escape returns the end of the escape sequence at i.
func (s scanner) escape(i int) (int, error) {
	switch s.at(i + 1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, nil
	case 'u':
		for k := i + 2; k < i+6; k++ {
			if c := s.at(k); !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return k, s.fail(k, "no hex digit in an escape")
			}
		}
		return i + 6, nil
	default:
		return i, s.fail(i+1, "unknown escape")
	}
}

func (s scanner) literal(i int, word string) (int, error) {
	for k := range len(word) {
		if s.at(i+k) != word[k] {
			return i, s.fail(i+k, "unknown literal")
		}
	}
	return i + len(word), nil
}

// number returns the end of the number at i.
func (s scanner) number(i int) (int, error) {
	if s.at(i) == '-' {
		i++
	}
	if s.at(i) == '0' {
		i++
	} else if n := s.digits(i); n > i {
		i = n
	} else {
		return i, s.fail(i, "no digit in a number")
	}
	if s.at(i) == '.' {
		n := s.digits(i + 1)
		if n == i+1 {
			return n, s.fail(n, "no digit after the point")
		}
		i = n
	}
	if c := s.at(i); c == 'e' || c == 'E' {
		i++
		if c := s.at(i); c == '+' || c == '-' {
			i++
		}
		n := s.digits(i)
		if n == i {
			return n, s.fail(n, "no digit in the exponent")
		}
		i = n
	}
	return i, nil
}

func (s scanner) digits(i int) int {
	for isDigit(s.at(i)) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
