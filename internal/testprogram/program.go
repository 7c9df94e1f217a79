// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package testprogram runs a command's own test binary as the command, so that signals, exit codes, the environment
// and the working directory are those of a process, and a failing start ends that process. It is for tests only.
package testprogram

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Patience bounds every wait for a process. A start takes well under a second; the rest is for a busy machine.
const Patience = time.Minute

// marker is the variable that tells the test binary to be the command.
const marker = "TEST_RUN_AS_PROGRAM"

// Main is the TestMain of a command: it runs the command in a process that Command has prepared, and the tests
// otherwise. It ends the process.
func Main(m *testing.M, program func()) {
	if os.Getenv(marker) != "" {
		program()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Command prepares a process with no environment but what is given.
func Command(t testing.TB, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...) //nolint:gosec // the test's own binary
	cmd.Env = append(env, marker+"=1")
	return cmd
}

// Result is what a finished process leaves behind.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Finish runs a process to its end.
func Finish(t testing.TB, cmd *exec.Cmd) Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := new(exec.ExitError); !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}
