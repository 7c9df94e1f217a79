// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"
)

// guide is the operator's guide.
func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/boost.md")
	require.NoError(t, err)
	return string(text)
}

// TestGuideNamesEveryFlag, and no other.
func TestGuideNamesEveryFlag(t *testing.T) {
	t.Parallel()
	text := guide(t)
	known := make(map[string]bool)
	for _, flag := range newApp().Flags {
		name := flag.Names()[0]
		known[name] = true
		if visible, ok := flag.(cli.VisibleFlag); ok && visible.IsVisible() {
			require.Positive(t, strings.Count(text, "`--"+name+"`"), "--%s is missing in docs/boost.md", name)
		}
	}
	table := text[strings.Index(text, "## Flags"):strings.Index(text, "## What getPayload returns")]
	for _, match := range regexp.MustCompile("`--([a-z0-9-]+)`").FindAllStringSubmatch(table, -1) {
		require.True(t, known[match[1]], "docs/boost.md describes --%s", match[1])
	}
}

// TestGuideNamesTests: a defect is said to be designed out by a test that exists.
func TestGuideNamesTests(t *testing.T) {
	t.Parallel()
	text := guide(t)
	proofs := regexp.MustCompile("`([a-z/]+) (Test[A-Za-z0-9]+)`").FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, proofs)
	for _, proof := range proofs {
		files, err := filepath.Glob(filepath.Join("../..", proof[1], "*_test.go"))
		require.NoError(t, err)
		found := false
		for _, file := range files {
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			found = found || strings.Contains(string(source), "func "+proof[2]+"(")
		}
		require.True(t, found, "docs/boost.md names %s of %s", proof[2], proof[1])
	}
	for n := 1; n <= 21; n++ {
		require.Equal(t, 1, strings.Count(text, fmt.Sprintf("\n| F%d |", n)), "F%d in docs/boost.md", n)
	}
}
