// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"context"
	"fmt"
	"net"
)

// Endpoints is where a devnet can be reached. Its JSON form is the first line of `devnet --json`.
type Endpoints struct {
	L1RPC         string `json:"l1_rpc"`
	SequencerRPC  string `json:"sequencer_rpc"`
	SequencerWS   string `json:"sequencer_ws"`
	Engine        string `json:"engine"`
	FlashblocksWS string `json:"flashblocks_ws"`
	Metrics       string `json:"metrics"`
	OpNodeRPC     string `json:"op_node_rpc"`
	SequencerP2P  string `json:"sequencer_p2p"`         // enode of the sequencer's execution layer
	OpNodeP2P     string `json:"op_node_p2p"`           // multiaddress of its op-node, without the peer's id
	BatcherRPC    string `json:"batcher_rpc,omitempty"` // absent without Config.Batcher
	ProxyWS       string `json:"proxy_ws,omitempty"`    // absent without Config.Proxy; its /healthz and /readyz are on the same port
	ProxyMetrics  string `json:"proxy_metrics,omitempty"`
	FollowerRPC   string `json:"follower_rpc,omitempty"` // absent without Config.Follower
	FollowerWS    string `json:"follower_ws,omitempty"`
	ChainID       uint64 `json:"chain_id"`

	FollowerMetrics string `json:"follower_metrics,omitempty"` // its /healthz and /readyz are on the same port

	// With Config.Boost alone. The sequencer's and the engine's endpoints above are then the local execution
	// layer's, the stream and the metrics the builder's.
	BoostRPC           string `json:"boost_rpc,omitempty"`            // Engine API of op-node, and everything that boost passes on
	BoostFlashblocksWS string `json:"boost_flashblocks_ws,omitempty"` // what boost publishes
	BoostDebug         string `json:"boost_debug,omitempty"`
	BoostMetrics       string `json:"boost_metrics,omitempty"`
	BuilderRPC         string `json:"builder_rpc,omitempty"`

	JWT     string   `json:"jwt"`     // path of the engine's secret
	DataDir string   `json:"datadir"` // genesis, rollup configuration and logs
	Keys    []string `json:"keys"`    // private keys of accounts that the load generator leaves alone
}

// portSet is every port of a devnet.
type portSet struct {
	l1, stream, opNodeRPC, opNodeP2P, batcherRPC int
	nodePorts                                    // of flashgeth: the sequencer's execution layer, or the builder behind boost

	follower                             nodePorts
	followerOpNodeRPC, followerOpNodeP2P int

	proxy, proxyMetrics int

	local                                        nodePorts // of the execution layer beside the builder
	boost, boostStream, boostDebug, boostMetrics int

	guard net.Listener // keeps the ports from other devnets
}

// nodePorts are the ports of one execution layer.
type nodePorts struct {
	http, ws, engine, nodeP2P, metrics int
}

// newPortSet allocates free ports, none of which is in taken.
func newPortSet(ctx context.Context, taken map[int]bool) (*portSet, error) {
	set := new(portSet)
	free, guard, err := reservePorts(ctx, len(set.all()), taken)
	if err != nil {
		return nil, err
	}
	set.guard = guard
	for i, port := range set.all() {
		*port = free[i]
	}
	return set, nil
}

// all returns every port of the set.
func (s *portSet) all() []*int {
	return []*int{
		&s.l1, &s.http, &s.ws, &s.engine, &s.nodeP2P, &s.stream, &s.metrics,
		&s.opNodeRPC, &s.opNodeP2P, &s.batcherRPC,
		&s.follower.http, &s.follower.ws, &s.follower.engine, &s.follower.nodeP2P, &s.follower.metrics,
		&s.followerOpNodeRPC, &s.followerOpNodeP2P,
		&s.proxy, &s.proxyMetrics,
		&s.local.http, &s.local.ws, &s.local.engine, &s.local.nodeP2P,
		&s.boost, &s.boostStream, &s.boostDebug, &s.boostMetrics,
	}
}

// sequencer returns the ports of the sequencer's own execution layer.
func (s *portSet) sequencer(boost bool) *nodePorts {
	if boost {
		return &s.local
	}
	return &s.nodePorts
}

// release gives the ports back.
func (s *portSet) release() error {
	return s.guard.Close()
}

// httpURL and wsURL name a port on loopback.
func httpURL(port int) string { return fmt.Sprintf("http://%s:%d", loopback, port) }
func wsURL(port int) string   { return fmt.Sprintf("ws://%s:%d", loopback, port) }
