// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package decision answers engine_getPayload: with the builder's block if the local execution layer finds it valid,
// with what was published of it if the builder fails, and otherwise with the local execution layer's own block.
//
// A Maker holds the answers, being found or found (flights). Of each it finds the candidate of the builder's (search)
// and has it judged (judge), at the same time as it asks the local execution layer, and decides between the two.
package decision

import (
	"context"
	"encoding/json"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/local"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// Caller makes calls to an execution layer.
type Caller interface {
	// Call makes one JSON-RPC call. The error is for calls that got no answer.
	Call(ctx context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error)

	// Timeout is how long a call of the method may take.
	Timeout(method string) time.Duration
}

// Rebuilder puts a build of the sidecar's own into the local execution layer's queue, unless op-node has left the
// head; *local.Queue is one.
type Rebuilder interface {
	SubmitBuild(head common.Hash, method string, args []json.RawMessage) (<-chan local.Outcome, error)
}

// Observer is told how builds end.
type Observer interface{ ObserveBuild(err error) }

// Config configures a Maker. Every field is required, unless it says otherwise.
type Config struct {
	L2       Caller
	Builder  Caller // Nil without a builder
	Rebuilds Rebuilder
	Rounds   *round.Store // Nil without a builder

	Mode              func() params.ExecutionMode // Of this moment
	Selection         string                      // Empty for the builder's block, or params.SelectGasUsed
	ExternalStateRoot bool                        // The local execution layer computes the roots of builder blocks
	RescueAfter       time.Duration               // Wait for a silent builder before its published block is rebuilt locally, default 250 ms
	Budget            time.Duration               // Time for a block of the builder's, default its limit of engine_getPayload and 1 s to judge it

	Observer Observer

	Metrics *metrics.Set
	Log     log.Logger
	Now     func() time.Time
}

const (
	defaultRescueAfter = 250 * time.Millisecond

	// defaultJudging is what rollup-boost gives the local execution layer.
	defaultJudging = time.Second
)

func (c Config) withDefaults() Config {
	if c.RescueAfter <= 0 {
		c.RescueAfter = defaultRescueAfter
	}
	if c.Budget <= 0 && c.Builder != nil {
		c.Budget = c.Builder.Timeout(engineapi.GetPayload) + defaultJudging
	}
	return c
}
