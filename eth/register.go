// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"fmt"
	"net/http"

	"github.com/ethereum/go-ethereum/core"
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/node"

	"github.com/ethereum/go-ethereum/flashgeth/eth/engine"
	"github.com/ethereum/go-ethereum/flashgeth/eth/pending"
	"github.com/ethereum/go-ethereum/flashgeth/eth/restart"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// Register takes the place of catalyst.Register. It has to be called after everything else that registers
// services of the eth and debug namespaces, because services registered later win per method, and before the
// start of the node, because block import reads the processor without a lock. restart.Prepare comes before the eth
// service is made, and restart.Closed after the node is closed.
//
// On a chain of the OP Stack every payload is built by this module's builder, and blocks on which no other could
// stand are refused. With flashblocks neither enabled nor followed that is all: the Engine API and the miner and
// testing namespaces answer as op-geth's. A node that builds flashblocks streams its payloads, one that follows
// gets a follower of the streams. Both serve the flashblocks as the pending state, with subscriptions, a
// Prometheus endpoint and health endpoints. The parts run while the node does. An address that cannot be listened
// on fails the start of the node. On another chain Register is catalyst.Register.
func Register(stack *node.Node, ethereum *gethEth.Ethereum, cfg Config) (*Service, error) {
	serves := cfg.Enabled || cfg.Follows()
	if !ethereum.BlockChain().Config().IsOptimism() {
		if serves {
			return nil, ErrNotOptimism
		}
		if err := restart.Forget(stack, ethereum.BlockChain()); err != nil {
			return nil, err
		}
		return new(Service), catalyst.Register(stack, ethereum)
	}
	if !serves {
		return registerPlain(stack, ethereum, &cfg)
	}
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if cfg.Follows() {
		return registerFollower(stack, ethereum, &cfg)
	}
	if known := engine.LearnBlockTime(ethereum.BlockChain()); cfg.BlockTime == 0 && known > 0 {
		if err := cfg.CheckBlockTime(known); err != nil {
			return nil, err
		}
	}
	return registerBuilder(stack, ethereum, &cfg)
}

// registerPlain is Register for a node that has nothing to do with flashblocks.
func registerPlain(stack *node.Node, ethereum *gethEth.Ethereum, cfg *Config) (*Service, error) {
	service := new(Service)
	keeper, err := service.addKeepers(stack, ethereum, cfg)
	if err != nil {
		return nil, err
	}
	b, err := newBuilder(ethereum, cfg, new(publishing))
	if err != nil {
		return nil, fmt.Errorf("builder cannot be set up: %w", err)
	}
	service.add("builder", b.Start, b.Stop)
	drive(stack, ethereum, cfg, keeper, b)
	service.register(stack)
	return service, nil
}

// drive registers the APIs that drive a builder, and gives the chain its processor and its validator.
func drive(stack *node.Node, ethereum *gethEth.Ethereum, cfg *Config, keeper *restart.Keeper, b *miner.Builder) {
	stack.RegisterAPIs(engine.New(engine.Config{
		Ethereum: ethereum, Consensus: keeper.ConsensusAPI(), Builder: b, Streams: cfg.Enabled,
	}).APIs())
	guard(ethereum.BlockChain(), b, cfg.ReuseExecution)
}

// registerBuilder is Register for a node that builds.
func registerBuilder(stack *node.Node, ethereum *gethEth.Ethereum, cfg *Config) (*Service, error) {
	a, builder, err := assembleBuilder(stack, ethereum, cfg, stack.ResolvePath(payloadIDFile), journalPath(stack, cfg.eth()))
	if err != nil {
		return nil, fmt.Errorf("flashblocks builder cannot be set up: %w", err)
	}
	drive(stack, ethereum, cfg, a.keeper, builder)
	return a.Service, a.attach(stack)
}

// journalPath returns where op-geth keeps the transactions that were submitted to this node, empty if it does
// not keep them.
func journalPath(stack *node.Node, cfg *ethconfig.Config) string {
	if cfg.TxPool.NoLocals || cfg.TxPool.Journal == "" {
		return ""
	}
	return stack.ResolvePath(cfg.TxPool.Journal)
}

// registerFollower is Register for a node that follows.
func registerFollower(stack *node.Node, ethereum *gethEth.Ethereum, cfg *Config) (*Service, error) {
	a, builder, err := assembleFollower(stack, ethereum, cfg)
	if err != nil {
		return nil, fmt.Errorf("flashblocks follower cannot be set up: %w", err)
	}
	drive(stack, ethereum, cfg, a.keeper, builder)
	return a.Service, a.attach(stack)
}

// attach registers the APIs of the pending state, the health endpoints and the stages of the service.
func (a *assembly) attach(stack *node.Node) error {
	if _, err := pending.Register(stack, a.ethereum, pending.Config{Source: a.processor, Eth: a.cfg.Eth, GraphQL: a.cfg.GraphQL}); err != nil {
		return err
	}
	stack.RegisterAPIs(a.feed.APIs())
	stack.RegisterHandler("flashblocks liveness", "/healthz", http.HandlerFunc(a.health.Healthz))
	stack.RegisterHandler("flashblocks readiness", "/readyz", http.HandlerFunc(a.health.Readyz))
	a.register(stack)
	return nil
}

// guard puts a validator before op-geth's that refuses blocks on which no other could stand, and a processor that
// makes no state twice. If execution is to
// be reused it puts the builder's processor before op-geth's, so that the import of an own block takes over the
// state the builder sealed it from instead of executing it again.
//
// The method is the only exported way to a chain's processor; its name warns of changing the rules of the chain.
// What a block has to be is still said by op-geth's own validator, which compares gas, bloom, receipts root and
// state root of whatever the processor returns with the header.
func guard(chain *core.BlockChain, builder *miner.Builder, reuse bool) {
	processor := chain.Processor()
	if reuse {
		processor = builder.Processor(processor)
	}
	chain.SetBlockValidatorAndProcessorForTesting(miner.NewValidator(chain.Validator(), chain.Config()), miner.NewProcessor(processor, chain))
}
