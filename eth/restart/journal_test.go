// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// numbered returns a block that differs from all others by its number.
func numbered(n int64) *types.Block {
	return types.NewBlockWithHeader(&types.Header{Number: big.NewInt(n), Difficulty: new(big.Int), Extra: make([]byte, n%50)})
}

// begin opens the journal in a directory, with what is in it before.
func begin(t *testing.T, dir string, diskRoot func() common.Hash) (*journal, *contents) {
	t.Helper()
	before, err := readContents(dir)
	require.NoError(t, err)
	j, err := openJournal(before, diskRoot)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.close()) })
	return j, before
}

// A journal that was not closed says what was written to it; one that was closed says the heads, and the blocks that may
// become one.
func TestJournal(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	j, before := begin(t, dir, nil)
	require.Zero(t, before.heads)
	require.False(t, before.closed)
	heads := forkchoice{head: common.Hash{1}, safe: common.Hash{2}, finalized: common.Hash{3}}
	for n := range int64(20) {
		j.noteBlock(numbered(n))
		j.noteForkchoice(heads)
	}
	j.noteHead(common.Hash{4})
	heads.head = common.Hash{4}

	crashed, err := readContents(dir)
	require.NoError(t, err)
	require.Equal(t, heads, crashed.heads)
	require.False(t, crashed.closed)
	require.Empty(t, crashed.stopping)
	require.Len(t, crashed.blocks, 20)
	for n := range int64(20) {
		require.Equal(t, numbered(n).Hash(), crashed.block(numbered(n).Hash()).Hash())
	}
	require.Nil(t, crashed.block(common.Hash{9}))

	require.NoError(t, j.close())
	j.noteBlock(numbered(100)) // too late
	stopping, err := readContents(dir)
	require.NoError(t, err)
	require.Equal(t, rawdb.HashScheme, stopping.stopping)
	require.False(t, stopping.closed)
	require.NoError(t, markClosed(stopping, 7))
	closed, err := readContents(dir)
	require.NoError(t, err)
	require.True(t, closed.closed)
	require.EqualValues(t, 7, closed.layers)
	require.Equal(t, heads, closed.heads)
	require.Len(t, closed.segments, 1)
	require.Len(t, closed.blocks, maxChildren)
	require.Len(t, closed.children(&types.Header{Number: big.NewInt(15)}), 5)

	_, before = begin(t, dir, nil)
	require.True(t, before.closed)
	again, err := readContents(dir)
	require.NoError(t, err)
	require.False(t, again.closed, "it runs")
	require.Equal(t, heads, again.heads)
	require.Empty(t, again.blocks)
}

// However the end of a journal is torn or damaged, what is read is the beginning of what was written, and writing goes on
// behind it in a segment of its own.
func TestTornJournal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j, _ := begin(t, dir, nil)
	var sizes []int64 // of the file after each block
	for n := range int64(30) {
		j.noteBlock(numbered(n))
		j.noteForkchoice(forkchoice{head: numbered(n).Hash()})
		sizes = append(sizes, j.good)
	}
	whole, err := os.ReadFile(segmentPath(dir, 1))
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(testseed.New(t), 1))
	for range 500 {
		at := rng.Int64N(int64(len(whole)))
		torn := append([]byte(nil), whole...)
		switch rng.IntN(4) {
		case 0:
			torn = torn[:at]
		case 1:
			torn[at] ^= byte(1 + rng.IntN(255))
		case 2: // a write that reached the disk in part
			clear(torn[at:min(at+512, int64(len(torn)))])
		case 3:
			torn = append(torn[:at], whole[rng.Int64N(int64(len(whole))):]...)
		}
		other := t.TempDir()
		require.NoError(t, os.WriteFile(segmentPath(other, 1), torn, 0o600))
		c, err := readContents(other)
		require.NoError(t, err)
		intact := int64(0)
		for _, size := range sizes {
			if size <= at {
				intact++
			}
		}
		require.GreaterOrEqual(t, int64(len(c.blocks)), intact)
		for n := range intact {
			require.NotNil(t, c.block(numbered(n).Hash()))
		}
		next, _ := begin(t, other, nil)
		next.noteBlock(numbered(1000))
		c, err = readContents(other)
		require.NoError(t, err)
		require.NotNil(t, c.block(numbered(1000).Hash()))
	}
}

// A disk that is full for a while costs what was written meanwhile, and nothing else.
func TestJournalOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j, _ := begin(t, dir, nil)
	j.noteBlock(numbered(1))
	file := j.file
	full, err := os.Open(file.Name()) // cannot be written
	require.NoError(t, err)
	j.file = full
	j.noteBlock(numbered(2))
	j.noteForkchoice(forkchoice{head: common.Hash{7}})
	require.True(t, j.failing)
	require.NoError(t, full.Close())
	_, err = file.WriteAt([]byte("half a record"), j.good)
	require.NoError(t, err)
	j.file = file
	j.noteBlock(numbered(3))
	require.False(t, j.failing)
	j.noteForkchoice(forkchoice{head: common.Hash{8}})

	c, err := readContents(dir)
	require.NoError(t, err)
	require.NotNil(t, c.block(numbered(1).Hash()))
	require.Nil(t, c.block(numbered(2).Hash()))
	require.NotNil(t, c.block(numbered(3).Hash()))
	require.Equal(t, common.Hash{8}, c.heads.head)
}

// Segments go when the database has what is in them, and at last when there are too many.
func TestJournalIsBounded(t *testing.T) {
	t.Parallel()
	write := func(j *journal, from, to int64) {
		for n := from; n < to; n++ {
			j.noteBlock(numbered(n))
			j.noteState(emptyState(common.Hash{byte(n >> 8), byte(n)}))
		}
	}
	t.Run("without states", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		j, _ := begin(t, dir, nil)
		write(j, 0, 10*segmentBlocks)
		segments, err := listSegments(dir)
		require.NoError(t, err)
		require.Len(t, segments, 2)
		c, err := readContents(dir)
		require.NoError(t, err)
		require.NotNil(t, c.block(numbered(10*segmentBlocks-segmentBlocks).Hash()), "the newest are there")
	})
	t.Run("states", func(t *testing.T) {
		t.Parallel()
		var disk int64
		dir := t.TempDir()
		j, _ := begin(t, dir, func() common.Hash { return common.Hash{byte(disk >> 8), byte(disk)} })
		write(j, 0, 5*segmentBlocks)
		require.Len(t, j.segments, 5, "the database has state 0 only")
		disk = 3*segmentBlocks + 1
		write(j, 5*segmentBlocks, 5*segmentBlocks+1)
		require.Len(t, j.segments, 3, "those of the state on the disk and after it")
		write(j, 5*segmentBlocks+1, 30*segmentBlocks)
		require.Len(t, j.segments, maxSegments)
		segments, err := listSegments(dir)
		require.NoError(t, err)
		require.Len(t, segments, maxSegments)
	})
}

// emptyState is the record of a state that nothing is said about.
func emptyState(root common.Hash) []byte {
	record := append(make([]byte, recordHeader, 200), make([]byte, common.HashLength)...)
	record = append(append(record, root[:]...), 0, 0, 0, 0)
	putHeader(record, kindState)
	return record
}

// A node without a data directory has no journal.
func TestNoJournal(t *testing.T) {
	t.Parallel()
	var j *journal
	j.noteBlock(numbered(1))
	j.noteForkchoice(forkchoice{})
	j.noteHead(common.Hash{})
	require.NoError(t, j.close())
}
