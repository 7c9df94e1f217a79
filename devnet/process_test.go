// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newTestProcess returns a process that runs a shell script, and a file that the script may create to
// tell that it is ready ("$1").
func newTestProcess(t *testing.T, script string) *Process {
	t.Helper()
	var (
		dir   = t.TempDir()
		ready = filepath.Join(dir, "ready")
	)
	p := &Process{
		Name: "script",
		Path: "/bin/sh",
		Args: []string{"-c", script, "script", ready},
		Log:  filepath.Join(dir, "log"),
		Ready: func(context.Context) error {
			_, err := os.Stat(ready)
			return err
		},
	}
	t.Cleanup(p.Kill)
	return p
}

// untilInterrupted is the part of a script that serves until SIGINT.
const untilInterrupted = `trap 'echo bye; exit 0' INT; : > "$1"; while :; do sleep 0.05; done`

func ended(p *Process) bool {
	select {
	case <-p.Done():
		return true
	default:
		return false
	}
}

func TestProcessStartsAndStops(t *testing.T) {
	t.Parallel()
	p := newTestProcess(t, untilInterrupted)
	require.True(t, ended(p), "not started")
	require.NoError(t, p.Stop(), "nothing to stop")
	require.NoError(t, p.Start(t.Context()))
	require.False(t, ended(p))
	require.ErrorContains(t, p.Start(t.Context()), "runs already")

	require.NoError(t, p.Stop())
	require.True(t, ended(p))
	require.Contains(t, p.describeLog(), "bye", "it ended by the interrupt")
	require.Equal(t, "exit status 0", p.exitText())
}

// A process with a signal of its own is stopped by that one.
func TestProcessStopsByItsOwnSignal(t *testing.T) {
	t.Parallel()
	p := newTestProcess(t, `trap 'echo interrupted; exit 1' INT; trap 'echo terminated; exit 0' TERM; : > "$1"; while :; do sleep 0.05; done`)
	p.Interrupt = syscall.SIGTERM
	require.NoError(t, p.Start(t.Context()))
	require.NoError(t, p.Stop())
	require.Contains(t, p.describeLog(), "terminated")
	require.Equal(t, "exit status 0", p.exitText())
}

func TestProcessRestarts(t *testing.T) {
	t.Parallel()
	p := newTestProcess(t, untilInterrupted)
	require.NoError(t, p.Start(t.Context()))
	p.Kill()
	require.True(t, ended(p))
	require.Equal(t, "signal: killed", p.exitText())
	require.NoError(t, p.Start(t.Context()))
	require.False(t, ended(p))
}

func TestProcessThatIgnoresTheInterruptIsKilled(t *testing.T) {
	t.Parallel()
	p := newTestProcess(t, `trap '' INT; : > "$1"; while :; do sleep 0.05; done`)
	p.Patience = 50 * time.Millisecond
	require.NoError(t, p.Start(t.Context()))
	require.ErrorContains(t, p.Stop(), "ignored the interrupt")
	require.True(t, ended(p))
}

func TestProcessThatFailsShowsItsLog(t *testing.T) {
	t.Parallel()
	p := newTestProcess(t, `for i in $(seq 1 40); do echo line $i; done; echo the reason >&2; exit 3`)
	err := p.Start(t.Context())
	require.ErrorContains(t, err, "ended during start-up (exit status 3)")
	require.ErrorContains(t, err, "the reason")
	require.ErrorContains(t, err, p.Log)
	require.NotContains(t, err.Error(), "line 1\n", "only the end of the log")
}

func TestProcessThatIsNeverReadyIsStopped(t *testing.T) {
	t.Parallel()
	p := newTestProcess(t, `while :; do sleep 0.05; done`)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := p.Start(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "not ready")
	require.True(t, ended(p))
}

func TestProcessOutlivesTheContextOfItsStart(t *testing.T) {
	t.Parallel()
	p := newTestProcess(t, untilInterrupted)
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, p.Start(ctx))
	cancel()
	require.Never(t, func() bool { return ended(p) }, 200*time.Millisecond, 20*time.Millisecond)
	require.NoError(t, p.Stop())
}

func TestProcessThatCannotRun(t *testing.T) {
	t.Parallel()
	p := newTestProcess(t, "")
	p.Path = filepath.Join(t.TempDir(), "none")
	require.ErrorIs(t, p.Start(t.Context()), os.ErrNotExist)
}

func TestUnexpectedEndIsReported(t *testing.T) {
	t.Parallel()
	d := &Devnet{expected: make(map[<-chan struct{}]bool), failed: make(chan error, 1), quit: make(chan struct{})}
	t.Cleanup(func() { require.NoError(t, d.Stop()) })
	p := newTestProcess(t, untilInterrupted)
	require.NoError(t, d.supervise(t.Context(), p))
	p.Kill()
	select {
	case err := <-d.Failed():
		require.ErrorContains(t, err, "script ended unexpectedly (signal: killed)")
	case <-t.Context().Done():
		require.Fail(t, "no failure was reported")
	}
	require.True(t, d.keep)
}

// A builder behind boost that ends is no failure where somebody wants to see what boost makes of it.
func TestBuildersEndIsTold(t *testing.T) {
	t.Parallel()
	told := make(chan string, 1)
	d := &Devnet{expected: make(map[<-chan struct{}]bool), failed: make(chan error, 1), quit: make(chan struct{})}
	d.cfg.Boost, d.cfg.BuilderEnded = true, func(how, log string) { told <- how + " " + log }
	d.node = newTestProcess(t, untilInterrupted)
	require.NoError(t, d.supervise(t.Context(), d.node))
	d.node.Kill()
	select {
	case got := <-told:
		require.Equal(t, "signal: killed "+d.node.Log, got)
	case <-t.Context().Done():
		require.Fail(t, "nobody was told")
	}
	require.NoError(t, d.Stop(), "what has ended needs no stop")
	require.Empty(t, d.failed)
	require.True(t, d.keep)
}

func TestExpectedEndIsNotReported(t *testing.T) {
	t.Parallel()
	d := &Devnet{expected: make(map[<-chan struct{}]bool), failed: make(chan error, 1), quit: make(chan struct{})}
	d.node = newTestProcess(t, untilInterrupted)
	require.NoError(t, d.supervise(t.Context(), d.node))
	d.KillNode()
	require.NoError(t, d.StartNode(t.Context()))
	require.NoError(t, d.StopNode())
	require.NoError(t, d.Stop())
	require.Empty(t, d.failed)
	require.NoError(t, errors.Join(d.Stop()), "a second stop does nothing")
}
