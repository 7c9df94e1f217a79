// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/rpc"
)

// l1Recommit is how often the L1's miner makes a block again that nobody has fetched. The simulated beacon chain waits
// for the next time that a block is made (Payload.WaitFull in miner/payload_building.go), and so for ever if it comes to
// wait after the last one: with op-geth's 2 s there is only the first. An L1 stopped at its first block that way.
const l1Recommit = 100 * time.Millisecond

// l1Node is the L1: op-geth in this process, in memory, driven by its simulated beacon chain. An
// L1 in the process needs no data directory, no engine port and cannot be left behind.
type l1Node struct {
	stack *node.Node
}

// startL1 runs an L1 with a block every period seconds, serving HTTP on port.
func startL1(genesis *core.Genesis, period uint64, port int) (*l1Node, error) {
	stack, err := node.New(&node.Config{
		Name:        "devnet-l1",
		P2P:         p2p.Config{NoDiscovery: true, NoDial: true},
		HTTPHost:    loopback,
		HTTPPort:    port,
		HTTPModules: []string{"eth", "net", "web3", "debug", "txpool"},
	})
	if err != nil {
		return nil, fmt.Errorf("create the L1: %w", err)
	}
	if err := wireL1(stack, genesis, period); err != nil {
		return nil, errors.Join(err, stack.Close())
	}
	if err := stack.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the L1: %w", err), stack.Close())
	}
	return &l1Node{stack: stack}, nil
}

// wireL1 adds the chain, its filters and the simulated beacon to stack.
func wireL1(stack *node.Node, genesis *core.Genesis, period uint64) error {
	config := ethconfig.Defaults
	config.Genesis = genesis
	config.NetworkId = L1ChainID
	config.SyncMode = ethconfig.FullSync
	config.NoPruning = true // op-node and op-batcher may ask for any block of the run
	config.Preimages = false
	config.Miner.Recommit = l1Recommit
	config.TrieCleanCache, config.TrieDirtyCache, config.SnapshotCache = 16, 16, 0

	backend, err := eth.New(stack, &config)
	if err != nil {
		return fmt.Errorf("create the L1 chain: %w", err)
	}
	filterSystem := filters.NewFilterSystem(backend.APIBackend, filters.Config{})
	stack.RegisterAPIs([]rpc.API{{Namespace: "eth", Service: filters.NewFilterAPI(filterSystem)}})

	beacon, err := catalyst.NewSimulatedBeacon(period, common.Address{}, backend)
	if err != nil {
		return fmt.Errorf("create the L1's beacon chain: %w", err)
	}
	stack.RegisterLifecycle(beacon)
	return nil
}

// stop ends the L1.
func (l *l1Node) stop() error {
	return l.stack.Close()
}
