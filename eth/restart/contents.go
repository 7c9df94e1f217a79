// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/rlp"
)

// segmentSuffix ends the names of the journal's files. Before it stands a number; the highest is the newest.
const segmentSuffix = ".journal"

// place is where the content of a record is.
type place struct {
	segment uint64
	offset  int64
	size    int
}

// contents is what a journal says. Blocks and changes of states stay on the disk until they are asked for.
type contents struct {
	dir      string
	segments []uint64 // oldest first
	heads    forkchoice
	stopping string // the state scheme, if the node has begun to stop
	closed   bool   // and has ended it
	layers   uint64 // then: the size of op-geth's file with the newest states
	blocks   map[common.Hash]place
	states   map[transition]place
}

// transition names the changes that lead from one state to another.
type transition struct{ parent, root common.Hash }

// readContents reads the journal in a directory. What a crash has torn, or somebody has damaged, is left out: a block
// or a state that is missing here is one that has to come from elsewhere.
func readContents(dir string) (*contents, error) {
	c := &contents{dir: dir, blocks: make(map[common.Hash]place), states: make(map[transition]place)}
	segments, err := listSegments(dir)
	if err != nil {
		return nil, err
	}
	c.segments = segments
	for _, segment := range segments {
		if err := c.readSegment(segment); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// listSegments returns the numbers of the segments in a directory, oldest first. No directory is an empty one.
func listSegments(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the restart journal: %w", err)
	}
	var segments []uint64
	for _, entry := range entries {
		name, ours := strings.CutSuffix(entry.Name(), segmentSuffix)
		if number, err := strconv.ParseUint(name, 10, 64); ours && err == nil {
			segments = append(segments, number)
		}
	}
	slices.Sort(segments)
	return segments, nil
}

// segmentPath returns the name of a segment's file.
func segmentPath(dir string, segment uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%08d%s", segment, segmentSuffix))
}

// readSegment reads one file up to its end or to what is not a record.
func (c *contents) readSegment(segment uint64) error {
	file, err := os.Open(segmentPath(c.dir, segment))
	if err != nil {
		return fmt.Errorf("read the restart journal: %w", err)
	}
	defer file.Close()
	var (
		reader = bufio.NewReaderSize(file, 1<<20)
		offset int64
		buf    []byte
	)
	for {
		record, err := readRecord(reader, buf)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errTorn):
			log.Warn("The restart journal is torn: the node takes what comes before", "segment", segment, "offset", offset)
			return nil
		case err != nil:
			return err
		}
		c.add(recordKind(record[0]), record[recordHeader:], place{segment, offset + recordHeader, len(record) - recordHeader})
		offset += int64(len(record))
		buf = record
	}
}

// add notes a record. Kinds of later versions are passed over.
func (c *contents) add(kind recordKind, content []byte, at place) {
	c.closed = kind == kindClosed // what comes later takes both back
	if kind != kindClosed {
		c.stopping = ""
	}
	switch kind {
	case kindBlock:
		if len(content) > common.HashLength {
			c.blocks[common.BytesToHash(content[:common.HashLength])] = at
		}
	case kindHeads:
		if heads, ok := decodeHeads(content); ok {
			c.heads = heads
		}
	case kindState:
		if len(content) > 2*common.HashLength {
			c.states[transitionOf(content)] = at
		}
	case kindStopping:
		c.stopping = string(content)
	case kindClosed:
		c.closed = len(content) == 8
		if c.closed {
			c.layers = binary.BigEndian.Uint64(content)
		}
	}
}

// transitionOf returns between which states the content of a state record leads.
func transitionOf(content []byte) transition {
	return transition{
		parent: common.BytesToHash(content[:common.HashLength]),
		root:   common.BytesToHash(content[common.HashLength : 2*common.HashLength]),
	}
}

// block returns a block that the journal holds, nil if it does not.
func (c *contents) block(hash common.Hash) *types.Block {
	content := c.read(c.blocks[hash])
	if content == nil {
		return nil
	}
	block := new(types.Block)
	if err := rlp.DecodeBytes(content[common.HashLength:], block); err != nil || block.Hash() != hash {
		log.Error("A block of the restart journal cannot be read", "hash", hash, "err", err)
		return nil
	}
	return block
}

// newest returns the hashes of the n blocks that were noted last, oldest first.
func (c *contents) newest(n int) []common.Hash {
	hashes := slices.SortedFunc(maps.Keys(c.blocks), func(a, b common.Hash) int {
		x, y := c.blocks[a], c.blocks[b]
		return cmp.Or(cmp.Compare(x.segment, y.segment), cmp.Compare(x.offset, y.offset))
	})
	return hashes[max(len(hashes)-n, 0):]
}

// state returns the content of a state record, nil if there is none.
func (c *contents) state(t transition) []byte { return c.read(c.states[t]) }

// read returns the content of a record, nil if there is none.
func (c *contents) read(at place) []byte {
	if at.size == 0 {
		return nil
	}
	file, err := os.Open(segmentPath(c.dir, at.segment))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the running node has no use for it any more
	}
	if err != nil {
		log.Error("The restart journal cannot be read", "err", err)
		return nil
	}
	defer file.Close()
	content := make([]byte, at.size)
	if _, err := file.ReadAt(content, at.offset); err != nil {
		log.Error("The restart journal cannot be read", "err", err)
		return nil
	}
	return content
}
