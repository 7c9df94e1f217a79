// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// newReceiptRoot begins the root of a block's receipts.
func newReceiptRoot() *miner.ListRoot { return miner.NewListRoot() }

// stateDatabase opens the state database of the chain as the chain itself does.
func stateDatabase(chain *core.BlockChain) state.Database {
	return state.NewDatabase(chain.TrieDB(), chain.CodeDB()).WithSnapshot(chain.Snapshots())
}

// stack gives b a store of its own that holds the pending blocks up to parent on an anchor. Attempts at
// one number must not share a store, as layers cannot be taken back.
func (b *block) stack(parent *block, anchor *types.Header, db state.Database) error {
	store, err := newStore(anchor, db)
	if err != nil {
		return err
	}
	parent.replay(store)
	b.store, b.version = store, store.version
	return nil
}

// replay adds the layers of b and of the pending blocks under it to a store.
func (b *block) replay(to *store) {
	if b == nil {
		return
	}
	b.parent.replay(to)
	for _, diff := range b.diffs {
		to.add(diff)
	}
}

// prepare runs what precedes the first transaction of b.
func (p *Processor) prepare(b *block, parent *types.Header, first *flashblocks.Flashblock) error {
	at := &reader{store: b.store, version: b.version}
	db, err := at.stateDB()
	if err != nil {
		return err
	}
	var l1Info *types.Transaction
	if txs, _, err := b.decode(&flashblocks.Diff{Transactions: first.Diff.Transactions[:min(1, len(first.Diff.Transactions))]}); err != nil {
		return err
	} else if len(txs) > 0 {
		l1Info = txs[0]
	}
	b.exec, err = miner.NewExecution(contextOf(p.cfg.Chain, b.parent, b.base.ParentHash), parent, b.header, db, l1Info, p.cfg.VMConfig(b.header))
	return err
}
