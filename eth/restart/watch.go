// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/tracers"
	"github.com/ethereum/go-ethereum/log"
)

// op-geth tells a live tracer what every block that it writes has changed, and it gets its tracer by name when the
// eth service is made. That tracer is ours here. It watches nothing else, and it is taken out of the
// configuration of the EVM at once, so that no transaction is traced.

// tracerName is the name of our live tracer. An operator who has one with --vmtrace keeps that: then the journal holds no
// changes, and blocks are executed again after a crash.
const tracerName = "flashblocks-restart"

// tracerConfig tells the nodes of one process apart.
type tracerConfig struct {
	Dir string `json:"dir"`
}

// watches are the hooks that wait for the journal of their directory.
var watches sync.Map // directory: *tracing.Hooks

func init() {
	tracers.LiveDirectory.Register(tracerName, func(raw json.RawMessage) (*tracing.Hooks, error) {
		var cfg tracerConfig
		if err := json.Unmarshal(raw, &cfg); err != nil {
			return nil, fmt.Errorf("configuration of the restart journal: %w", err)
		}
		hooks := new(tracing.Hooks)
		watches.Store(cfg.Dir, hooks)
		return hooks, nil
	})
}

// watchStates has the eth service that is made with the configuration tell what its blocks change.
func watchStates(cfg *ethconfig.Config, dir string) {
	// Histories of trie nodes, which are off by default, need the nodes as they were before each block.
	if cfg.VMTrace != "" || cfg.TrienodeHistory >= 0 {
		return
	}
	raw, err := json.Marshal(tracerConfig{Dir: dir})
	if err != nil {
		panic(err) // a string can always be encoded
	}
	cfg.VMTrace, cfg.VMTraceJsonConfig = tracerName, string(raw)
}

// stateQueue is how many blocks may wait for their changes to be written. If there are more, some are executed again
// after a crash.
const stateQueue = 8

// recorder writes the changes of blocks to the journal. Import does not wait for it.
type recorder struct {
	journal *journal
	queue   chan *tracing.StateUpdate

	stop context.CancelFunc
	wg   sync.WaitGroup
}

// newRecorder connects the journal with the chain of the eth service that was prepared for it. The chain must not import
// blocks yet. It is nil if nothing tells of the changes, or if there is no use for them: the hash scheme needs more than them.
func newRecorder(journal *journal, chain *core.BlockChain) *recorder {
	hooks := unwatch(journal.dir, chain)
	if hooks == nil || chain.TrieDB().Scheme() != rawdb.PathScheme {
		return nil
	}
	r := &recorder{journal: journal, queue: make(chan *tracing.StateUpdate, stateQueue)}
	hooks.OnStateUpdate = r.record
	return r
}

// unwatch takes our tracer out of the configuration of a chain's EVM and returns it, nil if there is none.
func unwatch(dir string, chain *core.BlockChain) *tracing.Hooks {
	found, ok := watches.LoadAndDelete(dir)
	if !ok {
		return nil
	}
	hooks, ok := found.(*tracing.Hooks)
	if cfg := chain.GetVMConfig(); !ok || cfg.Tracer != hooks {
		return nil
	}
	chain.GetVMConfig().Tracer = nil
	return hooks
}

// record takes what a block has changed. It is called while op-geth imports the block.
func (r *recorder) record(update *tracing.StateUpdate) {
	if update.OriginRoot == update.Root {
		return
	}
	select {
	case r.queue <- update:
	default:
		log.Debug("The restart journal does not keep up", "number", update.BlockNumber)
	}
}

// start begins to write.
func (r *recorder) start(ctx context.Context) {
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.wg.Go(func() {
		for {
			select {
			case update := <-r.queue:
				r.journal.noteState(stateRecord(update))
			case <-ctx.Done():
				return
			}
		}
	})
}

// close ends writing.
func (r *recorder) close() {
	if r.stop != nil {
		r.stop()
	}
	r.wg.Wait()
}
