// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/restart"
)

// Config configures a Service.
type Config struct {
	Ethereum  *gethEth.Ethereum
	Consensus *restart.ConsensusAPI // the node's only one
	Builder   Builder

	// Streams says that the node streams what it builds. Then payload attributes may override the flags of the
	// stream, and miner_setGasLimit bounds the gas of a block; without, both are what they are to op-geth.
	Streams bool
}

// Service is the APIs that drive the builder.
type Service struct {
	engine  *API
	miner   *MinerAPI
	testing *testingAPI
}

// New makes a Service.
func New(cfg Config) *Service {
	chain := cfg.Ethereum.BlockChain()
	return &Service{
		engine:  &API{ConsensusAPI: cfg.Consensus, chain: chain, builder: cfg.Builder, streams: cfg.Streams},
		miner:   &MinerAPI{stock: gethEth.NewMinerAPI(cfg.Ethereum), builder: cfg.Builder, bounds: cfg.Streams},
		testing: &testingAPI{chain: chain, builder: cfg.Builder},
	}
}

// APIs returns what has to be registered on the node, instead of what catalyst.Register registers and after
// op-geth's own miner namespace.
func (s *Service) APIs() []rpc.API {
	return []rpc.API{
		{Namespace: "testing", Service: s.testing},
		{Namespace: "miner", Service: s.miner},
		{Namespace: "engine", Service: s.engine, Authenticated: true},
	}
}
