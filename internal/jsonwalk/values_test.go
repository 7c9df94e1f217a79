// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonwalk

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBreaches says what is wrong, and where, of each thing that can be wrong.
func TestBreaches(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]SyntaxError{
		``:                   {At: 0, What: "unexpected end"},
		" \n":                {At: 2, What: "unexpected end"},
		`hello`:              {At: 0, What: "no value starts here"},
		"\ufeff{}":           {At: 0, What: "no value starts here"},
		`[1,]`:               {At: 3, What: "no value starts here"},
		`[1,2`:               {At: 4, What: "unexpected end"},
		`{"a":1`:             {At: 6, What: "unexpected end"},
		`{"a`:                {At: 3, What: "unexpected end"},
		`"\u00`:              {At: 5, What: "unexpected end"},
		`{} x`:               {At: 3, What: "something follows the value"},
		`{"a":1,}`:           {At: 7, What: "a key must be a string"},
		`{"a" 1}`:            {At: 5, What: "no colon after a key"},
		`{"a":1 "b":2}`:      {At: 7, What: "neither a comma nor the end after a member"},
		"{\"a\":1\x00}":      {At: 6, What: "neither a comma nor the end after a member"},
		`{"a":01}`:           {At: 6, What: "neither a comma nor the end after a member"},
		`[1 2]`:              {At: 3, What: "neither a comma nor the end after an element"},
		`[-]`:                {At: 2, What: "no digit in a number"},
		`[1.]`:               {At: 3, What: "no digit after the point"},
		`[1e]`:               {At: 3, What: "no digit in the exponent"},
		`[nul1]`:             {At: 4, What: "unknown literal"},
		`"\x"`:               {At: 2, What: "unknown escape"},
		`"\u00g0"`:           {At: 5, What: "no hex digit in an escape"},
		"\"a\nb\"":           {At: 2, What: "control character in a string"},
		"\"1234567\xff\"":    {At: 8, What: "not UTF-8"},
		`[` + deep(64) + `]`: {At: 64, What: "nested too deep"},
	} {
		err := skip([]byte(text), strict)
		var got *SyntaxError
		require.ErrorAs(t, err, &got, "%q", text)
		want.malformed = errMalformed
		require.Equal(t, &want, got, "%q", text)
		require.ErrorIs(t, err, errMalformed)
	}
	require.Equal(t, "malformed: unexpected end at byte 0", skip(nil, strict).Error())
}

func deep(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// A value of another kind than was asked for is malformed, and the walker stays before it.
func TestKinds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		read  func(w *Walker) error
		takes string
	}{
		"object":   {func(w *Walker) error { return w.Object(nil) }, `{}`},
		"array":    {func(w *Walker) error { return w.Array(nil) }, `[]`},
		"string":   {func(w *Walker) error { _, err := w.String(); return err }, `"x"`},
		"number":   {func(w *Walker) error { _, err := w.Number(); return err }, `7`},
		"boolean":  {func(w *Walker) error { _, err := w.Bool(); return err }, `true`},
		"quantity": {func(w *Walker) error { _, err := w.Quantity(); return err }, `7`},
		"bytes":    {func(w *Walker) error { _, err := w.Bytes(); return err }, `"0x"`},
		"fixed":    {func(w *Walker) error { return w.Fixed(nil) }, `"0x"`},
	} {
		for _, text := range []string{`{}`, `[]`, `"x"`, `"0x"`, `7`, `true`, `null`, ``} {
			for _, rules := range []*Rules{strict, walked} {
				w := New([]byte(" "+text), rules)
				err := tc.read(&w)
				switch {
				case text == tc.takes:
					require.NoError(t, err, "%s of %s", name, text)
					require.NoError(t, w.End())
				case errors.Is(err, errInvalid) || text == `"0x"` && tc.takes == `"x"`:
					require.Equal(t, byte('"'), text[0], "%s of %s: a string of another form", name, text)
				default:
					require.ErrorIs(t, err, errMalformed, "%s of %s", name, text)
					require.Equal(t, 1, w.Pos())
				}
			}
		}
	}
	w := New([]byte(`nul`), strict)
	require.False(t, w.Null())
	require.Zero(t, w.Pos())
}

