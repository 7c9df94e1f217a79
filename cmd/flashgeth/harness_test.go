// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"encoding/json"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testprogram"
)

func TestMain(m *testing.M) { testprogram.Main(m, main) }

// command prepares a flashgeth process whose home is empty and whose environment is ours alone.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return testprogram.Command(t, []string{"HOME=" + t.TempDir()}, args...)
}

// run runs flashgeth to its end.
func run(t *testing.T, args ...string) testprogram.Result {
	t.Helper()
	return testprogram.Finish(t, command(t, args...))
}

// mustRun runs flashgeth to its end, which has to be a good one.
func mustRun(t *testing.T, args ...string) testprogram.Result {
	t.Helper()
	r := run(t, args...)
	require.Zero(t, r.Code, r.Stderr)
	return r
}

// process is a running node.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	log *bufio.Scanner
}

// start starts a node and ends it with the test.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	cmd := command(t, args...)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &process{t: t, cmd: cmd, log: bufio.NewScanner(stderr)}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return p
}

// awaitLog reads the log up to the first line that pattern matches and returns its first group.
func (p *process) awaitLog(pattern string) string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	var seen []string
	for p.log.Scan() {
		seen = append(seen, p.log.Text())
		if m := re.FindStringSubmatch(p.log.Text()); m != nil {
			return m[1]
		}
	}
	require.FailNow(p.t, "the node never logged "+pattern, strings.Join(seen, "\n"))
	return ""
}

// interrupt ends the node as Ctrl-C does and returns the rest of its log.
func (p *process) interrupt() string {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGINT))
	var rest strings.Builder
	for p.log.Scan() {
		rest.WriteString(p.log.Text() + "\n")
	}
	require.NoError(p.t, p.cmd.Wait(), rest.String())
	return rest.String()
}

// chainID is the chain id of testGenesis.
const chainID = 901901

// testGenesis writes a genesis of an OP Stack chain and returns the file's name.
func testGenesis(t *testing.T) string {
	t.Helper()
	config := *gethparams.OptimismTestConfig
	config.ChainID = big.NewInt(chainID)
	genesis := core.Genesis{
		Config:     &config,
		Alloc:      types.GenesisAlloc{},
		Difficulty: new(big.Int),
		BaseFee:    big.NewInt(gethparams.InitialBaseFee),
		GasLimit:   30_000_000,
		Timestamp:  1_700_000_000,
		ExtraData:  eip1559.EncodeJovianExtraData(250, 6, 0),
	}
	data, err := json.Marshal(&genesis)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "genesis.json")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	return file
}

// initialised returns a data directory with testGenesis in it.
func initialised(t *testing.T) string {
	t.Helper()
	datadir := t.TempDir()
	mustRun(t, "init", "--datadir", datadir, testGenesis(t))
	return datadir
}

// quiet are the flags of a node on an initialised directory that disturbs nobody on this machine.
func quiet(datadir string, more ...string) []string {
	return append([]string{
		"--datadir", datadir, "--networkid", "901901", "--syncmode", "full", "--cache", "32",
		"--port", "0", "--nodiscover", "--maxpeers", "0", "--nat", "none", "--authrpc.port", "0",
	}, more...)
}
