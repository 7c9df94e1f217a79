// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package upstream

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/eth/catalyst"
)

// TestConsensusAPIMethods shows the engine methods that a bump adds. The wrapper in eth/engine embeds
// ConsensusAPI, so a new getPayload would be served without the builder ever hearing of it.
func TestConsensusAPIMethods(t *testing.T) {
	requireList(t, "consensusapi-methods.txt", lines(signatures(reflect.TypeFor[*catalyst.ConsensusAPI]())),
		"Decide for each new method whether the engine wrapper must override it, and whether it must be among the capabilities.")
}

// The classes of a StateDB method, as written in testdata/statedb-methods.txt.
const (
	classMutator   = "mutator"      // changes accounts, storage or code: the recorder overrides it
	classTransient = "transient"    // changes what ends with the transaction or never enters the state
	classReader    = "reader"       // changes nothing
	classNew       = "unclassified" // what -update writes for a method it does not know
)

// TestStateDBMethods checks that the builder's recorder sees every write. It embeds *state.StateDB, so
// a mutator that a bump adds would compile, write past the recorder, and yield a wrong state root.
func TestStateDBMethods(t *testing.T) {
	const list = "statedb-methods.txt"
	classes := make(map[string]string)
	for _, line := range readList(t, list) {
		class, method, found := strings.Cut(line, " ")
		require.True(t, found, "line %q is not a class and a method", line)
		classes[method] = class
	}
	var got []string
	for _, method := range lines(signatures(reflect.TypeFor[vm.StateDB]())) {
		class, known := classes[method]
		if !known {
			class = classNew
		}
		got = append(got, class+" "+method)
	}
	requireList(t, list, got, "Classify each new method: "+classMutator+", "+classTransient+" or "+classReader+".")

	overridden := recorderMethods(t)
	for _, line := range got {
		class, method, _ := strings.Cut(line, " ")
		name, _, _ := strings.Cut(method, " ")
		switch class {
		case classMutator:
			require.Contains(t, overridden, name, "the recorder in miner/ must override %s", name)
		case classTransient, classReader:
		default:
			t.Errorf("testdata/%s: %s has class %q", list, name, class)
		}
	}
}

// recorderMethods returns the names of the methods that miner's recorder declares itself. It reads the
// source, as reflection cannot tell a declared method from a promoted one.
func recorderMethods(t *testing.T) map[string]struct{} {
	t.Helper()
	dir := filepath.Join(moduleRoot, "miner")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	methods := make(map[string]struct{})
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, entry.Name()), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && receiver(fn) == "recorder" {
				methods[fn.Name.Name] = struct{}{}
			}
		}
	}
	return methods
}

// receiver returns the name of a method's receiver type, empty for a function.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) != 1 {
		return ""
	}
	typ := fn.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if ident, ok := typ.(*ast.Ident); ok {
		return ident.Name
	}
	return ""
}
