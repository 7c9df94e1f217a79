// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"
)

// otherFlags are the flag variables of cmd/utils that geth does not take to run a node, each with the
// command it is for. A variable of cmd/utils that is neither here nor a flag of ours fails the test:
// after an upgrade of op-geth somebody has to decide.
var otherFlags = map[string]string{
	"AccountFlag":            "snapshot",
	"BloomFilterSizeFlag":    "snapshot",
	"BlsyncApiFlag":          "blsync, a binary of its own",
	"BlsyncJWTSecretFlag":    "blsync, a binary of its own",
	"DumpLimitFlag":          "dump, snapshot",
	"EraFormatFlag":          "export-history, import-history",
	"ExcludeCodeFlag":        "dump, snapshot",
	"ExcludeStorageFlag":     "dump, snapshot, db",
	"IncludeIncompletesFlag": "dump",
	"IterativeOutputFlag":    "dump",
	"NoCompactionFlag":       "import",
	"OutputFileFlag":         "db",
	"StartKeyFlag":           "dump, snapshot",
}

// utilsFlags maps the variables of cmd/utils that hold one flag to the flag's name, read from the source
// of the op-geth that this module builds against.
func utilsFlags(t *testing.T, dir string) map[string]string {
	t.Helper()
	names := make(map[string]string)
	files, err := filepath.Glob(filepath.Join(dir, "cmd", "utils", "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, spec := range variables(t, file) {
			for i, value := range spec.Values {
				if name := flagName(t, value); name != "" && spec.Names[i].IsExported() {
					names[spec.Names[i].Name] = name
				}
			}
		}
	}
	return names
}

// variables are the package-level variables of a Go file.
func variables(t *testing.T, file string) []*ast.ValueSpec {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var specs []*ast.ValueSpec
	for _, decl := range parsed.Decls {
		if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.VAR {
			for _, spec := range gen.Specs {
				value, ok := spec.(*ast.ValueSpec)
				require.True(t, ok, file)
				specs = append(specs, value)
			}
		}
	}
	return specs
}

// flagName returns the name in &cli.StringFlag{Name: "name"} and its kin, empty for anything else.
func flagName(t *testing.T, value ast.Expr) string {
	t.Helper()
	unary, ok := value.(*ast.UnaryExpr)
	if !ok {
		return ""
	}
	lit, ok := unary.X.(*ast.CompositeLit)
	if !ok {
		return ""
	}
	if typ, ok := lit.Type.(*ast.SelectorExpr); !ok || !strings.HasSuffix(typ.Sel.Name, "Flag") {
		return ""
	}
	for _, elt := range lit.Elts {
		field, ok := elt.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, ok := field.Key.(*ast.Ident)
		if !ok || key.Name != "Name" {
			continue
		}
		text, ok := field.Value.(*ast.BasicLit)
		require.True(t, ok, "the name of a flag is not a literal")
		name, err := strconv.Unquote(text.Value)
		require.NoError(t, err)
		return name
	}
	return ""
}

// gethFlags are the variables of cmd/utils that geth lists in the given variables of its main.go.
func gethFlags(t *testing.T, dir string, lists ...string) []string {
	t.Helper()
	var used []string
	for _, spec := range variables(t, filepath.Join(dir, "cmd", "geth", "main.go")) {
		if !slices.Contains(lists, spec.Names[0].Name) {
			continue
		}
		ast.Inspect(spec, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "utils" {
					used = append(used, sel.Sel.Name)
				}
			}
			return true
		})
	}
	return used
}

func TestFlagsCoverGeth(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", upstreamModule).Output()
	require.NoError(t, err)
	dir := strings.TrimSpace(string(out))

	ours := make(map[string]bool)
	var all []cli.Flag = newApp().Flags
	for _, flag := range all {
		require.False(t, ours[flag.Names()[0]], "--%s is there twice", flag.Names()[0])
		for _, name := range flag.Names() {
			ours[name] = true
		}
	}
	names := utilsFlags(t, dir)
	require.Greater(t, len(names), 200, "the source of cmd/utils is not understood any more")

	used := gethFlags(t, dir, "nodeFlags", "rpcFlags", "metricsFlags")
	require.Greater(t, len(used), 180, "the source of cmd/geth is not understood any more")
	for _, variable := range used {
		if name, single := names[variable]; single { // else a group such as NetworkFlags
			require.True(t, ours[name], "geth takes --%s (utils.%s), flashgeth does not", name, variable)
		}
	}
	for variable, name := range names {
		_, other := otherFlags[variable]
		require.NotEqual(t, ours[name], other, "utils.%s (--%s) has to be a flag of the node or in otherFlags", variable, name)
	}
	for variable := range otherFlags {
		require.Contains(t, names, variable, "cmd/utils has no such flag any more")
	}
}

// TestFlagsInHelp makes sure that no flag of the node ends up without a heading.
func TestFlagsInHelp(t *testing.T) {
	for _, flag := range runFlags() {
		categorised, ok := flag.(cli.CategorizableFlag)
		require.True(t, ok, flag.Names()[0])
		require.NotEmpty(t, categorised.GetCategory(), flag.Names()[0])
	}
	help := mustRun(t, "--help").Stdout
	for _, want := range []string{"   FLASHBLOCKS\n", "   ROLLUP NODE\n", "   ETHEREUM\n", "--flashblocks.enabled", "$ENABLE_FLASHBLOCKS"} {
		require.Contains(t, help, want)
	}
}
