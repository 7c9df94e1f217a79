// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/rlp"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// childVariable makes this test binary a node that imports blocks until it is killed.
const childVariable = "FLASHGETH_CRASH_CHILD"

// childConfig is what the child is told.
type childConfig struct {
	Dir     string
	Blocks  string // file of RLP blocks
	Genesis *core.Genesis
	Mode    mode
	Unsafe  bool  // nothing is safe or finalized, and so nothing is frozen
	Heads   []int // indexes of blocks to make the head after all are, out of order
	Bare    bool  // no changes are kept
}

// runChild is a consensus client and its node in one process. After every answer it says what it was told.
func runChild() error {
	raw, err := os.ReadFile(os.Getenv(childVariable))
	if err != nil {
		return err
	}
	var cfg childConfig
	if err := json.Unmarshal(raw, &cfg); err != nil {
		return err
	}
	blocks, err := readBlocks(cfg.Blocks)
	if err != nil {
		return err
	}
	log.SetDefault(log.NewLogger(log.NewTerminalHandlerWithLevel(os.Stderr, log.LevelInfo, false)))
	n, err := openNode(cfg.Dir, cfg.Mode, cfg.Genesis)
	if err != nil {
		return err
	}
	n.unsafe = cfg.Unsafe
	if cfg.Bare {
		n.keeper.recorder.close() // nobody writes what is recorded
	}
	fmt.Println("up", n.chain().CurrentBlock().Number)
	for _, block := range blocks[n.chain().CurrentBlock().Number.Uint64():] {
		if block.ParentHash() != n.chain().CurrentBlock().Hash() {
			break // what comes is for Heads
		}
		if err := n.extend(block, func() { fmt.Println("valid", block.NumberU64()) }); err != nil {
			return err
		}
		fmt.Println("head", block.NumberU64())
	}
	for _, i := range cfg.Heads {
		if _, err := n.newPayload(blocks[i]); err != nil {
			return err
		}
		if _, err := n.forkchoice(blocks[i], nil); err != nil {
			return err
		}
	}
	fmt.Println("done", len(blocks))
	select {} // until the kill
}

func writeBlocks(t testing.TB, blocks types.Blocks) string {
	t.Helper()
	raw, err := rlp.EncodeToBytes(blocks)
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "blocks.rlp")
	require.NoError(t, os.WriteFile(name, raw, 0o600))
	return name
}

func readBlocks(name string) (types.Blocks, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var blocks types.Blocks
	return blocks, rlp.DecodeBytes(raw, &blocks)
}

// told is what a child was told of its node before it was killed: the last head, and the last block answered VALID.
type told struct{ head, valid uint64 }

// killed runs a child until it has made so many blocks its head, then a moment longer, and kills it.
func killed(t testing.TB, cfg childConfig, heads int, moment time.Duration) told {
	t.Helper()
	last, said, err := runUntil(t, cfg, heads, moment)
	require.NoError(t, err, "the child ended by itself:\n%s", said)
	return last
}

// runUntil is killed for a child that may end by itself: then it returns how, and what it said.
func runUntil(t testing.TB, cfg childConfig, heads int, moment time.Duration) (last told, said string, err error) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(cfg.Dir, "geth")); err != nil { // as with init, so that the genesis state is on the disk
		n, err := openNode(cfg.Dir, cfg.Mode, cfg.Genesis)
		require.NoError(t, err)
		n.close()
	}
	raw, err := json.Marshal(cfg)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "child.json")
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+file)
	logs, err := os.Create(filepath.Join(t.TempDir(), "child.log"))
	require.NoError(t, err)
	defer logs.Close()
	child.Stderr = logs
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	var (
		lines = bufio.NewScanner(out)
		kill  *time.Timer
	)
	for lines.Scan() {
		word, number, ok := strings.Cut(lines.Text(), " ")
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 64)
		require.NoError(t, err)
		switch word {
		case "valid":
			last.valid = n
			continue
		case "head", "up":
			last.head, last.valid = n, max(last.valid, n)
		}
		if heads--; (heads <= 0 || word == "done") && kill == nil {
			kill = time.AfterFunc(moment, func() { _ = child.Process.Kill() })
		}
	}
	err = child.Wait()
	if kill != nil {
		return last, "", nil
	}
	raw, readErr := os.ReadFile(logs.Name())
	require.NoError(t, readErr)
	return last, string(raw), err
}

// TestCrash kills nodes of every kind at random moments while they import blocks, again and again on one directory. Each
// time the head is the one that was acknowledged, its state is there, whole, and the next block can be built and imported,
// as plain op-geth's chain has it. No peer is there, and none is needed.
func TestCrash(t *testing.T) {
	t.Parallel()
	seed := testseed.New(t)
	count, kills := 420, 10
	if testing.Short() {
		count, kills = 60, 3
	}
	s := newSource(t, int64(seed))
	blocks := s.blocks(count)
	file := writeBlocks(t, blocks)
	for i, m := range allModes {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			cfg := childConfig{Dir: t.TempDir(), Blocks: file, Genesis: s.Genesis, Mode: m}
			for range kills {
				heads := 1 + rng.IntN(2*count/kills)
				last := killed(t, cfg, heads, time.Duration(rng.Int64N(int64(20*time.Millisecond))))
				requireRecovered(t, s, cfg, blocks, last)
			}
		})
	}
}

// crashed is killed for a node that has done all it was told.
func crashed(t testing.TB, cfg childConfig) {
	t.Helper()
	killed(t, cfg, math.MaxInt, 0)
}

// requireRecovered opens what a killed node has left.
func requireRecovered(t *testing.T, s *source, cfg childConfig, blocks types.Blocks, last told) {
	t.Helper()
	begin := time.Now()
	n, err := openNode(cfg.Dir, cfg.Mode, cfg.Genesis)
	require.NoError(t, err)
	defer n.close()
	head := n.chain().CurrentBlock()
	t.Logf("%d acknowledged, %d valid, back at %d after %v", last.head, last.valid, head.Number, time.Since(begin).Round(time.Millisecond))
	require.GreaterOrEqual(t, head.Number.Uint64(), last.head)
	require.LessOrEqual(t, head.Number.Uint64(), last.head+1, "the next one may have become the head unheard")
	if last.valid > 0 {
		valid := n.chain().GetBlockByHash(blocks[last.valid-1].Hash())
		require.NotNil(t, valid)
		require.True(t, n.chain().HasState(valid.Root()))
	}
	if head.Number.Uint64() == 0 {
		return
	}
	block := blocks[head.Number.Uint64()-1]
	require.Equal(t, block.Hash(), head.Hash())
	require.True(t, n.chain().HasState(head.Root))
	if last.head == 0 {
		return
	}
	final := block.ParentHash()
	if head.Number.Uint64() > last.head && n.chain().CurrentSafeBlock().Hash() != final {
		final = blocks[last.head-1].ParentHash() // the update that set the head was not carried out to its end
	}
	require.Equal(t, final, n.chain().CurrentSafeBlock().Hash(), "safe")
	require.Equal(t, final, n.chain().CurrentFinalBlock().Hash(), "finalized")
	if cfg.Mode.Scheme == rawdb.PathScheme {
		require.NoError(t, n.chain().TrieDB().VerifyState(head.Root), "flat state and trie")
	}
	// It builds.
	res, err := n.forkchoice(block, s.attributes(head))
	require.NoError(t, err)
	n.requireBuilt(t, res, block)
	// It imports, which compares roots.
	if next := head.Number.Uint64(); next < uint64(len(blocks)) {
		require.NoError(t, n.extend(blocks[next], func() {}))
	}
}
