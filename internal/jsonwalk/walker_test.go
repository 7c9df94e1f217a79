// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonwalk

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var (
	errMalformed = errors.New("malformed")
	errInvalid   = errors.New("invalid")
	errDuplicate = errors.New("duplicate")
	errMissing   = errors.New("missing")

	strict = &Rules{MaxDepth: 64, Malformed: errMalformed, Invalid: errInvalid, Duplicate: errDuplicate, Missing: errMissing}
	walked = &Rules{MaxDepth: 64, Malformed: errMalformed, Invalid: errInvalid, Walked: true}
)

// event is a part of a document: a bracket as json.Delim, or a key or scalar as json.Decoder's tokens have it.
type event any

// skip reads over a text that must hold one value.
func skip(text []byte, rules *Rules) error {
	w := New(text, rules)
	if err := w.Skip(); err != nil {
		return err
	}
	return w.End()
}

// events reads a text that must hold one value, part by part.
func events(text []byte, rules *Rules) (list []event, err error) {
	w := New(text, rules)
	if err := w.events(&list); err != nil {
		return nil, err
	}
	return list, w.End()
}

func (w *Walker) events(list *[]event) error {
	var part event
	var err error
	switch w.Peek() {
	case '{':
		*list = append(*list, json.Delim('{'))
		err = w.Object(func(key []byte) error {
			*list = append(*list, string(key))
			return w.events(list)
		})
		part = json.Delim('}')
	case '[':
		*list = append(*list, json.Delim('['))
		err = w.Array(func() error { return w.events(list) })
		part = json.Delim(']')
	case '"':
		var text []byte
		text, err = w.String()
		part = string(text)
	case 't', 'f':
		part, err = w.Bool()
	case 'n':
		if !w.Null() {
			err = w.Skip()
		}
	default:
		var text []byte
		text, err = w.Number()
		part = json.Number(text)
	}
	*list = append(*list, part)
	return err
}

// tokens is events by encoding/json, for a text that it takes for valid, and how deep the text nests.
func tokens(tb testing.TB, text []byte) (list []event, deepest int) {
	tb.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	for depth := 0; len(list) == 0 || depth > 0; {
		token, err := decoder.Token()
		require.NoError(tb, err)
		list = append(list, token)
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		deepest = max(deepest, depth)
	}
	return list, deepest
}

// checkText holds whatever is true of any text.
func checkText(tb testing.TB, text []byte) {
	tb.Helper()
	before := bytes.Clone(text)
	_ = skip(text, walked) // may think what it likes, but must come to an end
	err := skip(text, strict)
	got, again := events(text, strict)
	require.Equal(tb, err, again, "skipping and reading judge alike")
	require.Equal(tb, before, text, "the text was written to")
	if err != nil {
		var breach *SyntaxError
		require.ErrorAs(tb, err, &breach)
		require.ErrorIs(tb, err, errMalformed)
		require.LessOrEqual(tb, breach.At, len(text))
		require.Equal(tb, breach.At == len(text), breach.What == "unexpected end")
	}
	if !json.Valid(text) {
		require.Error(tb, err, "encoding/json refuses it: %q", text)
		return
	}
	want, depth := tokens(tb, text)
	switch {
	case err == nil:
		require.True(tb, utf8.Valid(text))
		require.LessOrEqual(tb, depth, strict.MaxDepth)
	case !utf8.Valid(text) && depth > strict.MaxDepth:
		return
	case !utf8.Valid(text):
		require.ErrorContains(tb, err, "not UTF-8")
		return
	default:
		require.ErrorContains(tb, err, "nested too deep", "%q", text)
		require.Greater(tb, depth, strict.MaxDepth)
		return
	}
	require.Equal(tb, want, got)
	trusting, err := events(text, walked)
	require.NoError(tb, err)
	require.Equal(tb, want, trusting)
	checkRaw(tb, text, strict)
	checkRaw(tb, text, walked)
}

