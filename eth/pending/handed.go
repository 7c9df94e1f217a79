// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/lru"
	"github.com/ethereum/go-ethereum/core/types"
)

const (
	// handedAccounts bounds the accounts whose transactions are remembered: more than a node hands on in
	// handedTime.
	handedAccounts = 16_384

	// handedNonces bounds what is remembered of one account, as many as op-geth's pool takes of it.
	handedNonces = 64

	// handedTime is how long a transaction that was handed on counts. Normally it is in a flashblock after
	// a fraction of a second; one that the sequencer has lost must not stop its sender for good.
	handedTime = 30 * time.Second
)

// handedOn remembers the nonces of the transactions that this node has handed on to the sequencer, which it
// does not keep in a pool of its own unless --rollup.enabletxpooladmission is set.
type handedOn struct {
	now func() time.Time

	mu       sync.Mutex
	accounts lru.BasicLRU[common.Address, []handedNonce]
}

type handedNonce struct {
	nonce uint64
	at    time.Time
}

func newHandedOn(now func() time.Time) *handedOn {
	return &handedOn{now: now, accounts: lru.NewBasicLRU[common.Address, []handedNonce](handedAccounts)}
}

// add remembers a transaction.
func (h *handedOn) add(from common.Address, nonce uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.fresh(from)
	if len(list) >= handedNonces {
		list = list[1:]
	}
	h.accounts.Add(from, append(list, handedNonce{nonce, h.now()}))
}

// nonces returns those of an account that count.
func (h *handedOn) nonces(from common.Address) []handedNonce {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fresh(from)
}

// fresh returns a copy of what is remembered of an account. It assumes that the lock is held.
func (h *handedOn) fresh(from common.Address) []handedNonce {
	list, _ := h.accounts.Peek(from)
	out := make([]handedNonce, 0, len(list)+1)
	for _, one := range list {
		if h.now().Sub(one.at) < handedTime {
			out = append(out, one)
		}
	}
	return out
}

// SendTx implements ethapi.Backend: op-geth's, which hands a transaction on to the sequencer if there is one,
// or refuses it.
func (b *Backend) SendTx(ctx context.Context, tx *types.Transaction) error {
	if err := b.EthAPIBackend.SendTx(ctx, tx); err != nil {
		return err
	}
	if from, err := types.Sender(types.LatestSigner(b.chain.Config()), tx); err == nil && !b.pool.Has(tx.Hash()) {
		b.handed.add(from, tx.Nonce())
	}
	return nil
}
