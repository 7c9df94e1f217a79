// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
)

// Forks tells which header fields a block has. Each fork implies the ones before it.
type Forks struct {
	Canyon  bool // withdrawals, an empty list
	Ecotone bool // parent beacon root, blob gas fields
	Isthmus bool // withdrawals root from the message passer's storage, requests
}

// ForksAt returns the forks that cfg activates at a timestamp in seconds.
func ForksAt(cfg *params.ChainConfig, timestamp uint64) Forks {
	return Forks{
		Canyon:  cfg.IsOptimismCanyon(timestamp),
		Ecotone: cfg.IsOptimismEcotone(timestamp),
		Isthmus: cfg.IsOptimismIsthmus(timestamp),
	}
}

// InferForks guesses the forks from a base and a diff of the block, for programs that do not know the
// chain. Canyon leaves no trace on the wire and is assumed. A builder that zeroes the withdrawals root
// hides Isthmus; whoever can tell (from the version of the Engine API in use, say) must correct that.
func InferForks(base *Base, diff *Diff) Forks {
	ecotone := base.ParentBeaconBlockRoot != nil
	return Forks{
		Canyon:  true,
		Ecotone: ecotone,
		Isthmus: ecotone && diff.WithdrawalsRoot != (common.Hash{}) && diff.WithdrawalsRoot != types.EmptyWithdrawalsHash,
	}
}
