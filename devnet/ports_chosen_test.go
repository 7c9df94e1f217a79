// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"encoding/json"
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckPorts(t *testing.T) {
	t.Parallel()
	checkConfigs(t, []configCase{
		{"none", func(*Config) {}, ""},
		{"free ones", func(c *Config) { c.Ports = Ports{"boost_rpc": 0, "engine": 0} }, ""},
		{"several", func(c *Config) { c.Ports = Ports{"sequencer_rpc": 8545, "sequencer_ws": 8546, "engine": 8551} }, ""},
		{"boost's", func(c *Config) { c.Boost, c.Ports = true, Ports{"boost_rpc": 8545, "builder_rpc": 8546} }, ""},
		{"negative", func(c *Config) { c.Ports = Ports{"engine": -1} }, "--engine-port -1 is not a TCP port"},
		{"too large", func(c *Config) { c.Ports = Ports{"l1_rpc": 65536} }, "--l1-rpc-port 65536 is not a TCP port"},
		{"twice", func(c *Config) { c.Ports = Ports{"engine": 8551, "metrics": 8551} }, "--engine-port and --metrics-port are the same port, 8551"},
		{"without boost", func(c *Config) { c.Ports = Ports{"boost_debug": 8551} }, "--boost-debug-port needs --boost"},
		{"without batcher", func(c *Config) { c.Batcher, c.Ports = false, Ports{"batcher_rpc": 8551} }, "--batcher-rpc-port needs --batcher"},
		{"without proxy", func(c *Config) { c.Proxy, c.Ports = false, Ports{"proxy_ws": 8551} }, "--proxy-ws-port needs --proxy"},
		{"without follower", func(c *Config) { c.Follower, c.Ports = false, Ports{"follower_ws": 8551} }, "--follower-ws-port needs --follower"},
		{"unknown", func(c *Config) { c.Ports = Ports{"engin": 8551} }, `a devnet has no port named "engin"`},
	}, require.EqualError)
}

// Every endpoint that is announced has a port that can be chosen, and is at that port.
func TestEveryEndpointHasAPortChoice(t *testing.T) {
	t.Parallel()
	for name, boost := range map[string]bool{"builder alone": false, "behind boost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := DefaultConfig
			cfg.Boost, cfg.Ports = boost, make(Ports)
			free, guard, err := reservePorts(t.Context(), len(PortChoices), nil)
			require.NoError(t, err)
			defer func() { require.NoError(t, guard.Close()) }()
			for i, choice := range PortChoices {
				if boost || choice.part != "boost" {
					cfg.Ports[choice.Name] = free[i]
				}
			}
			require.NoError(t, cfg.Check())
			set, err := cfg.choosePorts(t.Context())
			require.NoError(t, err)
			defer func() { require.NoError(t, set.release()) }()
			seen := make(map[int]bool)
			for _, port := range set.all() {
				require.False(t, seen[*port], "port %d is used twice", *port)
				seen[*port] = true
			}

			d := &Devnet{cfg: cfg, layout: &layout{root: "dir"}, keys: deriveAccounts(), ports: set}
			text, err := json.Marshal(d.Endpoints())
			require.NoError(t, err)
			var announced map[string]any
			require.NoError(t, json.Unmarshal(text, &announced))
			for _, other := range []string{"chain_id", "jwt", "datadir", "keys"} {
				require.Contains(t, announced, other)
				delete(announced, other)
			}
			require.Len(t, announced, len(cfg.Ports))
			for name, port := range cfg.Ports {
				require.Regexp(t, "[:/]"+strconv.Itoa(port)+"\\b", announced[name], name)
			}
		})
	}
}

// A port that somebody else listens on ends the start with one sentence that names it.
func TestChosenPortIsTaken(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	other, err := config.Listen(t.Context(), "tcp", net.JoinHostPort(loopback, "0"))
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	addr, ok := other.Addr().(*net.TCPAddr)
	require.True(t, ok)

	cfg := DefaultConfig
	cfg.Ports = Ports{"sequencer_rpc": addr.Port}
	_, err = cfg.choosePorts(t.Context())
	require.EqualError(t, err, "--sequencer-rpc-port "+strconv.Itoa(addr.Port)+" cannot be listened on: listen tcp "+
		addr.String()+": bind: address already in use")
}

// Free ports are looked for where no chosen port is.
func TestFreePortsAreNotTheChosenOnes(t *testing.T) {
	t.Parallel()
	ports, guard, err := reservePorts(t.Context(), 3, nil)
	require.NoError(t, err)
	require.NoError(t, guard.Close())
	for _, chosen := range append(ports, ports[0]-1) {
		_, guard := reserveBlock(t.Context(), ports[0]-1, 3, map[int]bool{chosen: true})
		require.Nil(t, guard)
	}
}
