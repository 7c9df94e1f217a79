// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"context"
	"sync"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethdb"
	"github.com/ethereum/go-ethereum/node"
)

// Keeper keeps the journal of a running node, and sees to it that its Engine API says nothing of blocks without a state.
type Keeper struct {
	chain    *core.BlockChain
	journal  *journal
	recorder *recorder    // nil if changes of states are not kept
	points   *checkpoints // nil where the scheme does without
	remaker  *remaker
	api      *ConsensusAPI

	stop context.CancelFunc
	wg   sync.WaitGroup
}

// New opens the journal of a node, and makes its Engine API, of which there may be one only. [Prepare] comes before the
// node's eth service is made, so before this. archive tells whether the node keeps all states.
// decide is asked about every forkchoice state whose head is a block with a state.
func New(stack *node.Node, ethereum *gethEth.Ethereum, archive bool, decide Decision) (*Keeper, error) {
	var (
		chain, db = ethereum.BlockChain(), ethereum.ChainDb()
		before    = new(contents)
		k         = &Keeper{chain: chain}
		children  []*types.Block
	)
	if chain.TrieDB().Scheme() == rawdb.HashScheme && !archive {
		k.points = newCheckpoints(chain.TrieDB().Commit)
	}
	if stack.InstanceDir() != "" { // else nothing outlives the process
		dir := stack.ResolvePath(journalDir)
		var err error
		if before, err = readContents(dir); err != nil {
			return nil, err
		}
		children = before.children(chain.CurrentBlock())
		if k.journal, err = openJournal(before, diskRoot(chain, db)); err != nil {
			return nil, err
		}
		k.recorder = newRecorder(k.journal, chain)
	}
	importing := new(sync.Mutex)
	r := &replay{chain: chain, db: db, journal: before, importing: importing}
	snap := func() bool { return ethereum.Downloader().ConfigSyncMode() == ethconfig.SnapSync }
	restoreFinal(chain, before.heads)
	if !snap() {
		r.bringChildren(children)
	}
	for _, block := range children {
		k.journal.noteBlock(block) // the database has not written them yet
	}
	k.remaker = newRemaker(func(ctx context.Context, target common.Hash) error {
		return r.to(ctx, target)
	})
	k.api = &ConsensusAPI{
		ConsensusAPI: catalyst.NewConsensusAPI(ethereum), chain: chain, journal: k.journal, remaker: k.remaker, importing: importing,
		snap: snap, decide: decide,
	}
	return k, nil
}

// diskRoot returns what tells which state the path database has on the disk, nil for the hash scheme.
func diskRoot(chain *core.BlockChain, db ethdb.Database) func() common.Hash {
	if chain.TrieDB().Scheme() != rawdb.PathScheme {
		return nil
	}
	return func() common.Hash { return crypto.Keccak256Hash(rawdb.ReadAccountTrieNode(db, nil)) }
}

// ConsensusAPI returns the node's Engine API.
func (k *Keeper) ConsensusAPI() *ConsensusAPI { return k.api }

// Decision judges a forkchoice state before any of it is applied. What it returns is the answer; nil lets op-geth go on.
type Decision func(update engine.ForkchoiceStateV1) error

// Start begins to note what blocks change, and heads that come without a forkchoice update: those of a sync, and of an operator
// who goes back.
func (k *Keeper) Start(ctx context.Context) error {
	if k.recorder != nil {
		k.recorder.start(ctx)
	}
	ctx, k.stop = context.WithCancel(context.WithoutCancel(ctx))
	if k.points != nil {
		k.wg.Go(func() { k.points.run(ctx) })
	}
	heads := make(chan core.ChainHeadEvent, 16)
	sub := k.chain.SubscribeChainHeadEvent(heads)
	k.wg.Go(func() {
		defer sub.Unsubscribe()
		for {
			select {
			case <-heads:
				head := k.chain.CurrentBlock() // which a forkchoice update may have set meanwhile
				k.journal.noteHead(head.Hash())
				if k.points != nil {
					k.points.head(head)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return nil
}

// Stop ends all work and closes the journal. The chain must not be stopped before.
func (k *Keeper) Stop() error {
	if k.stop != nil {
		k.stop()
	}
	k.wg.Wait()
	k.remaker.close()
	if k.recorder != nil {
		k.recorder.close()
	}
	return k.journal.close()
}
