// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package upstream

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAllowedPackages keeps the coupling to op-geth a reviewed list: the packages that flashgeth's own
// files, tests included, import. What those import in turn is op-geth's business.
func TestAllowedPackages(t *testing.T) {
	imported := gethImports(t)
	require.NotEmpty(t, imported)
	requireList(t, "allowed-packages.txt", imported,
		"A new package widens what a bump can break: prefer one that is already listed, and internal packages least.")
}

// gethImports returns the go-ethereum packages that any Go file of the module imports.
func gethImports(t *testing.T) []string {
	t.Helper()
	seen := make(map[string]struct{})
	err := filepath.WalkDir(moduleRoot, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipDir(entry.Name())
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if strings.HasPrefix(imp, gethModule+"/") && !strings.HasPrefix(imp, gethModule+"/flashgeth") {
				seen[imp] = struct{}{}
			}
		}
		return nil
	})
	require.NoError(t, err)
	return slices.Collect(maps.Keys(seen))
}

// skipDir passes over what the Go tool passes over too, build outputs, and the tools module.
func skipDir(name string) error {
	switch {
	case name == ".." || name == moduleRoot:
		return nil
	case name == "bin", name == "build", name == "tools", name == "testdata",
		strings.HasPrefix(name, "."), strings.HasPrefix(name, "_"):
		return filepath.SkipDir
	}
	return nil
}
