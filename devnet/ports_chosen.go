// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Ports are the ports that the user of a devnet chooses, by the names of PortChoices. 0 stands for a free one,
// as does a name that is not there.
type Ports map[string]int

// PortChoice is a port that can be chosen.
type PortChoice struct {
	Name  string // of the endpoint in the JSON form of Endpoints
	Usage string // what listens there, for a command line

	part string // flag of cmd/devnet without which nobody listens, empty if somebody always does
	of   func(set *portSet, boost bool) *int
}

// PortChoices are all ports that can be chosen, in the order of Endpoints.
var PortChoices = []PortChoice{
	{"l1_rpc", "JSON-RPC of the L1", "", func(s *portSet, _ bool) *int { return &s.l1 }},
	{"sequencer_rpc", "JSON-RPC of the sequencer's execution layer", "", func(s *portSet, boost bool) *int { return &s.sequencer(boost).http }},
	{"sequencer_ws", "websocket JSON-RPC of the sequencer's execution layer", "", func(s *portSet, boost bool) *int { return &s.sequencer(boost).ws }},
	{"sequencer_p2p", "peers of the sequencer's execution layer", "", func(s *portSet, boost bool) *int { return &s.sequencer(boost).nodeP2P }},
	{"engine", "Engine API of the sequencer's execution layer", "", func(s *portSet, boost bool) *int { return &s.sequencer(boost).engine }},
	{"flashblocks_ws", "flashblocks of the builder", "", func(s *portSet, _ bool) *int { return &s.stream }},
	{"metrics", "metrics and health of the builder", "", func(s *portSet, _ bool) *int { return &s.metrics }},
	{"op_node_rpc", "JSON-RPC of the sequencer's op-node", "", func(s *portSet, _ bool) *int { return &s.opNodeRPC }},
	{"op_node_p2p", "peers of the sequencer's op-node", "", func(s *portSet, _ bool) *int { return &s.opNodeP2P }},
	{"batcher_rpc", "JSON-RPC of op-batcher", "batcher", func(s *portSet, _ bool) *int { return &s.batcherRPC }},
	{"proxy_ws", "flashblocks and health of flashproxy", "proxy", func(s *portSet, _ bool) *int { return &s.proxy }},
	{"proxy_metrics", "metrics of flashproxy", "proxy", func(s *portSet, _ bool) *int { return &s.proxyMetrics }},
	{"follower_rpc", "JSON-RPC of the follower", "follower", func(s *portSet, _ bool) *int { return &s.follower.http }},
	{"follower_ws", "websocket JSON-RPC of the follower", "follower", func(s *portSet, _ bool) *int { return &s.follower.ws }},
	{"follower_metrics", "metrics and health of the follower", "follower", func(s *portSet, _ bool) *int { return &s.follower.metrics }},
	{"boost_rpc", "Engine API and JSON-RPC of flashboost", "boost", func(s *portSet, _ bool) *int { return &s.boost }},
	{"boost_flashblocks_ws", "flashblocks of flashboost", "boost", func(s *portSet, _ bool) *int { return &s.boostStream }},
	{"boost_debug", "debug API of flashboost", "boost", func(s *portSet, _ bool) *int { return &s.boostDebug }},
	{"boost_metrics", "metrics of flashboost", "boost", func(s *portSet, _ bool) *int { return &s.boostMetrics }},
	{"builder_rpc", "JSON-RPC of the builder behind flashboost", "boost", func(s *portSet, _ bool) *int { return &s.http }},
}

// Flag is the name of the flag that chooses the port.
func (c *PortChoice) Flag() string { return strings.ReplaceAll(c.Name, "_", "-") + "-port" }

// checkPorts reports a port that nobody could listen on, as one sentence.
func (c *Config) checkPorts() error {
	var (
		parts = map[string]bool{"": true, "batcher": c.Batcher, "proxy": c.Proxy, "follower": c.Follower, "boost": c.Boost}
		users = make(map[int]string) // of chosen ports
		known = make(map[string]bool)
	)
	for i := range PortChoices {
		choice := &PortChoices[i]
		known[choice.Name] = true
		port, flag := c.Ports[choice.Name], choice.Flag()
		switch {
		case port == 0:
			continue
		case port < 0 || port > 65535:
			return fmt.Errorf("--%s %d is not a TCP port", flag, port)
		case !parts[choice.part]:
			return fmt.Errorf("--%s needs --%s", flag, choice.part)
		case users[port] != "":
			return fmt.Errorf("--%s and --%s are the same port, %d", users[port], flag, port)
		}
		users[port] = flag
	}
	for _, name := range slices.Sorted(maps.Keys(c.Ports)) {
		if !known[name] {
			return fmt.Errorf("a devnet has no port named %q", name)
		}
	}
	return nil
}

// choosePorts allocates the ports of a devnet: those that the user has chosen, and free ones.
func (c *Config) choosePorts(ctx context.Context) (*portSet, error) {
	chosen := make(map[int]bool)
	for i := range PortChoices {
		port := c.Ports[PortChoices[i].Name]
		if port == 0 {
			continue
		}
		if err := bindable(ctx, port); err != nil {
			return nil, fmt.Errorf("--%s %d cannot be listened on: %w", PortChoices[i].Flag(), port, err)
		}
		chosen[port] = true
	}
	set, err := newPortSet(ctx, chosen)
	if err != nil {
		return nil, err
	}
	for i := range PortChoices {
		if port := c.Ports[PortChoices[i].Name]; port != 0 {
			*PortChoices[i].of(set, c.Boost) = port
		}
	}
	return set, nil
}
