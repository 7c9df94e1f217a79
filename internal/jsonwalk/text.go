// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonwalk

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// Bytes repeated over a word, for looking at eight bytes at a time.
const (
	ones      = 0x0101010101010101
	highs     = 0x80 * ones
	spaces    = ' ' * ones
	quotes    = '"' * ones
	backslash = '\\' * ones
)

// String reads a string and returns its content. It shares memory with the text, unless there are escapes.
func (w *Walker) String() ([]byte, error) {
	if w.Peek() != '"' {
		return nil, w.fail(w.pos, "expected a string")
	}
	start := w.pos
	escaped, err := w.quoted()
	if err != nil {
		return nil, err
	}
	if escaped {
		return w.unescape(w.data[start:w.pos])
	}
	return w.data[start+1 : w.pos-1 : w.pos-1], nil
}

// Unquote returns the content of a string that a walker has read over, and which is given with its quotes.
func Unquote(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var out string
	if err := json.Unmarshal(quoted, &out); err != nil {
		return "" // cannot be: the walker has checked it
	}
	return out
}

func (w *Walker) unescape(quoted []byte) ([]byte, error) {
	var out string
	if err := json.Unmarshal(quoted, &out); err != nil {
		return nil, fmt.Errorf("%w: %w", w.rules.Malformed, err) // a text that was not walked before after all
	}
	return []byte(out), nil
}

// quoted reads over the string that begins at the walker, and tells whether there are escapes in it. Most of what is
// read here are hex digits, so it takes words of them, and stops only where one holds a byte of interest.
func (w *Walker) quoted() (escaped bool, err error) {
	if w.rules.Walked {
		return w.walked()
	}
	data, i := w.data, w.pos+1
	for {
		i = plain(data, i)
		if i >= len(data) {
			return false, w.fail(i, "")
		}
		switch c := data[i]; {
		case c == '"':
			w.pos = i + 1
			return escaped, nil
		case c == '\\':
			escaped = true
			if i, err = w.escape(i); err != nil {
				return false, err
			}
		case c < ' ':
			return false, w.fail(i, "control character in a string")
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && n <= 1 {
				return false, w.fail(i, "not UTF-8")
			}
			i += n
		}
	}
}

// plain returns the first place from i on where a string may end or become complicated. Only within the last bytes of the
// text it returns a place before.
func plain(data []byte, i int) int {
	for i+8 <= len(data) {
		if found := special(binary.LittleEndian.Uint64(data[i:])); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
		i += 8
		// A string that is longer than a word is often much longer.
		for i+32 <= len(data) {
			at := data[i : i+32 : i+32]
			a, b := binary.LittleEndian.Uint64(at), binary.LittleEndian.Uint64(at[8:])
			c, d := binary.LittleEndian.Uint64(at[16:]), binary.LittleEndian.Uint64(at[24:])
			if special(a)|special(b)|special(c)|special(d) != 0 {
				break
			}
			i += 32
		}
	}
	return i
}

// special marks the high bit of the bytes of word that end or complicate a string: quotes, backslashes, control
// characters and whatever is not ASCII. Only the lowest mark is exact.
func special(word uint64) uint64 {
	quote, escape := word^quotes, word^backslash
	return ((quote-ones)&^quote | (escape-ones)&^escape | (word-spaces)&^word | word) & highs
}

// escape returns the place behind the escape at i.
func (w *Walker) escape(i int) (int, error) {
	switch w.at(i + 1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, nil
	case 'u':
		for k := i + 2; k < i+6; k++ {
			if c := w.at(k); !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return k, w.fail(k, "no hex digit in an escape")
			}
		}
		return i + 6, nil
	default:
		return i, w.fail(i+1, "unknown escape")
	}
}

// walked is quoted for a text that has been checked.
func (w *Walker) walked() (escaped bool, err error) {
	for i := w.pos + 1; i < len(w.data); {
		quote := bytes.IndexByte(w.data[i:], '"')
		if quote < 0 {
			break
		}
		slash := bytes.IndexByte(w.data[i:i+quote], '\\')
		if slash < 0 {
			w.pos = i + quote + 1
			return escaped, nil
		}
		escaped = true
		i += slash + 2 // the escaped character may be the quote
	}
	return false, w.fail(len(w.data), "")
}
