// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonwalk

import "fmt"

// SyntaxError says where a text is not JSON, or not of the kind that was asked for.
type SyntaxError struct {
	At   int    // byte of the text, its length if the text ends too early
	What string // what is wrong there

	malformed error
}

// Error implements error.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%v: %s at byte %d", e.malformed, e.What, e.At)
}

// Unwrap returns what the consumer's rules call malformed.
func (e *SyntaxError) Unwrap() error { return e.malformed }

func (w *Walker) fail(at int, what string) error {
	if at >= len(w.data) {
		at, what = len(w.data), "unexpected end"
	}
	return &SyntaxError{At: at, What: what, malformed: w.rules.Malformed}
}

func (w *Walker) invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", w.rules.Invalid, fmt.Sprintf(format, args...))
}
