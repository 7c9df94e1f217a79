// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The scanner must accept exactly what encoding/json accepts, except for depth.
func TestSkipAgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	inputs := []string{
		``, ` `, `{}`, `[]`, `{ }`, `[ ]`, `{"a":1}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`,
		`[1,2]`, `[1,]`, `[,1]`, `[1 2]`, `[`, `]`, `{`, `}`, `[}`, `{]`,
		`0`, `-0`, `1`, `-1`, `01`, `-`, `--1`, `+1`, `1.`, `.1`, `1.5`, `1e5`, `1E+5`, `1e-5`, `1e`, `1e+`, `1.e5`, `0x1`, `1 2`,
		`true`, `false`, `null`, `tru`, `nul`, `True`, `truee`, `nan`,
		`""`, `"`, `"a`, `"\"`, `"\""`, `"\\"`, `"\n"`, `"\u00e9"`, `"\u00g0"`, `"\u12"`, `"\x"`, `"\'"`, `"é"`, `'a'`,
	}
	// Every byte at every offset of a string, to cross the steps of eight in which strings are read.
	for c := range 256 {
		for _, offset := range []int{0, 1, 6, 7, 8, 9, 15, 16, 17} {
			text := []byte(strings.Repeat("a", 20))
			text[offset] = byte(c)
			inputs = append(inputs, `"`+string(text)+`"`)
		}
	}
	for _, input := range inputs {
		s := scanner{data: []byte(input)}
		err := s.skip()
		if err == nil {
			err = s.end()
		}
		if json.Valid([]byte(input)) {
			require.NoError(t, err, "%q", input)
			continue
		}
		require.ErrorIs(t, err, ErrMalformed, "%q", input)
	}
}

func TestSkipDepth(t *testing.T) {
	t.Parallel()
	nested := func(n int) *scanner {
		return &scanner{data: []byte(strings.Repeat("[", n) + strings.Repeat("]", n))}
	}
	require.NoError(t, nested(maxDepth).skip())
	require.ErrorIs(t, nested(maxDepth+1).skip(), ErrMalformed)
}
