// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Command gotest runs `go test` with the arguments it is given and ends as it ends. While it runs it prints
// a line per package, and the output of a test that fails; in the end it prints, once more and in short,
// which tests failed and why. CI keeps only the end of a log, where a failure would drown in the logs of
// the programs under test.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout))
}

// run runs go test, writes what is worth knowing to out, and returns its exit code.
func run(args []string, out io.Writer) int {
	// A signal from the terminal reaches go test too: wait for its end, and let its output out.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "go", append([]string{"test", "-json"}, args...)...) //nolint:gosec // the caller's arguments
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		return 1
	}
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(os.Interrupt) })()

	r := newReport(out)
	readErr := r.read(events)
	err = cmd.Wait()
	r.summary()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	case errors.Join(err, readErr) != nil:
		fmt.Fprintln(os.Stderr, "gotest:", errors.Join(err, readErr))
		return 1
	case r.failed():
		return 1
	}
	return 0
}
