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
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/restart"
)

// builder is all that Register needs of the builder.
type builder interface {
	payloadBuilder
	builderLimits

	// Processor wraps op-geth's block processor.
	Processor(stock core.Processor) core.Processor
}

// Register takes the place of catalyst.Register. It has to be called after everything else that registers
// services of the eth and debug namespaces, because services registered later win per method, and before the
// start of the node, because block import reads the processor without a lock.
//
// With flashblocks neither enabled nor followed it is catalyst.Register and nothing else. A node that
// builds gets the Engine API that drives the builder, the overrides of the miner namespace, the builder and
// its stream; one that follows keeps op-geth's Engine API and gets a follower of the streams. Both serve the
// flashblocks as the pending state, with subscriptions, a Prometheus endpoint and health endpoints. The
// parts run while the node does. An address that cannot be listened on fails the start of the node.
func Register(stack *node.Node, ethereum *gethEth.Ethereum, cfg Config) (*Service, error) {
	if !cfg.Enabled && !cfg.Follows() {
		return new(Service), catalyst.Register(stack, ethereum)
	}
	if !ethereum.BlockChain().Config().IsOptimism() {
		return nil, ErrNotOptimism
	}
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if cfg.Follows() {
		return registerFollower(stack, ethereum, &cfg)
	}
	if known := learnBlockTime(ethereum.BlockChain()); cfg.BlockTime == 0 && known > 0 {
		if err := cfg.CheckBlockTime(known); err != nil {
			return nil, err
		}
	}
	return registerBuilder(stack, ethereum, &cfg)
}

// registerBuilder is Register for a node that builds.
func registerBuilder(stack *node.Node, ethereum *gethEth.Ethereum, cfg *Config) (*Service, error) {
	a, builder, err := assembleBuilder(stack, ethereum, cfg, stack.ResolvePath(payloadIDFile), journalPath(stack, cfg.eth()))
	if err != nil {
		return nil, fmt.Errorf("flashblocks builder cannot be set up: %w", err)
	}
	attachEngine(stack, ethereum, a.keeper.ConsensusAPI(), builder, a.Service)
	if err := a.attach(stack); err != nil {
		return nil, err
	}
	if cfg.ReuseExecution {
		reuseExecution(ethereum.BlockChain(), builder)
	}
	return a.Service, nil
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
	a, err := assembleFollower(stack, ethereum, cfg)
	if err != nil {
		return nil, fmt.Errorf("flashblocks follower cannot be set up: %w", err)
	}
	stack.RegisterAPIs([]rpc.API{
		{Namespace: "testing", Service: &testingAPI{chain: ethereum.BlockChain(), miner: ethereum.Miner()}},
		{Namespace: "engine", Service: a.keeper.ConsensusAPI(), Authenticated: true},
	})
	return a.Service, a.attach(stack)
}

// attachEngine registers the APIs that drive the builder.
func attachEngine(stack *node.Node, ethereum *gethEth.Ethereum, stock *restart.ConsensusAPI, builder builder, service *Service) {
	chain := ethereum.BlockChain()
	api := newEngineAPI(stock, chain, builder)

	stack.RegisterAPIs([]rpc.API{
		{Namespace: "testing", Service: &testingAPI{chain: chain, miner: ethereum.Miner()}},
		{Namespace: "miner", Service: &MinerAPI{stock: gethEth.NewMinerAPI(ethereum), builder: builder}},
		{Namespace: "engine", Service: api, Authenticated: true},
	})
	service.add("engine", api.open, api.close)
}

// attach registers the APIs of the pending state, the health endpoints and the stages of the service.
func (a *assembly) attach(stack *node.Node) error {
	if _, err := RegisterPending(stack, a.ethereum, PendingConfig{Eth: a.cfg.Eth, GraphQL: a.cfg.GraphQL}, a.processor); err != nil {
		return err
	}
	stack.RegisterAPIs([]rpc.API{
		{Namespace: "eth", Service: &SubscriptionAPI{feed: a.feed}},
		{Namespace: "flashblocks", Service: &FlashblocksAPI{feed: a.feed}},
	})
	stack.RegisterHandler("flashblocks liveness", "/healthz", http.HandlerFunc(a.health.healthz))
	stack.RegisterHandler("flashblocks readiness", "/readyz", http.HandlerFunc(a.health.readyz))
	a.register(stack)
	return nil
}

// reuseExecution puts the builder's processor before op-geth's, so that the import of an own block takes
// over the state the builder sealed it from instead of executing it again.
//
// The method is the only exported way to a chain's processor; its name warns of changing the rules of
// the chain, which is not done here: the validator stays op-geth's own and compares gas, bloom, receipts
// root and state root of whatever the processor returns with the header.
func reuseExecution(chain *core.BlockChain, builder builder) {
	chain.SetBlockValidatorAndProcessorForTesting(chain.Validator(), builder.Processor(chain.Processor()))
}
