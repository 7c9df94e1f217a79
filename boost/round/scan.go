// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// A flashblock has been checked by the subscriber, and a request by the RPC server, before they get here.
// What follows therefore only cuts known-good JSON into values. It never fails on good JSON, and on bad
// JSON it neither panics nor reads out of bounds, but may not notice. It does not recurse, and jumps over
// strings with IndexByte, as nearly everything is long hex strings.

// skipSpace returns the first position from i on that is not white space.
func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\t' || data[i] == '\n' || data[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the position behind the string that begins at i.
func skipString(data []byte, i int) (int, error) {
	for at := i + 1; at < len(data); {
		quote := bytes.IndexByte(data[at:], '"')
		if quote < 0 {
			break
		}
		slash := bytes.IndexByte(data[at:at+quote], '\\')
		if slash < 0 {
			return at + quote + 1, nil
		}
		at += slash + 2 // the escaped character may be the quote
	}
	return 0, fmt.Errorf("%w: unterminated string", ErrMalformed)
}

// skipValue returns the position behind the value that begins at i.
func skipValue(data []byte, i int) (int, error) {
	depth := 0
	for i < len(data) {
		switch data[i] {
		case '"':
			end, err := skipString(data, i)
			if err != nil || depth == 0 {
				return end, err
			}
			i = end
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1, nil
			}
			if depth < 0 {
				return 0, fmt.Errorf("%w: unexpected bracket", ErrMalformed)
			}
		default:
			if depth == 0 {
				return skipScalar(data, i)
			}
		}
		i++
	}
	return 0, fmt.Errorf("%w: unexpected end", ErrMalformed)
}

// skipScalar returns the position behind the number or literal that begins at i.
func skipScalar(data []byte, i int) (int, error) {
	start := i
	for i < len(data) {
		switch data[i] {
		case ',', '}', ']', ':', '"', '{', '[', ' ', '\t', '\n', '\r':
			if i == start {
				return 0, fmt.Errorf("%w: expected a value", ErrMalformed)
			}
			return i, nil
		}
		i++
	}
	return i, nil
}

// eachItem calls item for every element of an array, in order.
func eachItem(data []byte, item func(value []byte) error) error {
	_, err := items(data, skipSpace(data, 0), item)
	return err
}

// items is eachItem for the array that begins at i; it returns the position behind.
func items(data []byte, i int, item func(value []byte) error) (int, error) {
	return each(data, i, '[', ']', func(i int) (int, error) {
		end, err := skipValue(data, i)
		if err != nil {
			return 0, err
		}
		return end, item(data[i:end:end])
	})
}

// eachMember calls member for every member of an object, in order; the key is without quotes and escapes.
func eachMember(data []byte, member func(key, value []byte) error) error {
	_, err := members(data, skipSpace(data, 0), func(key []byte, i int) (int, error) {
		end, err := skipValue(data, i)
		if err != nil {
			return 0, err
		}
		return end, member(key, data[i:end:end])
	})
	return err
}

// members calls member for every member of the object that begins at i, and returns the position behind.
// member gets the position of the value and returns the one behind it, so that a large value is walked
// over once.
func members(data []byte, i int, member func(key []byte, i int) (int, error)) (int, error) {
	return each(data, i, '{', '}', func(i int) (int, error) {
		if data[i] != '"' {
			return 0, fmt.Errorf("%w: expected a key", ErrMalformed)
		}
		end, err := skipString(data, i)
		if err != nil {
			return 0, err
		}
		key, err := text(data[i:end])
		if err != nil {
			return 0, err
		}
		i = skipSpace(data, end)
		if i >= len(data) || data[i] != ':' {
			return 0, fmt.Errorf("%w: expected a colon", ErrMalformed)
		}
		return member(key, skipSpace(data, i+1))
	})
}

// each walks over the parts of the array or object that begins at i. part returns the position behind the
// one it gets; so does each.
func each(data []byte, i int, opening, closing byte, part func(i int) (int, error)) (int, error) {
	if i >= len(data) || data[i] != opening {
		return 0, fmt.Errorf("%w: expected %c", ErrMalformed, opening)
	}
	i = skipSpace(data, i+1)
	if i < len(data) && data[i] == closing {
		return i + 1, nil
	}
	for i < len(data) {
		end, err := part(i)
		if err != nil {
			return 0, err
		}
		i = skipSpace(data, end)
		if i >= len(data) {
			break
		}
		switch data[i] {
		case closing:
			return i + 1, nil
		case ',':
			i = skipSpace(data, i+1)
		default:
			return 0, fmt.Errorf("%w: expected a comma", ErrMalformed)
		}
	}
	return 0, fmt.Errorf("%w: unexpected end", ErrMalformed)
}

// text returns the contents of a string with its quotes, sharing memory unless there are escapes.
func text(value []byte) ([]byte, error) {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return nil, fmt.Errorf("%w: expected a string", ErrMalformed)
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1], nil
	}
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return []byte(s), nil
}

// isNull reports whether a value is null.
func isNull(value []byte) bool { return string(value) == "null" }
