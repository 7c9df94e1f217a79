// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/log"
)

func initCommand() *cli.Command {
	return &cli.Command{
		Name:      "init",
		Usage:     "Bootstrap and initialize a new genesis block",
		ArgsUsage: "<genesisPath>",
		Flags:     slices.Concat([]cli.Flag{utils.CachePreimagesFlag}, initOverrideFlags, utils.DatabaseFlags),
		Description: "Writes the genesis block and the chain configuration of a JSON file into the data directory.\n" +
			"It decides which network the node takes part in, so run it on an empty directory.",
		Action: initGenesis,
	}
}

func initGenesis(ctx *cli.Context) error {
	if ctx.NArg() != 1 || ctx.Args().First() == "" {
		return errors.New("need genesis.json file as the only argument")
	}
	genesis, err := readGenesis(ctx.Args().First())
	if err != nil {
		return err
	}
	stack, _, err := makeConfigNode(ctx)
	if err != nil {
		return err
	}
	defer stack.Close()

	chaindb := utils.MakeChainDatabase(ctx, stack, false)
	defer chaindb.Close()
	triedb := utils.MakeTrieDatabase(ctx, stack, chaindb, ctx.Bool(utils.CachePreimagesFlag.Name), false, genesis.IsVerkle())
	defer triedb.Close()

	_, hash, compatErr, err := core.SetupGenesisBlockWithOverride(chaindb, triedb, genesis, genesisOverrides(ctx), nil)
	switch {
	case err != nil:
		return fmt.Errorf("write genesis block: %w", err)
	case compatErr != nil: // a *ConfigCompatError, hence no err
		return fmt.Errorf("write chain config: %w", compatErr)
	}
	log.Info("Successfully wrote genesis state", "database", "chaindata", "hash", hash)
	return nil
}

func readGenesis(path string) (*core.Genesis, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("read genesis file: %w", err)
	}
	genesis := new(core.Genesis)
	if err := json.Unmarshal(data, genesis); err != nil {
		return nil, fmt.Errorf("invalid genesis file: %w", err)
	}
	return genesis, nil
}
