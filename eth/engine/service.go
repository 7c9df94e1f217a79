// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"context"

	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/rpc"
)

// Config configures a Service.
type Config struct {
	Ethereum *gethEth.Ethereum
	Builder  Builder
}

// Service is the APIs that drive the builder, and their life. Until it has started and after it has stopped
// op-geth's miner builds every payload.
type Service struct {
	engine  *API
	miner   *MinerAPI
	testing *testingAPI
}

// New makes a Service, and with it the node's only ConsensusAPI. It starts nothing.
func New(cfg Config) *Service {
	chain := cfg.Ethereum.BlockChain()
	return &Service{
		engine:  newAPI(catalyst.NewConsensusAPI(cfg.Ethereum), chain, cfg.Builder),
		miner:   &MinerAPI{stock: gethEth.NewMinerAPI(cfg.Ethereum), builder: cfg.Builder},
		testing: &testingAPI{chain: chain, miner: cfg.Ethereum.Miner()},
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

// Start lets the builder have payloads. It has to have started.
func (s *Service) Start(context.Context) error {
	s.engine.open()
	return nil
}

// Stop gives new payloads to op-geth's miner again.
func (s *Service) Stop() error {
	s.engine.close()
	return nil
}
