// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
)

// journalDir is where, in the node's directory, the journal is.
const journalDir = "flashblocks-restart"

const (
	// segmentBlocks and segmentBytes bound a segment: whatever is reached first begins the next one.
	segmentBlocks = 64
	segmentBytes  = 256 << 20

	// maxSegments bounds the journal whatever the database does. It is more than the path database keeps in memory,
	// 128 states above its write buffer and up to 128 in it, and more than that again while a buffer is being written.
	maxSegments = 8
)

// Journal keeps on the disk what op-geth would lose with its memory. What is written to it survives the end of the
// process at once, and the end of the machine once the kernel has written it.
//
// A failure to write, as with a full disk, is logged and makes the journal useless until there is room again; it stops
// nothing. A nil journal, that of a node without a data directory, keeps nothing.
type journal struct {
	dir string

	// diskRoot returns the state that the path database has on the disk; nil if changes of states are not kept.
	diskRoot func() common.Hash

	mu       sync.Mutex
	file     *os.File
	good     int64 // length of the file up to the last whole record
	blocks   int   // in the newest segment
	segments []segment
	heads    forkchoice
	failing  bool // the last write has failed, and it was said
}

// segment is what the journal knows of a file of its own.
type segment struct {
	number uint64
	roots  map[common.Hash]struct{} // of the states in it
}

// openJournal continues a journal with a segment of its own. If the node was closed before, older segments are of no
// use.
func openJournal(before *contents, diskRoot func() common.Hash) (*journal, error) {
	if err := os.MkdirAll(before.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the restart journal: %w", err)
	}
	j := &journal{dir: before.dir, diskRoot: diskRoot, heads: before.heads}
	for _, number := range before.segments {
		s := segment{number: number, roots: make(map[common.Hash]struct{})}
		for t, at := range before.states {
			if at.segment == number {
				s.roots[t.root] = struct{}{}
			}
		}
		j.segments = append(j.segments, s)
	}
	if err := j.rotate(); err != nil {
		return nil, err
	}
	if before.closed {
		j.drop(len(j.segments) - 1)
	}
	return j, nil
}

// rotate begins a segment, with the heads as its first record, and removes those that have become useless.
func (j *journal) rotate() error {
	next := uint64(1)
	if n := len(j.segments); n > 0 {
		next = j.segments[n-1].number + 1
	}
	file, err := os.OpenFile(segmentPath(j.dir, next), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("begin a segment of the restart journal: %w", err)
	}
	record := headsRecord(j.heads)
	if _, err := file.Write(record); err != nil {
		return errors.Join(fmt.Errorf("begin a segment of the restart journal: %w", err), file.Close(), os.Remove(file.Name()))
	}
	if j.file != nil {
		if err := j.file.Close(); err != nil {
			log.Warn("Cannot close a segment of the restart journal", "err", err)
		}
	}
	j.file, j.good, j.blocks = file, int64(len(record)), 0
	j.segments = append(j.segments, segment{number: next, roots: make(map[common.Hash]struct{})})
	j.drop(j.useless())
	return nil
}

// useless counts the oldest segments that nobody needs any more: those before the one that leads to the state on the
// disk, and those that are too many, but never the last full one, whose blocks the database may not have written yet.
func (j *journal) useless() int {
	spare := max(len(j.segments)-2, 0)
	if j.diskRoot == nil {
		return spare
	}
	count, disk := max(len(j.segments)-maxSegments, 0), j.diskRoot()
	for i := count; i <= spare; i++ {
		if _, ok := j.segments[i].roots[disk]; ok {
			count = i // the last one, should the state have been reached twice
		}
	}
	return count
}

// drop removes the n oldest segments.
func (j *journal) drop(n int) {
	for _, s := range j.segments[:n] {
		if err := os.Remove(segmentPath(j.dir, s.number)); err != nil {
			log.Warn("Cannot remove a segment of the restart journal", "err", err)
		}
	}
	j.segments = append([]segment(nil), j.segments[n:]...)
}

// noteBlock notes a block before it is answered VALID.
func (j *journal) noteBlock(block *types.Block) {
	if j == nil {
		return
	}
	record, err := blockRecord(block)
	if err != nil {
		log.Error("The restart journal lacks a block", "hash", block.Hash(), "err", err)
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.blocks >= segmentBlocks || j.good >= segmentBytes {
		if err := j.rotate(); err != nil {
			j.failed(err)
			return
		}
	}
	if j.append(record) {
		j.blocks++
	}
}

// noteForkchoice notes the heads of a forkchoice update before it is answered VALID.
func (j *journal) noteForkchoice(heads forkchoice) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if heads != j.heads && j.append(headsRecord(heads)) {
		j.heads = heads
	}
}

// noteHead notes a head that came without a forkchoice update.
func (j *journal) noteHead(hash common.Hash) {
	if j == nil {
		return
	}
	j.mu.Lock()
	heads := j.heads
	j.mu.Unlock()
	heads.head = hash
	j.noteForkchoice(heads)
}

// noteState notes the changes of a state record.
func (j *journal) noteState(record []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.append(record) {
		root := transitionOf(record[recordHeader:]).root
		j.segments[len(j.segments)-1].roots[root] = struct{}{}
	}
}

// append writes a whole record or nothing. The lock is held.
func (j *journal) append(record []byte) bool {
	if j.file == nil {
		return false // closed
	}
	if j.failing { // what a failed write has left must not stand before the next record
		if err := j.file.Truncate(j.good); err != nil {
			return false
		}
	}
	if _, err := j.file.WriteAt(record, j.good); err != nil {
		j.failed(err)
		return false
	}
	j.good += int64(len(record))
	if j.failing {
		j.failing = false
		log.Info("The restart journal can be written again")
	}
	return true
}

// failed says once that the journal cannot be written.
func (j *journal) failed(err error) {
	if !j.failing {
		log.Error("Cannot write the restart journal: a crash may lose the newest blocks", "err", err)
	}
	j.failing = true
}

// close ends writing, as the node stops. What is in the journal stays.
func (j *journal) close() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	scheme := rawdb.HashScheme
	if j.diskRoot != nil {
		scheme = rawdb.PathScheme
	}
	record := append(make([]byte, recordHeader), scheme...)
	putHeader(record, kindStopping)
	j.append(record)
	err := j.file.Close()
	j.file = nil
	return err
}
