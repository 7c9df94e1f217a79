// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package subscribe

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/internal/ethapi"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
	"github.com/ethereum/go-ethereum/flashgeth/eth/pending"
)

// renderings is how many snapshots are kept in the forms that subscriptions deliver. Readers that are
// further apart than this are slow, and pay for rendering by themselves.
const renderings = 8

// rendered keeps the newest snapshots in the forms that every subscription of a kind gets.
type rendered struct {
	mu   sync.Mutex
	list []*rendering // oldest first
}

// of returns the rendering of a snapshot, which all subscriptions share.
func (r *rendered) of(config *gethparams.ChainConfig, s *overlay.Snapshot) *rendering {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, have := range r.list {
		if have.snap == s {
			return have
		}
	}
	made := &rendering{config: config, snap: s}
	if len(r.list) == renderings {
		r.list = append(r.list[:0], r.list[1:]...)
	}
	r.list = append(r.list, made)
	return made
}

// rendering is one snapshot in the forms that subscriptions deliver, each made when first asked for.
type rendering struct {
	config *gethparams.ChainConfig
	snap   *overlay.Snapshot

	block memo[json.RawMessage]
	txs   memo[[]json.RawMessage]
	v0    memo[json.RawMessage]
}

// memo is a value that is made once.
type memo[T any] struct {
	once  sync.Once
	value T
	err   error
}

func (m *memo[T]) get(make func() (T, error)) (T, error) {
	m.once.Do(func() { m.value, m.err = make() })
	return m.value, m.err
}

// wholeBlock returns the pending block with its transactions.
func (r *rendering) wholeBlock(ctx context.Context) (json.RawMessage, error) {
	return r.block.get(func() (json.RawMessage, error) {
		fields, err := pending.MarshalBlock(ctx, r.config, r.snap, true)
		if err != nil {
			return nil, err
		}
		return json.Marshal(fields)
	})
}

// flashblockTransaction is a preconfirmed transaction with its outcome.
type flashblockTransaction struct {
	*ethapi.RPCTransaction
	Logs    []*types.Log   `json:"logs"`
	GasUsed hexutil.Uint64 `json:"gasUsed"`
	Status  hexutil.Uint64 `json:"status"` // 1 for success
}

// freshTransactions returns the transactions of the newest flashblock.
func (r *rendering) freshTransactions(ctx context.Context) ([]json.RawMessage, error) {
	return r.txs.get(func() ([]json.RawMessage, error) {
		s := r.snap
		list := make([]json.RawMessage, 0, len(s.Txs)-s.Fresh())
		for i := s.Fresh(); i < len(s.Txs); i++ {
			tx, err := pending.MarshalTransaction(ctx, r.config, s, i)
			if err != nil {
				return nil, err
			}
			receipt := s.Receipts[i]
			full := flashblockTransaction{
				RPCTransaction: tx, Logs: receipt.Logs,
				GasUsed: hexutil.Uint64(receipt.GasUsed), Status: hexutil.Uint64(receipt.Status),
			}
			if full.Logs == nil {
				full.Logs = []*types.Log{}
			}
			enc, err := json.Marshal(full)
			if err != nil {
				return nil, err
			}
			list = append(list, enc)
		}
		return list, nil
	})
}
