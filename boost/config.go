// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// Backend is what the sidecar needs of an execution layer; *backend.Client is one.
type Backend interface {
	// Call makes one JSON-RPC call. The error is for calls that got no answer.
	Call(ctx context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error)

	// Forward passes any body through, ForwardMethod one that is a call of the method.
	Forward(ctx context.Context, header http.Header, body []byte) (*backend.Reply, error)
	ForwardMethod(ctx context.Context, method string, header http.Header, body []byte) (*backend.Reply, error)

	// Timeout is how long a call of the method may take.
	Timeout(method string) time.Duration
}

// Observer is told how calls and builds end; *health.Tracker is one.
type Observer interface {
	ObserveCall(which health.Which, err error)
	ObserveBuild(err error)

	// MayBuild reports whether the builder should be asked for a block.
	MayBuild() bool
}

// Config configures a Sidecar. Addr, L2 and Modes are required, Rounds with a Builder; every other zero
// value means its default.
type Config struct {
	Addr    string       // TCP address of the Engine API and of everything that is passed on
	L2      Backend      // Local execution layer
	Builder Backend      // Nil for none: the sidecar is a transparent proxy then
	Rounds  *round.Store // Of the relay that follows the builder's stream, or one that nobody adds to
	Modes   *Modes

	Selection         string        // Empty for the builder's block, or params.SelectGasUsed
	ExternalStateRoot bool          // The local execution layer computes the roots of builder blocks
	RescueAfter       time.Duration // Wait for a silent builder before its published block is rebuilt locally, default 250 ms

	// Budget bounds how long after engine_getPayload a block of the builder's may become the answer, however
	// it is come by. Default the builder's own time limit of engine_getPayload and a second for the local
	// execution layer to judge the block.
	Budget time.Duration

	Observer Observer     // Nil for nobody
	Probes   http.Handler // Answers the paths of package health; nil for 404

	Secret   []byte // JWT secret that callers must know; nil for no check
	MaxBody  int64  // Longest request body in bytes, default 32 MiB
	MaxBatch int    // Longest answer to a batch with engine calls in it, default 64 MiB; any other batch has the execution layer's bound
	Proxied  int    // Most proxied requests at a time, default 256; engine calls do not count, nor wait for them
	CopyWait int    // Most calls that wait to be copied to the builder, default 1024

	Metrics *metrics.Set     // Nil for a private set
	Log     log.Logger       // Nil for the root logger
	Now     func() time.Time // Nil for time.Now
}

var errNoL2 = errors.New("boost: no local execution layer is configured")

func (c Config) sanitize() (Config, error) {
	switch {
	case c.L2 == nil:
		return c, errNoL2
	case c.Builder != nil && c.Rounds == nil:
		return c, errors.New("boost: a builder needs rounds")
	case c.Selection != "" && c.Selection != params.SelectGasUsed:
		return c, fmt.Errorf("boost: block selection policy %q is unknown, there is only %s", c.Selection, params.SelectGasUsed)
	}
	if c.Modes == nil {
		c.Modes = NewModes(params.ModeEnabled)
	}
	if c.Observer == nil {
		c.Observer = blind{}
	}
	if c.Metrics == nil {
		c.Metrics = metrics.NewSet()
	}
	if c.Log == nil {
		c.Log = log.Root()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// blind observes nothing.
type blind struct{}

func (blind) ObserveCall(health.Which, error) {}
func (blind) ObserveBuild(error)              {}
func (blind) MayBuild() bool                  { return true }
