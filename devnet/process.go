// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/log"
)

// Bounds on the life of a child process.
const (
	readyTimeout  = 3 * time.Minute        // seconds when the machine has nothing else to do
	readyInterval = 100 * time.Millisecond // between two readiness probes
	stopTimeout   = time.Minute            // op-batcher needs seconds to close its channel, a busy machine more
	tailLines     = 15                     // of the log, shown when a process fails
)

// errNotRunning is returned for an action on a process that does not run.
var errNotRunning = errors.New("the process is not running")

// Process is one supervised child: it is started, awaited until ready, and stopped by SIGINT or the
// signal of its own or, if it does not obey in time, SIGKILL. Its output goes to a file. It can be started again after it ended.
type Process struct {
	Name  string                          // for messages
	Path  string                          // executable
	Args  []string                        // without the executable
	Log   string                          // file that output is appended to
	Ready func(ctx context.Context) error // nil error once the process serves; nil for no probe

	Patience  time.Duration // between the request to end and SIGKILL, 0 for the default
	Interrupt os.Signal     // the request to end, nil for SIGINT

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended
	err  error         // how cmd ended; read after done is closed
}

// Start runs the process and waits until it is ready. On failure the process is gone and the error
// holds the end of its log.
func (p *Process) Start(ctx context.Context) error {
	if err := p.launch(ctx); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	if err := p.awaitReady(ctx); err != nil {
		p.Kill()
		return fmt.Errorf("%s: %w%s", p.Name, err, p.describeLog())
	}
	return nil
}

// launch starts the process and the goroutine that waits for its end.
func (p *Process) launch(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()

	if p.running() {
		return errors.New("the process runs already")
	}
	out, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	// The process outlives ctx, which bounds its start only: Stop ends it.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), p.Path, p.Args...) //nolint:gosec // the paths are the caller's
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = childAttributes()

	var (
		started = make(chan error, 1)
		done    = make(chan struct{})
	)
	go func() {
		// The kernel's parent-death signal fires when the creating thread ends: keep it until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer out.Close()

		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		p.err = cmd.Wait()
		close(done)
	}()
	if err := <-started; err != nil {
		return err
	}
	p.cmd, p.done = cmd, done
	log.Debug("Started a process", "name", p.Name, "pid", cmd.Process.Pid, "log", p.Log)
	return nil
}

// awaitReady polls Ready until it succeeds, the process ends or the time is over.
func (p *Process) awaitReady(ctx context.Context) error {
	if p.Ready == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()

	done := p.Done()
	ticker := time.NewTicker(readyInterval)
	defer ticker.Stop()
	for {
		err := p.Ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("ended during start-up (%s)", p.exitText())
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w (%w)", err, ctx.Err())
		case <-ticker.C:
		}
	}
}

// running tells whether the process lives. It assumes that mu is held.
func (p *Process) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Done returns a channel that is closed when the current run of the process has ended, and a closed
// one if it was never started.
func (p *Process) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()

	if p.done == nil {
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	return p.done
}

// Stop asks the process to end, kills it if it does not within a bounded time, and waits for it. It
// reports only that killing was necessary.
func (p *Process) Stop() error {
	request := p.Interrupt
	if request == nil {
		request = os.Interrupt
	}
	if err := p.signal(request); err != nil {
		return nil // nothing to stop
	}
	patience := p.Patience
	if patience == 0 {
		patience = stopTimeout
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.Done():
		return nil
	case <-timer.C:
		p.Kill()
		return fmt.Errorf("%s ignored the %v signal for %v and was killed", p.Name, request, patience)
	}
}

// Kill ends the process without grace (SIGKILL) and waits for it.
func (p *Process) Kill() {
	if err := p.signal(os.Kill); err != nil {
		return
	}
	<-p.Done()
}

// signal sends sig to the process if it lives.
func (p *Process) signal(sig os.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()

	if !p.running() {
		return errNotRunning
	}
	return p.cmd.Process.Signal(sig)
}

// failure describes an end that nobody asked for.
func (p *Process) failure() error {
	return fmt.Errorf("%s ended unexpectedly (%s)%s", p.Name, p.exitText(), p.describeLog())
}

// exitText tells how the last run ended. It assumes that it has.
func (p *Process) exitText() string {
	<-p.Done()
	if p.err == nil {
		return "exit status 0"
	}
	return p.err.Error()
}

// describeLog returns the end of the log and its path, for an error message.
func (p *Process) describeLog() string {
	data, err := os.ReadFile(p.Log)
	if err != nil {
		return fmt.Sprintf("; its log %s cannot be read: %v", p.Log, err)
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	lines = lines[max(0, len(lines)-tailLines):]
	return fmt.Sprintf("\nthe end of its log:\n  %s\nthe whole log: %s", strings.Join(lines, "\n  "), p.Log)
}
