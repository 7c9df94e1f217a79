// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/internal/ethapi"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
)

// syncHeads is how many canonical blocks may wait for one eth_sendRawTransactionSync. Which ones does not
// matter: after each the receipt is looked up anew.
const syncHeads = 16

// errStopping ends the wait for a receipt when the node stops.
var errStopping = errors.New("the node is stopping")

// milliseconds is a timeout as clients send it: a JSON number, or a hex string as viem did before 2.46.3.
type milliseconds uint64

// UnmarshalJSON implements json.Unmarshaler.
func (m *milliseconds) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, (*hexutil.Uint64)(m))
	}
	v, err := strconv.ParseUint(string(raw), 10, 64)
	if err != nil {
		return errors.New("timeout must be a number of milliseconds or a hex string of one")
	}
	*m = milliseconds(v)
	return nil
}

// duration clamps the timeout to what the node allows. Absent, null and zero stand for the default.
func (m *milliseconds) duration(standard, most time.Duration) time.Duration {
	switch {
	case m == nil || *m == 0:
		return standard
	case uint64(*m) > uint64(most/time.Millisecond):
		return most
	}
	return time.Duration(*m) * time.Millisecond
}

// SendRawTransactionSync serves eth_sendRawTransactionSync (EIP-7966): it submits a transaction and
// answers with its receipt as soon as a flashblock or a block holds it. After timeout, --rpc.txsync.defaulttimeout
// if there is none and --rpc.txsync.maxtimeout at most, it answers with error code 4 and the hash as data.
func (api *EthAPI) SendRawTransactionSync(ctx context.Context, input hexutil.Bytes, timeout *milliseconds) (map[string]any, error) {
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(input); err != nil {
		return nil, err
	}
	// Whoever listens before sending cannot miss the answer.
	heads := make(chan core.ChainHeadEvent, syncHeads)
	headSub := api.b.SubscribeChainHeadEvent(heads)
	defer headSub.Unsubscribe()
	events := api.b.source.Subscribe()
	defer events.Unsubscribe()

	hash, err := ethapi.SubmitTransaction(ctx, api.b, tx)
	if err != nil {
		return nil, err
	}
	wait := timeout.duration(api.b.RPCTxSyncDefaultTimeout(), api.b.RPCTxSyncMaxTimeout())
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return api.awaitReceipt(waiting, hash, events.Events(), heads, headSub.Err(), wait)
}

// awaitReceipt answers with the receipt of a transaction once there is one.
func (api *EthAPI) awaitReceipt(ctx context.Context, hash common.Hash, events <-chan overlay.Event, heads <-chan core.ChainHeadEvent, stopped <-chan error, wait time.Duration) (map[string]any, error) {
	for {
		// The index of transactions is not complete on every node: that is no reason to stop waiting.
		if receipt, err := api.GetTransactionReceipt(ctx, hash); err == nil && receipt != nil {
			return receipt, nil
		}
		select {
		case _, ok := <-events:
			if !ok {
				events = nil // overlay gone or far behind: canonical blocks go on
			}
		case <-heads:
		case err := <-stopped:
			return nil, errors.Join(errStopping, err)
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return nil, &txTimeoutError{hash: hash, timeout: wait}
			}
			return nil, ctx.Err()
		}
	}
}
