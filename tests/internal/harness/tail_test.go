// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// An early error of a long log is shown before its end, and neither drowns the other.
func TestTail(t *testing.T) {
	t.Parallel()
	text := "ERROR[11-21|05:00:00] the cause\nt=1 lvl=warn msg=\"another\"\n"
	for i := range 100 {
		text += fmt.Sprintf("INFO line %d\nINFO Submitted transaction\n", i)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "node.log")
	require.NoError(t, os.WriteFile(path, []byte(text+"INFO "+strings.Repeat("x", 2*tailWidth)+"\n"), 0o600))

	tail := Tail(path, 6)
	lines := strings.Split(strings.TrimSpace(tail), "\n")
	require.Len(t, lines, 2+1+3)
	require.Contains(t, lines[0], "the cause")
	require.Contains(t, lines[1], "another")
	require.Contains(t, lines[3], "line 98")
	require.Contains(t, lines[4], "line 99")
	require.LessOrEqual(t, len(lines[5]), tailWidth+len("  "))
	require.Contains(t, Tails(dir), "the log node.log:\n")

	require.NoError(t, os.WriteFile(path, []byte("INFO one line\n"), 0o600))
	require.Equal(t, "  INFO one line\n", Tail(path, 6))
	require.Contains(t, Tail(filepath.Join(dir, "none"), 6), "no such file")
	require.Contains(t, Tails(t.TempDir()), "there is none")
}
