// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package upstream

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/version"
)

// TestRequiredVersionIsBase checks that go.mod requires the go-ethereum release that op-geth is based
// on. The replace line decides what is built, so nothing else would notice a stale number, and tools
// that read go.mod (vulnerability scanners first of all) would look at the wrong release.
func TestRequiredVersionIsBase(t *testing.T) {
	t.Parallel()

	required, replaces := readGoMod(t)
	require.Equal(t, fmt.Sprintf("v%d.%d.%d", version.Major, version.Minor, version.Patch), required,
		"go.mod must require op-geth's base of %s", gethModule)

	require.Len(t, replaces, 1, "go.mod has one replace line, the one of op-geth")
	require.Regexp(t, `^`+gethModule+` => github\.com/ethereum-optimism/op-geth v\d+\.\d+\.\d+$`, replaces[0],
		"op-geth is a released version, never a local directory")
}

// readGoMod returns the version that go.mod requires of go-ethereum, and every replace directive.
func readGoMod(t *testing.T) (required string, replaces []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(moduleRoot, "go.mod"))
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "//")
		fields := strings.Fields(line)
		switch {
		case strings.Contains(line, "=>"):
			replaces = append(replaces, strings.TrimPrefix(strings.Join(fields, " "), "replace "))
		case len(fields) == 2 && fields[0] == gethModule:
			required = fields[1]
		}
	}
	return required, replaces
}