// checkRaw compares the texts of the values of an object or array with those that encoding/json cuts.
func checkRaw(tb testing.TB, text []byte, rules *Rules) {
	tb.Helper()
	w := New(text, rules)
	decoder := json.NewDecoder(bytes.NewReader(text))
	value := func() error {
		var want json.RawMessage
		require.NoError(tb, decoder.Decode(&want))
		back := w
		raw, err := w.Raw()
		require.NoError(tb, err)
		require.Equal(tb, []byte(want), raw)
		require.Zero(tb, cap(raw)-len(raw), "appending would write into the text")
		require.Equal(tb, text[w.Pos()-len(raw):w.Pos()], raw)
		if raw[0] == '"' {
			content, err := back.String()
			require.NoError(tb, err)
			require.Equal(tb, string(content), Unquote(raw))
		}
		return nil
	}
	token := func() {
		_, err := decoder.Token()
		require.NoError(tb, err)
	}
	switch w.Peek() {
	case '{':
		token()
		require.NoError(tb, w.Object(func([]byte) error {
			token()
			return value()
		}))
	case '[':
		token()
		require.NoError(tb, w.Array(value))
	default:
		require.NoError(tb, value())
	}
}

// texts are what the walker is tried with, in tests and as a beginning for the fuzzer.
func texts() (list []string) {
	nested := func(opening, inner, closing string, n int) string {
		return strings.Repeat(opening, n) + inner + strings.Repeat(closing, n)
	}
	list = []string{
		// Structure.
		``, ` `, `{}`, `[]`, `{ }`, `[ ]`, `{"a":1}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`,
		`[1,2]`, `[1,]`, `[,1]`, `[1 2]`, `[`, `]`, `{`, `}`, `[}`, `{]`, `{"a":1]`, `[1}`, `{"a":{"b":[{}, [ ] ,null]} }`, `{1:2}`,
		`[1:2]`, `{"a",1}`, `{"a"::1}`, `[[]]]`, `[]{}`, "\ufeff{}", "{}\x00", "\t[\r\n1 ]\n", "\v1", "\u00a01", `{"a":1,,"b":2}`,
		// Numbers.
		`0`, `-0`, `1`, `-1`, `01`, `-01`, `00`, `-`, `--1`, `+1`, `1.`, `.1`, `1.5`, `1e5`, `1E+5`, `1e-5`, `1e`, `1e+`, `1.e5`, `0x1`, `1 2`,
		`1e5.`, `0e`, `0.`, `-0.0e-0`, `1-`, `[0-]`, `1.2.3`, `Infinity`, `NaN`, `-Infinity`, `1_000`, `18446744073709551616`,
		strings.Repeat("9", 400), `1e` + strings.Repeat("9", 400), `0.` + strings.Repeat("0", 400) + `1`, `-` + strings.Repeat("1", 400),
		// Literals.
		`true`, `false`, `null`, `tru`, `nul`, `True`, `truee`, `nan`, `[nulll]`, `[tru]`, `{"a":nul}`, `falsefalse`,
		// Strings.
		`""`, `"`, `"a`, `"\"`, `"\""`, `"\\"`, `"\\\"`, `"\n"`, `"\u00e9"`, `"\u00g0"`, `"\u12"`, `"\u`, `"\x"`, `"\'"`, `"é"`, `'a'`, `"\"\\\/\b\f\n\r\t"`,
		"\"\x7f\"", "\"\x1f\"", "\"\x00\"", `"äöü€😀 longer than a word"`, `"\u0000"`, `"\U00e9"`, `"a\`, `"0123456\`, `"0123456\"`, `"01234567`,
		`"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"`, `"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde`,
		// Surrogates: alone, in the wrong order, followed by something else, and a pair.
		`"\ud800"`, `"\udc00"`, `"\udc00\ud800"`, `"\ud800x"`, `"\ud800\n"`, `"\ud800\u0041"`, `"\ud83d\ude00"`, `"\uD83D\uDE00\ud83d"`, `{"\ud800":"\ud800"}`,
		// What is not UTF-8: a lone byte, a surrogate, an overlong form, a cut one, beyond Unicode; also as a key.
		"\"\xff\"", "\"\xed\xa0\x80\"", "\"\xc0\xaf\"", "\"12345678\xe2\x82\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82", "{\"\xff\":1}", "[\"\xff\", 01]", "\xff",
		"\"\ufffd\"", `"\ufffd"`, "\"\u2028\u2029\"", "\"\U0010ffff\"",
		// Keys: twice, in another case, with escapes, empty.
		`{"a":1,"a":2}`, `{"a":1,"A":2}`, `{"a":1,"\u0061":2}`, `{"":1,"":{"":[]}}`, `{"a":{"a":{"a":1}},"a":[]}`, `{"a\"b":1,"\\":2}`,
		// Depth: at the bound, above it, beyond encoding/json's, in objects, not closed.
		nested("[", "", "]", 64), nested("[", "", "]", 65), nested(`{"a":`, "1", "}", 64), nested(`{"a":`, "1", "}", 65),
		nested(`[{"a":`, "null", "}]", 32), nested(`[{"a":`, "[]", "}]", 32), nested("[", "", "]", 10_001), strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 10_000),
		"[" + nested("[", "", "]", 63) + "," + nested("[", "", "]", 63) + "]",
	}
	// Every prefix of a text with a bit of everything: nothing may be left open.
	whole := ` {"k\u0065y" : [ -1.5e+3 , true , false , null , "hex 0123456789abcdef" , "\ud83d\ude00é€" , { } , [ ] ] , "k" : "\\" } `
	for i := range len(whole) {
		list = append(list, whole[:i])
	}
	return append(list, whole)
}

func TestAgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, text := range texts() {
		checkText(t, []byte(text))
	}
}

// Every byte at every offset of a string, to cross the steps in which strings are read.
func TestBytesOfStrings(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for offset := range 48 {
			for _, inner := range []string{strings.Repeat("a", 20), strings.Repeat("0", 48)} {
				if offset >= len(inner) {
					continue
				}
				text := []byte(`"` + inner + `"`)
				text[1+offset] = byte(c)
				got := skip(text, strict) == nil
				require.Equal(t, json.Valid(text) && utf8.Valid(text), got, "byte %#x at %d", c, offset)
				if c != '"' { // which ends the string
					require.Equal(t, ' ' <= c && c < utf8.RuneSelf && c != '\\', got, "byte %#x at %d", c, offset)
				}
			}
		}
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	for _, most := range []int{2, 64, 512} {
		rules := &Rules{MaxDepth: most, Malformed: errMalformed}
		for _, brackets := range [][2]string{{"[", "]"}, {`{"a":[`, `]}`}} {
			nested := func(n int) []byte { return []byte(strings.Repeat(brackets[0], n) + strings.Repeat(brackets[1], n)) }
			each := strings.Count(brackets[0], "{") + strings.Count(brackets[0], "[")
			require.NoError(t, skip(nested(most/each), rules))
			err := skip(nested(most/each+1), rules)
			require.ErrorIs(t, err, errMalformed)
			require.ErrorContains(t, err, "nested too deep")
		}
	}
	// What is beside each other is not within each other, also behind what could not be read.
	w := New([]byte(`[[[]],[[1]],[[]]]`), &Rules{MaxDepth: 3, Malformed: errMalformed})
	require.NoError(t, w.Array(func() error {
		back := w
		_ = w.Array(func() error { return w.Array(func() error { return errInvalid }) })
		w = back
		return w.Skip()
	}))
	require.NoError(t, w.End())
}

// FuzzWalk compares the walker with encoding/json: same verdict, but for UTF-8 and depth, and same values.
func FuzzWalk(f *testing.F) {
	for _, text := range texts() {
		if len(text) < 1<<10 {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) { checkText(t, text) })
}
