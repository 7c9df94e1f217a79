// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package architecture

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// moduleRoot is flashgeth's root as seen from this package, where go test runs.
const moduleRoot = "../.."

// module is the path of this module.
const module = "github.com/ethereum/go-ethereum/flashgeth/"

// The picture in the document has every package and every arrow of the code, and no other.
func TestArrows(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(filepath.Join(moduleRoot, "docs", "architecture.md"))
	require.NoError(t, err)
	p, err := parse(string(document))
	require.NoError(t, err)
	code := list(t)
	require.Contains(t, code, "eth")
	differences := p.compare(code)
	require.Empty(t, differences, "docs/architecture.md, %s:\n%s\nAn arrow that you want has to be drawn there, and allowed in .golangci.yml.",
		heading, strings.Join(differences, "\n"))
}

// list returns the packages of this module with those of it that each imports, tests left out.
func list(t *testing.T) arrows {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir, cmd.Stderr = moduleRoot, os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	code := make(arrows)
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		name, ours := strings.CutPrefix(words[0], module)
		if !ours {
			continue
		}
		code[name] = nil
		for _, path := range words[1:] {
			if to, ours := strings.CutPrefix(path, module); ours {
				code[name] = append(code[name], to)
			}
		}
	}
	return code
}

// documentOf is a document with the given picture.
func documentOf(lines ...string) string {
	return "# Architecture\n\n```\nanother → picture\n```\n\n" + heading + "\n\nSome words.\n\n```\n" + strings.Join(lines, "\n") + "\n```\n\n## Next\n"
}

// Whatever the picture and the code do not have in common is told.
func TestCompare(t *testing.T) {
	t.Parallel()
	code := arrows{"low": nil, "mid": {"low"}, "top": {"low", "mid"}, "tests/a": {"top"}, "tests/deep/b": {"tests/a"}}
	for name, tt := range map[string]struct {
		picture []string
		want    []string
	}{
		"the same": {[]string{"low", "mid → low", "", "top → mid low", "tests/... → ..."}, nil},
		"an arrow that is not drawn": {
			[]string{"low", "mid → low", "top → mid", "tests/... → ..."},
			[]string{"top → low is not drawn"},
		},
		"an arrow that is no more": {
			[]string{"low → mid", "mid → low", "top → mid low", "tests/... → ..."},
			[]string{"low → mid is drawn and does not exist"},
		},
		"a package that is not drawn": {
			[]string{"low", "top → low mid", "tests/... → ..."},
			[]string{"mid is not in the picture"},
		},
		"a package that is no more": {
			[]string{"low", "mid → low", "top → mid low", "gone → low", "tests/... → ..."},
			[]string{"gone is drawn and does not exist"},
		},
		"tests that are not free": {
			[]string{"low", "mid → low", "top → mid low", "tests/a → top"},
			[]string{"tests/deep/b is not in the picture"},
		},
		"an arrow to tests": {
			[]string{"low", "mid", "top → mid low", "tests/... → ..."},
			[]string{"mid → low is not drawn"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := parse(documentOf(tt.picture...))
			require.NoError(t, err)
			require.Equal(t, tt.want, p.compare(code))
		})
	}
}

// What is no picture is not read as one.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		document string
		want     error
	}{
		"no section":          {"# Architecture\n\n```\nlow\n```\n", errNoPicture},
		"no block":            {heading + "\n\nlow\n\n## Next\n\n```\nlow\n```\n", errNoPicture},
		"block without end":   {heading + "\n\n```\nlow\n", errNoPicture},
		"no arrow":            {documentOf("low", "mid low"), errBadLine},
		"arrow to nothing":    {documentOf("low →"), errBadLine},
		"pattern with arrows": {documentOf("tests/... → low"), errBadLine},
		"drawn twice":         {documentOf("low", "mid → low", "mid"), errTwice},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(tt.document)
			require.ErrorIs(t, err, tt.want)
		})
	}
}
