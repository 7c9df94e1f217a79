// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package harness holds what the tests on a devnet share: where the programs are, how long to wait, and
// what to tell of the logs when a test fails.
package harness

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// Patience bounds the wait for anything that a devnet does within a few slots. It is so long because it
	// decides nothing but when a test gives up: a busy machine may be many times slower than an idle one.
	Patience = 3 * time.Minute

	// Poll is the time between two looks at a condition.
	Poll = 20 * time.Millisecond
)

// Program returns the path of a program below bin/, and fails the test with the make target that builds it
// if it is not there.
func Program(t testing.TB, name, target string) string {
	t.Helper()
	path := filepath.Join(Root(t), "bin", name)
	_, err := os.Stat(path)
	require.NoErrorf(t, err, "the program bin/%s is missing: build it with `make %s`", name, target)
	return path
}

// Root returns the module's directory, which is above the one that go test runs a package's tests in.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir
		}
		require.ErrorIs(t, err, fs.ErrNotExist)
		parent := filepath.Dir(dir)
		require.NotEqual(t, dir, parent, "there is no go.mod above the test")
		dir = parent
	}
}

// Eventually waits until a condition holds and fails the test, naming it, if it never does.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, Patience, Poll, "waiting until "+what)
}

// Tails returns the part of every log in a devnet's directory that is most likely to tell why a test failed.
func Tails(dir string) string {
	paths, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err == nil && len(paths) == 0 {
		err = errors.New("there is none")
	}
	if err != nil {
		return "the logs in " + dir + ": " + err.Error()
	}
	text := ""
	for _, path := range paths {
		text += "the log " + filepath.Base(path) + ":\n" + Tail(path, tailLines)
	}
	return text
}
