// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonwalk

import (
	"fmt"
	"strings"
)

// Two readers of one document must not understand it differently. RFC 8259 leaves open what a key means that
// occurs twice; encoding/json, which op-node and op-geth read with, lets the last one win, and takes "Method" for
// "method". Who passes a document on to them refuses both for the keys that it reads itself.

// Seen collects which members of an object were met, one bit each.
type Seen uint32

// Mark adds a member, and fails if it was met before.
func (s *Seen) Mark(rules *Rules, bit int, key []byte) error {
	if *s&(1<<bit) != 0 {
		return fmt.Errorf("%w: %q", rules.Duplicate, key)
	}
	*s |= 1 << bit
	return nil
}

// Require fails with the first of the names, in the order of their bits, that was not met.
func (s Seen) Require(rules *Rules, names ...string) error {
	for bit, name := range names {
		if s&(1<<bit) == 0 {
			return fmt.Errorf("%w: %s", rules.Missing, name)
		}
	}
	return nil
}

// InField says in which member of an object an error occurred.
func InField(key []byte, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", key, err)
}

// Match looks a key up among the names that have a meaning. It returns -1 if the key is none of them; folded is true if
// encoding/json would take it for that name although it is written in another case.
func Match(names []string, key []byte) (i int, folded bool) {
	for i, name := range names {
		if string(key) == name {
			return i, false
		}
	}
	for i, name := range names {
		if strings.EqualFold(string(key), name) {
			return i, true
		}
	}
	return -1, false
}
