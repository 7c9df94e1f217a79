// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"github.com/naoina/toml"
	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/metrics"
	"github.com/ethereum/go-ethereum/node"

	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// clientIdentifier names the instance directory and the IPC socket. It is geth's, so that flashgeth
// takes over an existing data directory and clients find geth.ipc where it was.
const clientIdentifier = "geth"

// ethstatsConfig is the [Ethstats] section.
type ethstatsConfig struct {
	URL string `toml:",omitempty"` // name:secret@host:port of the statistics server
}

// config is the configuration file: op-geth's sections under op-geth's names, and [Flashblocks].
// Durations are nanoseconds, as everywhere in geth's files.
type config struct {
	Eth         ethconfig.Config
	Node        node.Config
	Ethstats    ethstatsConfig
	Metrics     metrics.Config
	Flashblocks params.Flashblocks
}

// defaultNodeConfig is the node's configuration before file and flags.
func defaultNodeConfig() node.Config {
	cfg := node.DefaultConfig
	cfg.Name = clientIdentifier
	cfg.Version = buildVersion().client()
	cfg.HTTPModules = append(cfg.HTTPModules, "eth")
	cfg.WSModules = append(cfg.WSModules, "eth")
	cfg.IPCPath = clientIdentifier + ".ipc"
	return cfg
}

// loadConfig merges defaults, the file of --config and the flags, later ones winning. The [Eth]
// section still lacks its flags: they need a node, see makeConfigNode.
func loadConfig(ctx *cli.Context) (*config, error) {
	cfg := &config{
		Eth:         ethconfig.Defaults,
		Node:        defaultNodeConfig(),
		Metrics:     metrics.DefaultConfig,
		Flashblocks: params.DefaultFlashblocks,
	}
	if file := ctx.String(configFileFlag.Name); file != "" {
		if err := readConfigFile(file, cfg); err != nil {
			return nil, err
		}
	}
	if err := applyFlashblocksFlags(ctx, &cfg.Flashblocks); err != nil {
		return nil, err
	}
	utils.SetNodeConfig(ctx, &cfg.Node)
	if ctx.IsSet(utils.EthStatsURLFlag.Name) {
		cfg.Ethstats.URL = ctx.String(utils.EthStatsURLFlag.Name)
	}
	return cfg, applyMetricsFlags(ctx, &cfg.Metrics)
}

// readConfigFile decodes a TOML file over cfg; sections that it lacks keep their values.
func readConfigFile(name string, cfg *config) error {
	file, err := os.Open(name) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("open the configuration file: %w", err)
	}
	defer file.Close()

	err = tomlSettings.NewDecoder(bufio.NewReader(file)).Decode(cfg)
	if lineErr := new(toml.LineError); errors.As(err, &lineErr) {
		return fmt.Errorf("%s, %w", name, err)
	}
	return err
}

// makeConfigNode loads the configuration and creates a node from it that has accounts but no chain.
// The caller closes the node.
func makeConfigNode(ctx *cli.Context) (*node.Node, *config, error) {
	cfg, err := loadConfig(ctx)
	if err != nil {
		return nil, nil, err
	}
	stack, err := node.New(&cfg.Node)
	if err != nil {
		return nil, nil, fmt.Errorf("create the protocol stack: %w", err)
	}
	if err := addAccountBackends(stack); err != nil {
		return nil, nil, errors.Join(err, stack.Close())
	}
	utils.SetEthConfig(ctx, stack, &cfg.Eth)
	applyForkOverrides(ctx, &cfg.Eth)
	return stack, cfg, nil
}
