// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// Bounds on what a devnet accepts.
const (
	minGasLimit = 5_000_000 // below it the L1 attributes and a few transfers fill the block
	maxLoad     = 2_000     // transactions per second one generator signs without falling behind
)

// Config says what to boot. The zero values of paths and ports mean a temporary directory, the
// binaries in bin/ and free ports.
type Config struct {
	BlockTime     time.Duration // L2 slot, whole seconds
	Interval      time.Duration // between two flashblocks
	L1BlockTime   time.Duration // L1 slot, whole seconds
	GasLimit      uint64        // of the L2
	Follower      bool          // run a second flashgeth, with an op-node of its own, that follows the stream
	Proxy         bool          // run flashproxy behind the builder's stream; the follower then follows the proxy
	Batcher       bool          // run op-batcher, so that the safe head advances
	Boost         bool          // run flashboost between op-node and flashgeth, with op-geth's own geth beside it as local execution layer
	DataDir       string        // for genesis, chain data and logs; empty for a temporary directory
	NodeBinary    string        // flashgeth, or op-geth's geth when Plain
	ProxyBinary   string        // flashproxy
	BoostBinary   string        // flashboost
	OpStackDir    string        // holds op-node, op-batcher and op-geth's geth
	Plain         bool          // the node binary is op-geth's own: no flashblocks, no stream
	StateScheme   string        // of every execution layer: "path" or "hash"; empty for op-geth's default, path
	GCMode        string        // of every execution layer: "full" or "archive"; empty for op-geth's default, full
	NodeArgs      []string      // appended to the node's command line
	OpNodeArgs    []string      // appended to op-node's command line
	BoostArgs     []string      // appended to flashboost's command line
	External      bool          // the local execution layer computes the roots of the builder's blocks (--external-state-root)
	Progress      func(string)  // told about each step of the start, may be nil
	CaptureLogs   bool          // send this process's own log, the L1's included, to a file of the data directory
	GenesisOffset time.Duration // from the start to the L2's genesis; 0 for the default; with a negative one op-node builds the slots that have passed
	Ports         Ports         // that are to be used; all others are free ones

	// BuilderEnded, if not nil, is told how flashgeth has ended though nobody stopped it, and where its log is.
	// With Boost this is no failure of the devnet then: the blocks are the local execution layer's.
	BuilderEnded func(how, log string)

	// Between, if not nil, may put something between the parts that boost connects: it is given their
	// addresses before anything is started, and returns those to use instead.
	Between func(Links) Links
}

// DefaultConfig is the devnet of `make devnet`.
var DefaultConfig = Config{
	BlockTime:     2 * time.Second,
	Interval:      200 * time.Millisecond,
	L1BlockTime:   4 * time.Second,
	GasLimit:      60_000_000,
	Follower:      true,
	Proxy:         true,
	Batcher:       true,
	NodeBinary:    "bin/flashgeth",
	ProxyBinary:   "bin/flashproxy",
	BoostBinary:   "bin/flashboost",
	OpStackDir:    "bin/opstack",
	GenesisOffset: 8 * time.Second,
}

// Check reports the first value that a devnet could not run with, as one sentence.
func (c *Config) Check() error {
	switch {
	case c.BlockTime < time.Second || c.BlockTime%time.Second != 0:
		return fmt.Errorf("block time %v is not possible: OP Stack blocks are whole seconds apart, at least 1s", c.BlockTime)
	case c.L1BlockTime < time.Second || c.L1BlockTime%time.Second != 0:
		return fmt.Errorf("L1 block time %v is not possible: it must be whole seconds, at least 1s", c.L1BlockTime)
	case c.GasLimit < minGasLimit:
		return fmt.Errorf("gas limit %d is below the least useful one, %d", c.GasLimit, minGasLimit)
	case !slices.Contains([]string{"", rawdb.PathScheme, rawdb.HashScheme}, c.StateScheme):
		return fmt.Errorf("state scheme %q is unknown: it is path or hash", c.StateScheme)
	case !slices.Contains([]string{"", "full", "archive"}, c.GCMode):
		return fmt.Errorf("gcmode %q is unknown: it is full or archive", c.GCMode)
	case c.NodeBinary == "":
		return errors.New("no node binary is given")
	case c.OpStackDir == "":
		return errors.New("no directory of op-node, op-batcher and geth is given")
	case c.Plain && c.Follower:
		return errors.New("a devnet without flashblocks has nothing to follow")
	case c.Plain && c.Proxy:
		return errors.New("a devnet without flashblocks has no stream for a proxy")
	case c.Proxy && c.ProxyBinary == "":
		return errors.New("no proxy binary is given")
	case c.Plain && c.Boost:
		return errors.New("a devnet without flashblocks has no builder for boost")
	case c.Boost && c.BoostBinary == "":
		return errors.New("no boost binary is given")
	case !c.Boost && (c.External || len(c.BoostArgs) > 0 || c.Between != nil):
		return errors.New("external state roots, and what else concerns boost, need a devnet with boost")
	}
	if err := c.checkPorts(); err != nil {
		return err
	}
	return c.checkInterval()
}

// checkInterval applies the builder's own rules, and those of its flag, to the interval.
func (c *Config) checkInterval() error {
	if c.Plain {
		return nil
	}
	builder := params.DefaultFlashblocks
	builder.Enabled, builder.Interval = true, c.Interval
	if err := builder.Check(); err != nil {
		return err
	}
	if err := builder.CheckBlockTime(c.BlockTime); err != nil {
		return err
	}
	if c.Interval%time.Millisecond != 0 {
		return fmt.Errorf("flashblocks interval %v must be whole milliseconds", c.Interval)
	}
	return nil
}

// programs returns the binaries that the devnet runs, each with the make target that builds it.
func (c *Config) programs() map[string]string {
	programs := map[string]string{
		c.NodeBinary:                           "make build",
		filepath.Join(c.OpStackDir, "op-node"): "make opstack",
	}
	if c.Proxy {
		programs[c.ProxyBinary] = "make build"
	}
	if c.Boost {
		programs[c.BoostBinary] = "make build"
		programs[filepath.Join(c.OpStackDir, "geth")] = "make opstack"
	}
	if c.Batcher {
		programs[filepath.Join(c.OpStackDir, "op-batcher")] = "make opstack"
	}
	return programs
}

// checkPrograms reports a binary that is not there, before anything is started.
func (c *Config) checkPrograms() error {
	for path, target := range c.programs() {
		if _, err := exec.LookPath(path); err != nil {
			return fmt.Errorf("the program %s cannot be run (%w): build it with `%s`", path, err, target)
		}
	}
	return nil
}

// step reports one step of the start.
func (c *Config) step(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	log.Debug("Devnet start-up step", "step", text)
	if c.Progress != nil {
		c.Progress(text)
	}
}
