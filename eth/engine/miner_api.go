// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"github.com/ethereum/go-ethereum/common/hexutil"
	gethEth "github.com/ethereum/go-ethereum/eth"
)

// MinerAPI overrides the methods of op-geth's miner namespace that the builder has to hear of. op-geth's own
// hear of them first: its pool takes the tip, and its metrics show the sizes. miner_setExtra stays op-geth's,
// because an OP Stack header has no room for it.
type MinerAPI struct {
	stock   *gethEth.MinerAPI
	builder Builder
	bounds  bool // SetGasLimit reaches the builder
}

// SetGasPrice serves miner_setGasPrice: the least tip, in wei, that the pool takes and the builder includes.
func (api *MinerAPI) SetGasPrice(gasPrice hexutil.Big) bool {
	ok := api.stock.SetGasPrice(gasPrice)
	api.builder.SetGasTip(gasPrice.ToInt())
	return ok
}

// SetGasLimit serves miner_setGasLimit: for op-geth the gas limit of blocks whose attributes set none, which on the
// OP Stack is no block, and on a node that streams a bound on the gas of a block below the limit in its header. 0
// removes the bound.
func (api *MinerAPI) SetGasLimit(gasLimit hexutil.Uint64) bool {
	ok := api.stock.SetGasLimit(gasLimit)
	if api.bounds {
		api.builder.SetGasLimit(uint64(gasLimit))
	}
	return ok
}

// SetMaxDASize serves miner_setMaxDASize, with which op-batcher throttles: the largest size in bytes on
// the data availability layer of one transaction and of one block. 0 means no limit.
func (api *MinerAPI) SetMaxDASize(maxTxSize, maxBlockSize hexutil.Big) bool {
	ok := api.stock.SetMaxDASize(maxTxSize, maxBlockSize)
	api.builder.SetMaxDASize(maxTxSize.ToInt(), maxBlockSize.ToInt())
	return ok
}
