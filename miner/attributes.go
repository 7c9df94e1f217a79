// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"fmt"
	"math"
	"time"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// checkArgs validates what op-geth's miner validates before it accepts a build, and returns the parent
// and the time between the two blocks.
func checkArgs(chain *core.BlockChain, args *gethminer.BuildPayloadArgs) (*types.Header, time.Duration, error) {
	parent := chain.GetHeaderByHash(args.Parent)
	if parent == nil {
		return nil, 0, fmt.Errorf("%w %v", errMissingParent, args.Parent)
	}
	if args.Timestamp <= parent.Time {
		return nil, 0, fmt.Errorf("invalid timestamp, parent %d given %d", parent.Time, args.Timestamp)
	}
	// A gap of more than an hour is no slot; the bound keeps the schedule's arithmetic in range.
	gap := min(args.Timestamp-parent.Time, 3600)
	return parent, time.Duration(gap) * time.Second, nil
}

// checkBlock reports attributes of which no block can be made that a node would import or build upon, as far as
// that can be told without executing anything. header is the one made of them.
func checkBlock(cfg *gethparams.ChainConfig, parent, header *types.Header, args *gethminer.BuildPayloadArgs) error {
	if len(args.Withdrawals) > 0 {
		switch {
		case cfg.IsOptimismIsthmus(header.Time):
			return errWithdrawals
		case !cfg.IsShanghai(header.Number, header.Time):
			return errEarlyWithdrawals
		}
	}
	if _, err := footprintScalar(cfg, parent, firstOf(args.Transactions)); err != nil {
		return err
	}
	if header.Time == math.MaxUint64 {
		return errLastTimestamp
	}
	if header.GasLimit > gethparams.MaxGasLimit {
		return fmt.Errorf("%w: %d", errGasLimit, header.GasLimit)
	}
	if !cfg.IsLondon(header.Number) {
		return nil
	}
	if _, elasticity := baseFeeParams(cfg, header, header.Time+1); elasticity == 0 || header.GasLimit/elasticity == 0 {
		return fmt.Errorf("%w: gas limit %d, elasticity %d", errNoGasTarget, header.GasLimit, elasticity)
	}
	return nil
}

// firstOf returns the first transaction, nil if there is none.
func firstOf(txs []*types.Transaction) *types.Transaction {
	if len(txs) == 0 {
		return nil
	}
	return txs[0]
}

// certain reports whether the transactions of attributes can be executed whatever the state: deposits that
// fail are included all the same, unless the block has no gas for them (deposits specification).
func certain(cfg *gethparams.ChainConfig, header *types.Header, txs []*types.Transaction) bool {
	left := header.GasLimit
	for _, tx := range txs {
		if !tx.IsDepositTx() || tx.Mint() != nil && tx.Mint().BitLen() > 256 {
			return false
		}
		if tx.IsSystemTx() {
			if cfg.IsOptimismRegolith(header.Time) {
				return false
			}
			continue // it takes nothing of the block's gas
		}
		if tx.Gas() > left {
			return false // it depends on what those before it leave unused
		}
		left -= tx.Gas()
	}
	return true
}
