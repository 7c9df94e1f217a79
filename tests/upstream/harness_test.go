// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package upstream

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// gethModule is the import path of the module that go.mod replaces with op-geth.
const gethModule = "github.com/ethereum/go-ethereum"

// moduleRoot is flashgeth's root as seen from this package, where go test runs.
const moduleRoot = "../.."

var update = flag.Bool("update", false, "rewrite the lists under testdata")

// readList returns the lines of a list without comments and blanks.
func readList(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	var lines []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// writeList replaces the lines of a list and keeps the comments at its head.
func writeList(t *testing.T, name string, lines []string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var out strings.Builder
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		out.WriteString(line)
	}
	for _, line := range lines {
		out.WriteString(line + "\n")
	}
	require.NoError(t, os.WriteFile(path, []byte(out.String()), 0o644))
}

// requireList compares what is with what was reviewed, and says which lines came and went.
func requireList(t *testing.T, name string, got []string, hint string) {
	t.Helper()
	slices.Sort(got)
	if *update {
		writeList(t, name, got)
	}
	want := readList(t, name)
	added, removed := difference(got, want), difference(want, got)
	if len(added)+len(removed) == 0 {
		return
	}
	t.Fatalf("testdata/%s no longer holds.\nnew:\n  %s\ngone:\n  %s\n%s\nThen run: go test ./tests/upstream -update",
		name, strings.Join(added, "\n  "), strings.Join(removed, "\n  "), hint)
}

// difference returns the elements of a that b lacks, in a's order.
func difference(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// signatures returns the exported methods of a type as "Name func(…) …", without the receiver.
func signatures(typ reflect.Type) map[string]string {
	methods := make(map[string]string, typ.NumMethod())
	for i := range typ.NumMethod() {
		m := typ.Method(i)
		sig := m.Type.String()
		if typ.Kind() != reflect.Interface {
			rest := strings.TrimPrefix(sig, "func("+typ.String())
			sig = "func(" + strings.TrimPrefix(rest, ", ")
		}
		methods[m.Name] = sig
	}
	return methods
}

// lines returns "name value" for every entry, sorted.
func lines(entries map[string]string) []string {
	out := make([]string, 0, len(entries))
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		out = append(out, name+" "+entries[name])
	}
	return out
}
