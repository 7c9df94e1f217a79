// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/node"
)

// Prepare brings the chain of a node to where it was before its last end, and sees to it that the node keeps its
// journal. It has to be called before the node's eth service is made, as that decides from the head whether it trusts
// the state or syncs it from peers; while a chain is prepared, the node has no endpoints. After an orderly stop
// ([Closed]) nothing is to be done.
//
// A chain that cannot be brought back is logged, and left to the consensus client and to peers; an error means that the database
// cannot be opened, and op-geth's own start would fail as well.
func Prepare(stack *node.Node, cfg *ethconfig.Config) error {
	if stack.InstanceDir() == "" {
		return nil // nothing outlives the process
	}
	dir := stack.ResolvePath(journalDir)
	journal, err := readContents(dir)
	if err != nil {
		return err
	}
	// Without a journal another program may have run here last, and nobody knows how it ended.
	if !(journal.closed && journal.layers == layersSize(stack)) && common.FileExist(stack.ResolvePath(chainDir)) {
		if err := recoverChain(stack, cfg, journal); err != nil {
			return fmt.Errorf("recover the chain after an unclean stop: %w", err)
		}
		if err := markClosed(journal, layersSize(stack)); err != nil {
			return err
		}
	}
	watchStates(cfg, dir)
	return nil
}

// chainDir is op-geth's name for the directory of the chain's database.
const chainDir = "chaindata"

// recoverChain opens the chain, makes the acknowledged head again, and closes the chain in good order. What it has reached
// is the head of the journal then.
func recoverChain(stack *node.Node, cfg *ethconfig.Config, journal *contents) error {
	begin := time.Now()
	log.Info("Looking for what the last stop of the node has lost")
	chain, db, closeAll, err := openChain(stack, cfg)
	if err != nil {
		return err
	}
	found := chain.CurrentBlock()
	r := &replay{chain: chain, db: db, journal: journal, importing: new(sync.Mutex)}
	r.bringBack(journal.heads)
	head := chain.CurrentBlock()
	journal.heads.head = head.Hash()
	r.tidy(found.Number.Uint64())
	if err := closeAll(); err != nil {
		return err
	}
	log.Info("Recovered the chain", "from", found.Number, "to", head.Number, "hash", head.Hash(),
		"applied", r.applied, "executed", r.executed, "elapsed", common.PrettyDuration(time.Since(begin)))
	return nil
}

// bringBack makes the acknowledged head the head again, or what comes nearest to it.
func (r *replay) bringBack(heads forkchoice) {
	stored := r.chain.CurrentHeader() // op-geth goes back to a state by its head block alone
	if r.syncing() {
		return // there is no state yet
	}
	targets := []common.Hash{heads.head, stored.Hash()}
	if heads.head == (common.Hash{}) {
		targets = targets[1:]
	}
	if isBelow(r.chain, heads.head, stored) {
		targets = targets[1:] // the consensus client went back without another block, and op-geth did not
	}
	for _, target := range targets {
		err := r.to(context.Background(), target)
		if err == nil {
			break
		}
		log.Error("The head cannot be made again: the consensus client has to send what is missing", "hash", target, "err", err)
	}
	restoreFinal(r.chain, heads)
}

// tidy removes what executing frozen blocks again has written of them beside what is frozen.
func (r *replay) tidy(from uint64) {
	frozen, err := r.db.Ancients()
	if err != nil {
		return // there is no ancient store
	}
	batch := r.db.NewBatch()
	for number := from + 1; number < frozen; number++ {
		hash := rawdb.ReadCanonicalHash(r.db, number)
		rawdb.DeleteBlockWithoutNumber(batch, hash, number)
		rawdb.DeleteCanonicalHash(batch, number)
	}
	if err := batch.Write(); err != nil {
		log.Warn("Copies of frozen blocks are left in the database", "err", err)
	}
}

// restoreFinal sets the safe and the finalized block, which op-geth drops when it goes back below them. It keeps no
// safe block over a restart at all.
func restoreFinal(chain *core.BlockChain, heads forkchoice) {
	if head := chain.CurrentBlock(); isBelow(chain, heads.finalized, head) {
		chain.SetFinalized(chain.GetHeaderByHash(heads.finalized))
	}
	if head := chain.CurrentBlock(); isBelow(chain, heads.safe, head) {
		chain.SetSafe(chain.GetHeaderByHash(heads.safe))
	}
}

// syncing tells whether op-geth is getting the state from peers, over starts of the node.
func (r *replay) syncing() bool { return rawdb.ReadSnapSyncStatusFlag(r.db) == rawdb.StateSyncRunning }

// isBelow tells whether a block is the given canonical one or an ancestor of it.
func isBelow(chain *core.BlockChain, hash common.Hash, head *types.Header) bool {
	header := chain.GetHeaderByHash(hash)
	return header != nil && header.Number.Cmp(head.Number) <= 0 && chain.GetCanonicalHash(header.Number.Uint64()) == hash
}
