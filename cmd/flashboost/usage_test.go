// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMistypedFlagIsOneSentence(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	app := newApp()
	app.Writer, app.ErrWriter = &out, &out
	err := app.RunContext(t.Context(), []string{"flashboost", "--l2-ulr", "http://127.0.0.1:8551"})
	require.EqualError(t, err, "flag provided but not defined: -l2-ulr (see --help)")
	require.Empty(t, out.String())
}
