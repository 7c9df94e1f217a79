// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/history"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethdb"
	"github.com/ethereum/go-ethereum/ethdb/leveldb"
	"github.com/ethereum/go-ethereum/ethdb/pebble"
	"github.com/ethereum/go-ethereum/node"
)

// untruncated is a database that says it has frozen nothing. op-geth, when it finds a chain whose head has no state, goes
// back to one that has, and throws away what is frozen above: the blocks that are to be executed again. It asks for that number
// for no other purpose while it opens a chain; what is frozen is read as ever.
type untruncated struct{ ethdb.Database }

// Ancients implements ethdb.AncientReaderOp.
func (untruncated) Ancients() (uint64, error) { return 0, nil }

// openChain opens the node's database and the chain in it, as op-geth is going to with the same configuration, for as long as
// the returned function has not been called. Everything that follows the chain, pool, downloader and indexes, is left out.
func openChain(stack *node.Node, cfg *ethconfig.Config) (chain *core.BlockChain, db ethdb.Database, closeAll func() error, err error) {
	db, err = openDatabase(stack, cfg)
	if err != nil {
		return nil, nil, nil, err
	}
	chain, err = newChain(stack, cfg, untruncated{db})
	if err != nil {
		return nil, nil, nil, errors.Join(err, db.Close())
	}
	return chain, db, func() error {
		chain.Stop()
		return db.Close()
	}, nil
}

// openDatabase opens the node's existing database when its freezer has come to rest. The freezer begins with what was left to
// do; it takes blocks that are executed again meanwhile for a side chain, and deletes them with everything on top.
func openDatabase(stack *node.Node, cfg *ethconfig.Config) (ethdb.Database, error) {
	kv, err := openKeyValues(stack.ResolvePath(chainDir), cfg)
	if err != nil {
		return nil, err
	}
	db, err := rawdb.Open(kv, rawdb.OpenOptions{Ancient: stack.ResolveAncient(chainDir, cfg.DatabaseFreezer), Era: cfg.DatabaseEra})
	if err != nil {
		return nil, errors.Join(err, kv.Close())
	}
	freezer, ok := db.(interface{ Freeze() error })
	if !ok {
		return nil, errors.Join(errNoFreezer, db.Close())
	}
	if err := freezer.Freeze(); err != nil { // once more than it does by itself, and then not for a minute
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openKeyValues opens what is not frozen of a database.
func openKeyValues(dir string, cfg *ethconfig.Config) (ethdb.KeyValueStore, error) {
	if rawdb.PreexistingDatabase(dir) == rawdb.DBLeveldb {
		return leveldb.New(dir, cfg.DatabaseCache, cfg.DatabaseHandles, "", false)
	}
	return pebble.New(dir, cfg.DatabaseCache, cfg.DatabaseHandles, "", false)
}

// newChain is the part of op-geth's eth.New that makes the chain.
func newChain(stack *node.Node, cfg *ethconfig.Config, db ethdb.Database) (*core.BlockChain, error) {
	scheme, err := rawdb.ParseStateScheme(cfg.StateScheme, db)
	if err != nil {
		return nil, err
	}
	chainConfig, genesis, err := core.LoadChainConfig(db, cfg.Genesis)
	if err != nil {
		return nil, err
	}
	engine, err := ethconfig.CreateConsensusEngine(chainConfig, db)
	if err != nil {
		return nil, err
	}
	policy, err := history.NewPolicy(cfg.HistoryMode, genesis)
	if err != nil {
		return nil, fmt.Errorf("history of the chain: %w", err)
	}
	return core.NewBlockChain(db, cfg.Genesis, engine, &core.BlockChainConfig{
		TrieCleanLimit:          cfg.TrieCleanCache,
		NoPrefetch:              cfg.NoPrefetch,
		TrieDirtyLimit:          cfg.TrieDirtyCache,
		ArchiveMode:             cfg.NoPruning,
		TrieTimeLimit:           cfg.TrieTimeout,
		SnapshotLimit:           cfg.SnapshotCache,
		SnapshotNoBuild:         true, // the node's own takes it up; here it could outlive the database
		Preimages:               cfg.Preimages,
		StateHistory:            cfg.StateHistory,
		TrienodeHistory:         cfg.TrienodeHistory,
		NodeFullValueCheckpoint: cfg.NodeFullValueCheckpoint,
		StateScheme:             scheme,
		HistoryPolicy:           policy,
		TxLookupLimit:           -1, // the node's own indexer catches up
		TrieJournalDirectory:    stack.ResolvePath("triedb"),
		SlowBlockThreshold:      -1,
		Overrides:               overrides(cfg),
	})
}

// overrides are the forks that the operator sets on the command line.
func overrides(cfg *ethconfig.Config) *core.ChainOverrides {
	return &core.ChainOverrides{
		OverrideOsaka:            cfg.OverrideOsaka,
		OverrideBPO1:             cfg.OverrideBPO1,
		OverrideBPO2:             cfg.OverrideBPO2,
		OverrideVerkle:           cfg.OverrideVerkle,
		OverrideOptimismCanyon:   cfg.OverrideOptimismCanyon,
		OverrideOptimismEcotone:  cfg.OverrideOptimismEcotone,
		OverrideOptimismFjord:    cfg.OverrideOptimismFjord,
		OverrideOptimismGranite:  cfg.OverrideOptimismGranite,
		OverrideOptimismHolocene: cfg.OverrideOptimismHolocene,
		OverrideOptimismIsthmus:  cfg.OverrideOptimismIsthmus,
		OverrideOptimismJovian:   cfg.OverrideOptimismJovian,
		OverrideOptimismKarst:    cfg.OverrideOptimismKarst,
		OverrideOptimismInterop:  cfg.OverrideOptimismInterop,
		ApplySuperchainUpgrades:  cfg.ApplySuperchainUpgrades,
	}
}
