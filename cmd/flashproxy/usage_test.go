// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMistypedCommandLineIsOneSentence(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--upstream", "ws://127.0.0.1:1"}, "flag provided but not defined: -upstream (see --help)"},
		{[]string{"bench", "--conections", "3"}, "flag provided but not defined: -conections (see --help)"},
		{[]string{"bench", "ws://127.0.0.1:1", "-n", "3"}, `unexpected argument "-n": the URL comes last, behind the flags`},
		{[]string{"serve"}, `unexpected argument "serve"`},
	} {
		var out bytes.Buffer
		app := newApp()
		app.Writer, app.ErrWriter = &out, &out
		require.EqualError(t, app.RunContext(t.Context(), append([]string{"flashproxy"}, tt.args...)), tt.want)
		require.Empty(t, out.String())
	}
}