func TestValues(t *testing.T) {
	t.Parallel()
	quantity := func(w *Walker) (any, error) { v, err := w.Quantity(); return v, err }
	quantity256 := func(w *Walker) (any, error) {
		word, err := w.Quantity256()
		return strings.TrimLeft(string(word[:]), "\x00"), err
	}
	content := func(w *Walker) (any, error) { return w.Bytes() }
	fixed := func(w *Walker) (any, error) { var b [2]byte; err := w.Fixed(b[:]); return b, err }
	for _, tc := range []struct {
		read func(w *Walker) (any, error)
		text string
		want any // nil if the value is not of the form
	}{
		{quantity, `"0x0"`, uint64(0)},
		{quantity, `"0X00fF"`, uint64(255)},
		{quantity, `"\u0030x10"`, uint64(16)},
		{quantity, `18446744073709551615`, uint64(1<<64 - 1)},
		{quantity, `"0xffffffffffffffff"`, uint64(1<<64 - 1)},
		{quantity, `0`, uint64(0)},
		{quantity, `"0x10000000000000000"`, nil},
		{quantity, `18446744073709551616`, nil},
		{quantity, `"0x"`, nil},
		{quantity, `""`, nil},
		{quantity, `"10"`, nil},
		{quantity, `"0x-1"`, nil},
		{quantity, `"0x+1"`, nil},
		{quantity, `"0x1_0"`, nil},
		{quantity, `"0xg"`, nil},
		{quantity, `-1`, nil},
		{quantity, `0.5`, nil},
		{quantity, `1e3`, nil},
		{quantity256, `"0x01"`, "\x01"},
		{quantity256, `258`, "\x01\x02"},
		{quantity256, `"0x` + strings.Repeat("ab", 32) + `"`, strings.Repeat("\xab", 32)},
		{quantity256, `"0x0` + strings.Repeat("ab", 32) + `"`, nil},
		{quantity256, `"0x"`, nil},
		{quantity256, `"0x-1"`, nil},
		{quantity256, `"0xg1"`, nil},
		{quantity256, `-1`, nil},
		{content, `"0x"`, []byte{}},
		{content, `"0xABcd"`, []byte{0xab, 0xcd}},
		{content, `"0\u0078ab"`, []byte{0xab}},
		{content, `"0xabc"`, nil},
		{content, `"abcd"`, nil},
		{content, `"0xgg"`, nil},
		{fixed, `"0xABcd"`, [2]byte{0xab, 0xcd}},
		{fixed, `"0xab"`, nil},
		{fixed, `"0xabcdef"`, nil},
		{fixed, `"0xabcg"`, nil},
		{fixed, `"abcdef"`, nil},
	} {
		for _, rules := range []*Rules{strict, walked} {
			w := New([]byte(tc.text+" "), rules)
			got, err := tc.read(&w)
			if tc.want == nil {
				require.ErrorIs(t, err, errInvalid, tc.text)
				continue
			}
			require.NoError(t, err, tc.text)
			require.Equal(t, tc.want, got, tc.text)
			require.Equal(t, tc.text, string(w.Since(0)))
		}
	}
}

// What a stranger wrote is repeated in an error to a bounded length.
func TestErrorsAreShort(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`"0x` + strings.Repeat("f", 1<<20) + `"`, strings.Repeat("9", 1<<20), `"` + strings.Repeat("9", 1<<20)} {
		w := New([]byte(text), strict)
		_, err := w.Quantity()
		require.Error(t, err)
		require.Less(t, len(err.Error()), 200)
	}
}

func TestSeen(t *testing.T) {
	t.Parallel()
	var seen Seen
	require.NoError(t, seen.Mark(strict, 0, []byte("a")))
	require.NoError(t, seen.Mark(strict, 31, []byte("z")))
	err := seen.Mark(strict, 31, []byte("z"))
	require.ErrorIs(t, err, errDuplicate)
	require.ErrorContains(t, err, `"z"`)
	require.NoError(t, seen.Require(strict, "a"))
	err = seen.Require(strict, "a", "b", "c")
	require.ErrorIs(t, err, errMissing)
	require.ErrorContains(t, err, "b")
	require.NoError(t, InField([]byte("x"), nil))
	require.EqualError(t, InField([]byte("x"), errMissing), "x: missing")
}

// TestMatch compares with what encoding/json takes for a key.
func TestMatch(t *testing.T) {
	t.Parallel()
	names := []string{"method", "params", "blockHash"}
	for key, want := range map[string]int{
		"method": 0, "params": 1, "blockHash": 2, "Method": 0, "METHOD": 0, "blockhash": 2, "bloc\u212aHash": 2, "param\u017f": 1,
		"": -1, "metho": -1, "methods": -1, "m\u00e9thod": -1, "block_hash": -1, "method ": -1,
	} {
		i, folded := Match(names, []byte(key))
		require.Equal(t, want, i, key)
		require.Equal(t, want >= 0 && names[max(want, 0)] != key, folded, key)

		var doc struct {
			Method    int `json:"method"`
			Params    int `json:"params"`
			BlockHash int `json:"blockHash"`
		}
		text, err := json.Marshal(map[string]int{key: 1})
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &doc))
		require.Equal(t, [3]bool{want == 0, want == 1, want == 2}, [3]bool{doc.Method == 1, doc.Params == 1, doc.BlockHash == 1}, key)
	}
}
