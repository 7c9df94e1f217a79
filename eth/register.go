// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"fmt"

	"github.com/ethereum/go-ethereum/core"
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/rpc"
)

// builder is all that Register needs of the builder.
type builder interface {
	payloadBuilder
	builderLimits

	// Processor wraps op-geth's block processor.
	Processor(stock core.Processor) core.Processor
}

// Register takes the place of catalyst.Register. It has to be called between the making of the eth
// service and the start of the node, because services registered later win per method and because block
// import reads the processor without a lock.
//
// With flashblocks disabled it is catalyst.Register and nothing else. Otherwise it adds the Engine API,
// the overrides of the miner namespace, the builder, its stream and its Prometheus endpoint; the last
// three run while the node does. An address that cannot be listened on fails the start of the node.
func Register(stack *node.Node, ethereum *gethEth.Ethereum, cfg Config) (*Service, error) {
	if !cfg.Enabled {
		return new(Service), catalyst.Register(stack, ethereum)
	}
	if !ethereum.BlockChain().Config().IsOptimism() {
		return nil, ErrNotOptimism
	}
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	service, builder, err := assemble(ethereum, &cfg, stack.ResolvePath(payloadIDFile))
	if err != nil {
		return nil, fmt.Errorf("flashblocks builder cannot be set up: %w", err)
	}
	attach(stack, ethereum, builder, service)
	if cfg.ReuseExecution {
		reuseExecution(ethereum.BlockChain(), builder)
	}
	return service, nil
}

// attach registers the APIs and the stages of the service.
func attach(stack *node.Node, ethereum *gethEth.Ethereum, builder builder, service *Service) {
	chain := ethereum.BlockChain()
	api := newEngineAPI(catalyst.NewConsensusAPI(ethereum), chain, builder)

	stack.RegisterAPIs([]rpc.API{
		{Namespace: "testing", Service: &testingAPI{chain: chain, miner: ethereum.Miner()}},
		{Namespace: "miner", Service: &MinerAPI{stock: gethEth.NewMinerAPI(ethereum), builder: builder}},
		{Namespace: "engine", Service: api, Authenticated: true},
	})
	service.add("engine", api.open, api.close)
	for _, s := range service.stages {
		stack.RegisterLifecycle(s)
	}
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
