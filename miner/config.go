// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/big"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// Backend is what the builder needs of the node.
type Backend interface {
	BlockChain() *core.BlockChain
	TxPool() *txpool.TxPool
}

// failsafeBackend is the optional ability of a node with interop: while the supervisor is in failsafe,
// transactions with an interop access list must not be included.
type failsafeBackend interface {
	GetSupervisorFailsafe() bool
}

// Publisher takes the messages of the stream. Publish must never wait for a reader.
type Publisher interface {
	Publish(m stream.Message)
}

// Config configures a Builder. The zero value of every field but Flashblocks is usable.
type Config struct {
	params.Flashblocks

	GasCeil          uint64           // Gas limit of a block whose attributes carry none
	EffectiveGasCeil uint64           // Ceiling on a block's gas below its header's limit, 0 for none
	GasPrice         *big.Int         // Least effective tip of a pool transaction in wei
	MaxDATxSize      *big.Int         // Largest DA size of a pool transaction in bytes, nil for none
	MaxDABlockSize   *big.Int         // Largest DA size of a block's pool transactions in bytes, nil for none
	Prio             []common.Address // Senders whose transactions come first
	Recommit         time.Duration    // Time after which a payload that is not streamed is filled again, 0 for op-geth's default

	PayloadIDFile string // Remembers across restarts under which ids payloads were published, empty for none

	// OnFlashblock is called right after a flashblock was published, in order, by the goroutine that builds.
	// It must not wait. Nil if nobody listens in this process.
	OnFlashblock func(Built)

	VMConfig func(*types.Header) vm.Config // EVM configuration by the header's rules, nil for fork.VMConfig's
	Metrics  *metrics.Set                  // Receives the builder's metrics, nil for a private set
	Clock    mclock.Clock                  // Monotonic clock of the schedule, nil for the system's
	Now      func() time.Time              // Wall clock, read once per payload, nil for time.Now
}

// sanitize returns a copy with the optional fields filled in.
func (c Config) sanitize() Config {
	if c.Recommit <= 0 {
		c.Recommit = gethminer.DefaultConfig.Recommit
	}
	if c.GasPrice == nil {
		c.GasPrice = new(big.Int)
	}
	if c.Metrics == nil {
		c.Metrics = metrics.NewSet()
	}
	if c.Clock == nil {
		c.Clock = mclock.System{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Options override the node's flags for one payload. The zero value overrides nothing.
type Options struct {
	Interval time.Duration // Time between two flashblocks, 0 for the flag's
	Whole    bool          // Build the payload without streaming it
	Witness  bool          // Give the witness of the execution with the payload, which is not streamed then
}
