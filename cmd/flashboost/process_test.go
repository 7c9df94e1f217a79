// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testprogram"
)

func TestMain(m *testing.M) { testprogram.Main(m, main) }

// command prepares a process in a directory of its own, with no environment but what is given.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := testprogram.Command(t, env, args...)
	cmd.Dir = t.TempDir()
	return cmd
}

// anywhere are arguments that let processes run beside each other.
func anywhere(l2, builder *fakeEL) []string {
	return []string{
		"--l2-url", l2.URL, "--builder-url", builder.URL, "--rpc-port", "0", "--debug-server-port", "0",
		"--l2-timeout", "60000", "--builder-timeout", "60000", "--shutdown-timeout-ms", "60000",
	}
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	help := testprogram.Finish(t, command(t, nil, "--help"))
	require.Zero(t, help.Code, help.Stderr)
	require.Empty(t, help.Stderr)
	for _, group := range []string{"BACKENDS", "BEHAVIOUR", "SERVERS", "FLASHBLOCKS", "LOGS AND TELEMETRY"} {
		require.Contains(t, help.Stdout, "\n   "+group+"\n")
	}
	require.NotContains(t, help.Stdout, "p2p", "what is not there is not offered")
	version := testprogram.Finish(t, command(t, nil, "--version"))
	require.Zero(t, version.Code)
	require.Equal(t, "flashboost version unknown\n", version.Stdout)
}

// TestStartErrors: one sentence on standard error, and nothing else.
func TestStartErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		env, args []string
		want      string
	}{
		"no secret":            {nil, nil, "flashboost: Missing Client JWT secret: give --l2-jwt-path"},
		"no builder secret":    {[]string{"L2_JWT_TOKEN=" + l2Secret, "BUILDER_URL=http://b"}, nil, "flashboost: the builder has a URL but no JWT secret"},
		"P2P":                  {nil, []string{"--flashblocks-p2p"}, "flashboost: the P2P mode"},
		"an argument":          {nil, []string{"debug"}, `flashboost: unexpected argument "debug"`},
		"a bad number":         {[]string{"L2_TIMEOUT=soon"}, nil, "L2_TIMEOUT"},
		"an unknown log level": {nil, []string{"--log-level", "loud"}, `flashboost: log level "loud" is unknown`},
		"a log file":           {nil, []string{"--log-file", "/nowhere/at/all"}, "flashboost: the log file (--log-file) cannot be opened"},
	} {
		r := testprogram.Finish(t, command(t, tc.env, tc.args...))
		require.Equal(t, 1, r.Code, name)
		require.Contains(t, r.Stderr, tc.want, name)
	}
}

// process is a running flashboost that logs JSON to standard output.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return &process{t, cmd, bufio.NewScanner(stdout)}
}

// logLine is a line of the log.
type logLine map[string]any

// text is a value of the line as text.
func (l logLine) text(key string) string { return fmt.Sprint(l[key]) }

// waitFor reads the log up to a line with that message and these values.
func (p *process) waitFor(message string, values map[string]string) logLine {
	p.t.Helper()
	for p.lines.Scan() {
		var line logLine
		require.NoError(p.t, json.Unmarshal(p.lines.Bytes(), &line), p.lines.Text())
		fits := strings.HasPrefix(line.text("msg"), message)
		for key, value := range values {
			fits = fits && line.text(key) == value
		}
		if fits {
			return line
		}
	}
	require.FailNow(p.t, "the log has ended", "without %q", message)
	return nil
}

// end reads the rest of the log and waits for the exit code.
func (p *process) end() int {
	p.t.Helper()
	for p.lines.Scan() { // a full pipe would hold the process up
	}
	err := p.cmd.Wait()
	if exit := new(exec.ExitError); !errors.As(err, &exit) {
		require.NoError(p.t, err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// TestSignalDrains (F21): the call in progress when SIGTERM comes is answered, nothing new is taken, and the
// process ends well.
func TestSignalDrains(t *testing.T) {
	t.Parallel()
	l2, builder := newFakeEL(t, l2Payload), newFakeEL(t, builderPayload)
	release := l2.block("engine_newPayloadV4")
	defer release()
	p := start(t, command(t, []string{"L2_JWT_TOKEN=" + l2Secret, "BUILDER_JWT_TOKEN=" + builderSecret},
		append(anywhere(l2, builder), "--log-format", "json")...))
	addr := p.waitFor("Listening", map[string]string{"for": partRPC}).text("addr")
	answers := make(chan string, 1)
	go func() {
		_, answer, err := post(t.Context(), addr, `{"jsonrpc":"2.0","id":1,"method":"engine_newPayloadV4","params":[{},[],"0x00",[]]}`)
		if err != nil {
			answer = err.Error()
		}
		answers <- answer
	}()
	require.Eventually(t, func() bool { return l2.asked("engine_newPayloadV4") == 1 }, patience, pace, "the call is in progress")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	p.waitFor("Flashboost is stopping", nil)
	require.Eventually(t, func() bool {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, patience, pace, "nothing new is taken")
	release()
	require.Contains(t, <-answers, `"VALID"`)
	require.Zero(t, p.end())
}

// TestEnvironmentFile: .env in the working directory is read first, the environment wins over it, and the
// command line over both. What is connected to what is in the log, and no secret is.
func TestEnvironmentFile(t *testing.T) {
	t.Parallel()
	l2, builder := newFakeEL(t, l2Payload), newFakeEL(t, builderPayload)
	cmd := command(t, []string{"EXECUTION_MODE=dry-run", "TRACING=true"}, append(anywhere(l2, builder), "--log-format", "json", "--log-file", "boost.log")...)
	require.NoError(t, os.WriteFile(filepath.Join(cmd.Dir, ".env"), []byte(
		"L2_URL=http://127.0.0.1:1\nexport L2_JWT_TOKEN="+l2Secret+"\nBUILDER_JWT_TOKEN=\""+builderSecret+"\" # theirs\nEXECUTION_MODE=disabled\n"), 0o600))
	logged := filepath.Join(cmd.Dir, "boost.log")
	require.NoError(t, os.WriteFile(logged, []byte("{\"msg\":\"an older line\"}\n"), 0o600))
	p := start(t, cmd)
	var text string
	require.Eventually(t, func() bool {
		raw, err := os.ReadFile(logged)
		text = string(raw)
		return err == nil && strings.Contains(text, `"for":"rpc"`)
	}, patience, pace, "it serves")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
	require.Zero(t, p.end())
	raw, err := os.ReadFile(logged)
	require.NoError(t, err)
	text = string(raw)
	require.Contains(t, text, "an older line", "the file is appended to")
	require.Contains(t, text, `"mode":"dry_run"`)
	require.Contains(t, text, l2.URL)
	require.Contains(t, text, builder.URL)
	require.Contains(t, text, "No spans are exported")
	require.NotContains(t, text, l2Secret)
	require.NotContains(t, text, builderSecret)

	broken := command(t, nil)
	require.NoError(t, os.WriteFile(filepath.Join(broken.Dir, ".env"), []byte("not a line of it\n"), 0o600))
	r := testprogram.Finish(t, broken)
	require.Equal(t, 1, r.Code)
	require.Contains(t, r.Stderr, "the file .env cannot be used")
}
