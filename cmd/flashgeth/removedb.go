// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/console/prompt"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/log"
)

// The answers to removedb's two questions, for scripts.
var (
	removeStateFlag = &cli.BoolFlag{Name: "remove.state", Usage: "Answer whether to remove the state data, instead of asking"}
	removeChainFlag = &cli.BoolFlag{Name: "remove.chain", Usage: "Answer whether to remove the ancient chain, instead of asking"}
)

func removeDBCommand() *cli.Command {
	return &cli.Command{
		Name:        "removedb",
		Usage:       "Remove blockchain and state databases",
		Flags:       slices.Concat(utils.DatabaseFlags, []cli.Flag{removeStateFlag, removeChainFlag}),
		Description: "Asks, once for the state and once for the ancient chain, and removes what was confirmed.",
		Action:      removeDB,
	}
}

func removeDB(ctx *cli.Context) error {
	stack, cfg, err := makeConfigNode(ctx)
	if err != nil {
		return err
	}
	defer stack.Close()

	chaindata := stack.ResolvePath("chaindata")
	ancient := cfg.Eth.DatabaseFreezer
	switch {
	case ancient == "":
		ancient = filepath.Join(chaindata, "ancient")
	case !filepath.IsAbs(ancient):
		ancient = cfg.Node.ResolvePath(ancient)
	}
	state := []string{
		chaindata,
		filepath.Join(ancient, rawdb.MerkleStateFreezerName),
		filepath.Join(ancient, rawdb.VerkleStateFreezerName),
	}
	chain := []string{filepath.Join(ancient, rawdb.ChainFreezerName)}
	return errors.Join(
		confirmRemoval(ctx, "state data", state, removeStateFlag.Name),
		confirmRemoval(ctx, "ancient chain", chain, removeChainFlag.Name),
	)
}

// confirmRemoval empties the folders if the flag, or without it the user, agrees.
func confirmRemoval(ctx *cli.Context, kind string, folders []string, flag string) error {
	question := fmt.Sprintf("Remove '%s'?", kind)
	if _, err := fmt.Fprintf(ctx.App.Writer, "Location(s) of '%s':\n\t- %s\n", kind, strings.Join(folders, "\n\t- ")); err != nil {
		return err
	}
	agreed := ctx.Bool(flag)
	if !ctx.IsSet(flag) {
		var err error
		if agreed, err = prompt.Stdin.PromptConfirm(question); err != nil {
			return fmt.Errorf("ask whether to remove the %s: %w", kind, err)
		}
	}
	if !agreed {
		log.Info("Database deletion skipped", "kind", kind, "paths", folders)
		return nil
	}
	start := time.Now()
	for _, folder := range folders {
		if err := removeFiles(folder); err != nil {
			return fmt.Errorf("remove the %s: %w", kind, err)
		}
	}
	log.Info("Database successfully deleted", "kind", kind, "paths", folders, "elapsed", common.PrettyDuration(time.Since(start)))
	return nil
}

// removeFiles deletes the files directly in a folder. Sub-folders stay: the ancient chain lies below
// the state and is asked about on its own.
func removeFiles(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		log.Info("Folder does not exist", "path", folder)
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}
