// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// maxDepth bounds the nesting of a message, so that a hostile one cannot exhaust the stack. The
// deepest known dialect (access list) nests eight levels.
const maxDepth = 64

// scanner reads JSON strictly and in one pass, without building a tree: a flashblock is mostly long
// hex strings, which encoding/json would scan three times. Its methods leave pos behind what they read.
type scanner struct {
	data  []byte
	pos   int
	depth int
}

func (s *scanner) fail(what string) error {
	return fmt.Errorf("%w: %s at byte %d", ErrMalformed, what, s.pos)
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the next byte that is not white space, and 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.pos == len(s.data) {
		return 0
	}
	return s.data[s.pos]
}

func (s *scanner) expect(c byte) error {
	if s.peek() != c {
		return s.fail("expected " + string(c))
	}
	s.pos++
	return nil
}

// end fails unless nothing but white space is left.
func (s *scanner) end() error {
	s.space()
	if s.pos != len(s.data) {
		return s.fail("trailing data")
	}
	return nil
}

// null consumes a null literal if it is next.
func (s *scanner) null() bool {
	return s.peek() == 'n' && s.literal("null")
}

func (s *scanner) literal(word string) bool {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return false
	}
	s.pos += len(word)
	return true
}

// str reads a string. The result shares memory with the message unless the string has escapes.
func (s *scanner) str() ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.fail("expected a string")
	}
	start := s.pos
	escaped := false
	for i := start + 1; i < len(s.data); i++ {
		i += ordinary(s.data[i:])
		if i == len(s.data) {
			break
		}
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			if escaped {
				return s.unescape(start)
			}
			return s.data[start+1 : i], nil
		case c == '\\':
			escaped = true
			i++
		case c < 0x20:
			s.pos = i
			return nil, s.fail("control character in a string")
		}
	}
	s.pos = len(s.data)
	return nil, s.fail("unterminated string")
}

// ordinary returns how many bytes, in steps of eight, certainly neither end a string nor need a closer
// look. It tests eight bytes per step with the usual has-zero-byte trick, since nearly all of a
// flashblock is hex inside strings.
func ordinary(data []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(data)-n >= 8; n += 8 {
		word := binary.LittleEndian.Uint64(data[n:])
		quote, slash := word^('"'*ones), word^('\\'*ones)
		special := (quote-ones)&^quote | (slash-ones)&^slash | (word-0x20*ones)&^word
		if special&highs != 0 {
			break
		}
	}
	return n
}

func (s *scanner) unescape(start int) ([]byte, error) {
	var text string
	if err := json.Unmarshal(s.data[start:s.pos], &text); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return []byte(text), nil
}

// number reads a JSON number and returns its text.
func (s *scanner) number() ([]byte, error) {
	s.space()
	start, i := s.pos, s.pos
	digits := func() bool {
		from := i
		for i < len(s.data) && s.data[i] >= '0' && s.data[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(s.data) && s.data[i] == '-' {
		i++
	}
	zero := i < len(s.data) && s.data[i] == '0'
	from := i
	ok := digits() && (!zero || i == from+1)
	if ok && i < len(s.data) && s.data[i] == '.' {
		i++
		ok = digits()
	}
	if ok && i < len(s.data) && (s.data[i] == 'e' || s.data[i] == 'E') {
		i++
		if i < len(s.data) && (s.data[i] == '+' || s.data[i] == '-') {
			i++
		}
		ok = digits()
	}
	if !ok {
		return nil, s.fail("bad number")
	}
	s.pos = i
	return s.data[start:i], nil
}

// object reads an object and calls field for every key; field must consume the value.
func (s *scanner) object(field func(key []byte) error) error {
	if err := s.open('{'); err != nil {
		return err
	}
	defer func() { s.depth-- }()
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	for {
		key, err := s.str()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := field(key); err != nil {
			return err
		}
		if done, err := s.next('}'); done || err != nil {
			return err
		}
	}
}

// array reads an array and calls item for every element; item must consume the value.
func (s *scanner) array(item func() error) error {
	if err := s.open('['); err != nil {
		return err
	}
	defer func() { s.depth-- }()
	if s.peek() == ']' {
		s.pos++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if done, err := s.next(']'); done || err != nil {
			return err
		}
	}
}

func (s *scanner) open(c byte) error {
	if err := s.expect(c); err != nil {
		return err
	}
	if s.depth == maxDepth {
		return s.fail("nested too deeply")
	}
	s.depth++
	return nil
}

// next consumes a comma or the closing bracket, and reports the latter.
func (s *scanner) next(closing byte) (bool, error) {
	switch s.peek() {
	case ',':
		s.pos++
		return false, nil
	case closing:
		s.pos++
		return true, nil
	default:
		return false, s.fail("expected , or " + string(closing))
	}
}

// skip reads over one value of any kind, as strictly as the other methods.
func (s *scanner) skip() error {
	switch c := s.peek(); c {
	case '{':
		return s.object(func([]byte) error { return s.skip() })
	case '[':
		return s.array(s.skip)
	case '"':
		_, err := s.str()
		return err
	case 't', 'f', 'n':
		if s.literal("true") || s.literal("false") || s.literal("null") {
			return nil
		}
		return s.fail("unknown literal")
	default:
		_, err := s.number()
		return err
	}
}

// raw reads over one value and returns its bytes, which share memory with the message.
func (s *scanner) raw() ([]byte, error) {
	s.space()
	start := s.pos
	if err := s.skip(); err != nil {
		return nil, err
	}
	return s.data[start:s.pos], nil
}
