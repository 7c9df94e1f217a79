// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package jsonwalk reads JSON in one pass and without a tree: what it hands out are slices of the text that came
// in, so whatever is passed on is passed on unchanged, fields of future forks included. It is the boundary to
// what strangers send. Its grammar is that of RFC 8259, and it accepts what encoding/json accepts, with two
// differences: text that is not UTF-8 is refused where encoding/json would replace it, and nesting is bounded by
// the consumer. A lone surrogate in an escape is grammatical, and becomes U+FFFD as in encoding/json. Numbers are
// of any size, since their text is handed out. What twice the same key means is the consumer's matter, for which
// Seen and Match are there.
package jsonwalk

// Rules are what a consumer decides once for all its texts.
type Rules struct {
	// MaxDepth bounds the nesting, and with it the stack.
	MaxDepth int

	// What errors wrap.
	Malformed error // the text is not JSON, or a value of another kind than was asked for
	Invalid   error // a string or a number is not of the form that was asked for
	Duplicate error // a member that has a meaning occurs twice
	Missing   error // a member is missing

	// Walked tells that the whole text has been walked over before, so that strings, which are nearly all of it,
	// are jumped over. On a text that nobody has checked, a walker with it neither panics nor reads out of bounds,
	// but may take for JSON what is none.
	Walked bool
}

// Walker is a place in a text. Its methods leave it behind what they read. A copy of it is a place to return to, and the
// only way on after an error.
type Walker struct {
	data  []byte
	pos   int
	depth int
	rules *Rules
}

// New returns a walker at the beginning of a text, which it never writes to.
func New(data []byte, rules *Rules) Walker {
	return Walker{data: data, rules: rules}
}

// Pos is the number of bytes behind the walker.
func (w *Walker) Pos() int { return w.pos }

// Since returns the text from a place on up to the walker. It shares memory with the text, and appending to it
// does not write there.
func (w *Walker) Since(pos int) []byte { return w.data[pos:w.pos:w.pos] }

// Peek goes to the next byte that is not white space and returns it, 0 at the end of the text.
func (w *Walker) Peek() byte {
	for w.pos < len(w.data) {
		switch c := w.data[w.pos]; c {
		case ' ', '\t', '\n', '\r':
			w.pos++
		default:
			return c
		}
	}
	return 0
}

// at returns the byte at a place, 0 behind the end: a byte that no rule of the grammar accepts.
func (w *Walker) at(pos int) byte {
	if pos < len(w.data) {
		return w.data[pos]
	}
	return 0
}

// End fails unless nothing but white space is left.
func (w *Walker) End() error {
	w.Peek()
	if w.pos < len(w.data) {
		return w.fail(w.pos, "something follows the value")
	}
	return nil
}

// Null reads over null, if that is what comes.
func (w *Walker) Null() bool {
	return w.Peek() == 'n' && w.literal("null") == nil
}

// Raw reads over a value and returns its text as it came.
func (w *Walker) Raw() ([]byte, error) {
	w.Peek()
	start := w.pos
	if err := w.Skip(); err != nil {
		return nil, err
	}
	return w.Since(start), nil
}

// Skip reads over a value of any kind, and checks it as strictly as the other methods.
func (w *Walker) Skip() error {
	switch c := w.Peek(); c {
	case '"':
		_, err := w.quoted()
		return err
	case '{':
		return w.Object(nil)
	case '[':
		return w.Array(nil)
	case 't':
		return w.literal("true")
	case 'f':
		return w.literal("false")
	case 'n':
		return w.literal("null")
	default:
		_, err := w.Number()
		return err
	}
}

// Object reads an object and calls field for every key, which is without quotes and escapes. field must read the
// value. Without field all is skipped.
func (w *Walker) Object(field func(key []byte) error) error {
	if w.Peek() != '{' {
		return w.fail(w.pos, "expected an object")
	}
	if err := w.enter(); err != nil {
		return err
	}
	if w.Peek() == '}' {
		w.leave()
		return nil
	}
	for {
		if err := w.member(field); err != nil {
			return err
		}
		switch w.Peek() {
		case ',':
			w.pos++
		case '}':
			w.leave()
			return nil
		default:
			return w.fail(w.pos, "neither a comma nor the end after a member")
		}
	}
}

func (w *Walker) member(field func(key []byte) error) error {
	if w.Peek() != '"' {
		return w.fail(w.pos, "a key must be a string")
	}
	start := w.pos
	escaped, err := w.quoted()
	if err != nil {
		return err
	}
	end := w.pos
	if w.Peek() != ':' {
		return w.fail(w.pos, "no colon after a key")
	}
	w.pos++
	if field == nil {
		return w.Skip()
	}
	key := w.data[start+1 : end-1 : end-1]
	if escaped {
		if key, err = w.unescape(w.data[start:end]); err != nil {
			return err
		}
	}
	return field(key)
}

// Array reads an array and calls item for every element, which item must read. Without item all is skipped.
func (w *Walker) Array(item func() error) error {
	if w.Peek() != '[' {
		return w.fail(w.pos, "expected an array")
	}
	if err := w.enter(); err != nil {
		return err
	}
	if item == nil {
		item = w.Skip
	}
	if w.Peek() == ']' {
		w.leave()
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		switch w.Peek() {
		case ',':
			w.pos++
		case ']':
			w.leave()
			return nil
		default:
			return w.fail(w.pos, "neither a comma nor the end after an element")
		}
	}
}

// enter reads an opening bracket, leave a closing one.
func (w *Walker) enter() error {
	if w.depth >= w.rules.MaxDepth {
		return w.fail(w.pos, "nested too deep")
	}
	w.depth++
	w.pos++
	return nil
}

func (w *Walker) leave() {
	w.depth--
	w.pos++
}
