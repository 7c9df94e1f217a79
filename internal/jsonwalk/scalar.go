// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonwalk

// Number reads a number and returns its text.
func (w *Walker) Number() ([]byte, error) {
	c := w.Peek()
	if c != '-' && !isDigit(c) {
		return nil, w.fail(w.pos, "no value starts here")
	}
	i, start := w.pos, w.pos
	if c == '-' {
		i++
	}
	if w.at(i) == '0' {
		i++
	} else if n := w.digits(i); n > i {
		i = n
	} else {
		return nil, w.fail(i, "no digit in a number")
	}
	if w.at(i) == '.' {
		n := w.digits(i + 1)
		if n == i+1 {
			return nil, w.fail(n, "no digit after the point")
		}
		i = n
	}
	if c := w.at(i); c == 'e' || c == 'E' {
		i++
		if c := w.at(i); c == '+' || c == '-' {
			i++
		}
		n := w.digits(i)
		if n == i {
			return nil, w.fail(n, "no digit in the exponent")
		}
		i = n
	}
	w.pos = i
	return w.Since(start), nil
}

func (w *Walker) digits(i int) int {
	for isDigit(w.at(i)) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// literal reads over a word.
func (w *Walker) literal(word string) error {
	for k := range len(word) {
		if w.at(w.pos+k) != word[k] {
			return w.fail(w.pos+k, "unknown literal")
		}
	}
	w.pos += len(word)
	return nil
}
