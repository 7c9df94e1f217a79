// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonrpc

import (
	"bytes"
	"encoding/json"
	"strings"
)

// fields are the members of an object that have a meaning.
type fields []struct {
	name  string
	value *json.RawMessage // Where to put it, nil to only watch for doubles
	seen  bool
}

// take files one member and says what is wrong with its key. Two readers of one document must not
// understand it differently, and the one behind us may be encoding/json: it lets the last of two equal
// keys win and takes "Method" for "method". Both are refused.
func (f fields) take(key []byte, value json.RawMessage) (wrong string) {
	for i := range f {
		if string(key[1:len(key)-1]) == f[i].name {
			return f.put(i, value)
		}
	}
	name := unquote(key)
	for i := range f {
		if f[i].name == name {
			return f.put(i, value) // Its spelling had escapes
		}
		if strings.EqualFold(f[i].name, name) {
			return "a key that differs from " + f[i].name + " in case only"
		}
	}
	return ""
}

func (f fields) put(i int, value json.RawMessage) (wrong string) {
	if f[i].seen {
		return "the key " + f[i].name + " occurs twice"
	}
	f[i].seen = true
	if f[i].value != nil {
		*f[i].value = value
	}
	return ""
}

// unquote returns the content of a scanned JSON string.
func unquote(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var out string
	if err := json.Unmarshal(quoted, &out); err != nil {
		return "" // Cannot be: the scanner has checked it
	}
	return out
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
