// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonrpc

import (
	"encoding/json"

	"github.com/ethereum/go-ethereum/flashgeth/internal/jsonwalk"
)

// rules are those of every body. No RPC of an execution client nests a tenth as deep; encoding/json on the other side
// admits 10,000.
var rules = &jsonwalk.Rules{MaxDepth: 512, Malformed: errSyntax}

// maxFields is as many members with a meaning as an object of JSON-RPC has.
const maxFields = 4

// fields are the members of an object that have a meaning.
type fields struct {
	names  []string                   // at most maxFields
	values [maxFields]json.RawMessage // of each name, nil if it was not met
	at     [maxFields]int             // where it lies
}

// read reads an object and says what is wrong with the first key that cannot be taken. The error is one of syntax.
func (f *fields) read(w *jsonwalk.Walker) (wrong string, err error) {
	err = w.Object(func(key []byte) error {
		value, err := w.Raw()
		if err != nil {
			return err
		}
		if what := f.take(key, value, w.Pos()-len(value)); wrong == "" {
			wrong = what
		}
		return nil
	})
	return wrong, err
}

// take files one member and says what is wrong with its key: nothing may be understood differently by those whom it
// is passed on to.
func (f *fields) take(key []byte, value json.RawMessage, at int) (wrong string) {
	switch i, folded := jsonwalk.Match(f.names, key); {
	case i < 0:
		return ""
	case folded:
		return "a key that differs from " + f.names[i] + " in case only"
	case f.values[i] != nil:
		return "the key " + f.names[i] + " occurs twice"
	default:
		f.values[i], f.at[i] = value, at
		return ""
	}
}

// appendString appends a string in quotes.
func appendString(buf []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		return append(buf, `""`...) // Cannot be: every string can be marshalled
	}
	return append(buf, quoted...)
}

func appendSlice(buf []byte, v json.RawMessage) (slice json.RawMessage, grown []byte) {
	from := len(buf)
	buf = append(buf, v...)
	return json.RawMessage(buf[from:len(buf):len(buf)]), buf
}
