// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethdb"
	"github.com/ethereum/go-ethereum/log"
)

const (
	// maxReplayed bounds how many blocks below a head a state is looked for.
	maxReplayed = 1 << 16

	// replayReport is how often a long replay says how far it is.
	replayReport = 8 * time.Second
)

// replay makes the states of blocks again, from the nearest state below them.
type replay struct {
	chain   *core.BlockChain
	db      ethdb.Database
	journal *contents // what the database may lack

	importing sync.Locker // held while a block that may be known is executed

	executed, applied int // blocks so far
}

// to makes the state of the target and makes it the head. If a block fails the head is the last good one.
func (r *replay) to(ctx context.Context, target common.Hash) error {
	base, hashes, err := r.path(target)
	if err != nil {
		return err
	}
	if !r.chain.HasState(base.Root) { // the path database takes changes back, under op-geth's lock
		if err := r.setHead(base); err != nil {
			return err
		}
	}
	last, err := r.run(ctx, base, hashes)
	if last.Hash() != r.chain.CurrentBlock().Hash() {
		if err := r.setHead(last); err != nil {
			return err
		}
	}
	return err
}

// setHead makes a block of the database the head.
func (r *replay) setHead(header *types.Header) error {
	block := r.chain.GetBlock(header.Hash(), header.Number.Uint64())
	if block == nil {
		return errBlockMissing
	}
	if _, err := r.chain.SetCanonical(block); err != nil {
		return fmt.Errorf("set block %d as the head: %w", header.Number, err)
	}
	return nil
}

// path returns the nearest block at or below the target that has a state, and the hashes of those from there
// to the target, oldest first. Above the head there may be single states on the disk: they are passed over, as
// op-geth's snapshot, which has to follow every block, is below them.
func (r *replay) path(target common.Hash) (base *types.Header, hashes []common.Hash, err error) {
	head := r.chain.CurrentBlock().Number
	for hash := target; ; {
		header := r.header(hash)
		switch {
		case header == nil:
			return nil, nil, fmt.Errorf("%w: %v, %d below the head", errBlockMissing, hash, len(hashes))
		case header.Number.Cmp(head) <= 0 && r.reachable(header.Root):
			slices.Reverse(hashes)
			return header, hashes, nil
		case header.Number.Sign() == 0 || len(hashes) == maxReplayed:
			return nil, nil, errTooFar
		}
		hashes = append(hashes, hash)
		hash = header.ParentHash
	}
}

// reachable tells whether a state is there, or can be reached by taking back what came after it.
func (r *replay) reachable(root common.Hash) bool {
	if r.chain.HasState(root) {
		return true
	}
	back, err := r.chain.TrieDB().Recoverable(root) // an error of the hash scheme, which has nothing like it
	return err == nil && back
}

// header returns the header of a block of the database or of the journal, nil if neither has it.
func (r *replay) header(hash common.Hash) *types.Header {
	if header := r.chain.GetHeaderByHash(hash); header != nil {
		return header
	}
	if block := r.journal.block(hash); block != nil {
		return block.Header()
	}
	return nil
}

// block returns a block of the database or of the journal, nil if neither has it.
func (r *replay) block(hash common.Hash) *types.Block {
	if block := r.chain.GetBlockByHash(hash); block != nil {
		return block
	}
	return r.journal.block(hash)
}

// run makes the states of the blocks, and returns the last one that has its state.
func (r *replay) run(ctx context.Context, last *types.Header, hashes []common.Hash) (*types.Header, error) {
	reported := time.Now()
	for i, hash := range hashes {
		if ctx.Err() != nil {
			return last, errStopped
		}
		block := r.block(hash)
		if block == nil {
			return last, errBlockMissing
		}
		if err := r.remake(ctx, last.Root, block); err != nil {
			return last, fmt.Errorf("make the state of block %d again: %w", block.NumberU64(), err)
		}
		last = block.Header()
		if time.Since(reported) > replayReport {
			reported = time.Now()
			log.Info("Making states again", "number", block.Number(), "hash", hash, "left", len(hashes)-1-i)
		}
	}
	return last, nil
}

// remake makes the state of a block on that of its parent, whose root is given: by the changes that the journal has, or else by executing it.
func (r *replay) remake(ctx context.Context, parent common.Hash, block *types.Block) error {
	r.importing.Lock()
	defer r.importing.Unlock()
	stored := r.chain.HasBlock(block.Hash(), block.NumberU64())
	if stored && r.complete(parent, block) {
		return nil
	}
	if stored && rawdb.HasReceipts(r.db, block.Hash(), block.NumberU64()) && r.apply(parent, block) {
		r.applied++
		return nil
	}
	r.executed++
	_, err := r.chain.InsertBlockWithoutSetHead(ctx, block, false)
	return err
}

// complete tells whether nothing is to be done for a block: its state is there, and in the snapshot of the hash
// scheme as well, unless that is being generated anew.
func (r *replay) complete(parent common.Hash, block *types.Block) bool {
	if !r.chain.HasState(block.Root()) {
		return false
	}
	snaps := r.chain.Snapshots()
	return snaps == nil || snaps.Snapshot(block.Root()) != nil || snaps.Snapshot(parent) == nil
}

// apply takes the changes of the block from the journal.
func (r *replay) apply(parent common.Hash, block *types.Block) bool {
	content := r.journal.state(transition{parent, block.Root()})
	if content == nil || r.chain.TrieDB().Scheme() != rawdb.PathScheme {
		return false
	}
	rawKeys := r.chain.Config().IsCancun(block.Number(), block.Time()) // as op-geth commits, see StateDB.commit
	changes, err := decodeState(content, rawKeys)
	if err != nil {
		log.Error("The changes of a block in the restart journal are damaged", "number", block.Number(), "hash", block.Hash(), "err", err)
		return false
	}
	for hash, code := range changes.codes {
		rawdb.WriteCode(r.db, hash, code)
	}
	if err := r.chain.TrieDB().Update(block.Root(), parent, block.NumberU64(), changes.nodes, changes.states); err != nil {
		log.Warn("The changes of a block in the restart journal cannot be used", "number", block.Number(), "hash", block.Hash(), "err", err)
		return false
	}
	return true
}
