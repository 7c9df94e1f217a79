// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// A chain of blocks built as flashblocks, with a reorg, over the Engine API of a started node: op-geth
// takes every one of them.
func TestBuildChain(t *testing.T) {
	t.Parallel()
	for _, f := range ethtest.Forks {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			n, plain := newNode(t, f, enabled), newNode(t, f, stock)
			parent, at := n.GenesisHash(), uint64(ethtest.GenesisTime)
			for nonce := range uint64(3) {
				require.NoError(t, n.Eth.TxPool().Add([]*types.Transaction{n.Transfer(nonce)}, true)[0])
				require.NoError(t, n.Eth.TxPool().Sync())
				attrs := f.Attributes(at, nonce)
				id := n.Build(parent, attrs)
				require.Equal(t, id, n.Build(parent, attrs), "a duplicate update gave another payload")
				env := n.Payload(id)
				require.Equal(t, env, n.Payload(id), "a payload changed after it was fetched")
				require.NotEmpty(t, env.ExecutionPayload.Transactions)
				plain.Insert(env)
				at, parent = env.ExecutionPayload.Timestamp, n.Insert(env)
			}
			// Back to genesis: what was there is replaced.
			env := n.Payload(n.Build(n.GenesisHash(), f.Attributes(ethtest.GenesisTime, 99)))
			plain.Insert(env)
			require.Equal(t, n.Insert(env), n.Eth.BlockChain().CurrentBlock().Hash())
			require.EqualValues(t, 1, n.Eth.BlockChain().CurrentBlock().Number.Uint64())
		})
	}
}

// Attributes that come again for a payload that was abandoned are built anew: what they name is what is
// streamed, and what was published under the first id stays what it was.
func TestAbandonedAttributesAgain(t *testing.T) {
	t.Parallel()
	n := newNode(t, ethtest.Jovian, enabled)
	parent, x := n.GenesisHash(), ethtest.Jovian.Attributes(ethtest.GenesisTime, 1)
	first := n.Build(parent, x)
	for _, between := range []object{
		ethtest.Jovian.Attributes(ethtest.GenesisTime, 2),
		ethtest.Jovian.Attributes(ethtest.GenesisTime, 3).With(object{"noTxPool": true}),
		ethtest.Jovian.Attributes(ethtest.GenesisTime, 4).With(object{"flashblocks": object{"enabled": false}}),
	} {
		n.Build(parent, between)
		again := n.Build(parent, x)
		require.NotEqual(t, first, again, "a payload that builds no longer")
		require.Equal(t, again, n.Build(parent, x), "it is under construction")
		first = again
	}
	env := n.Payload(first)
	require.Equal(t, first, n.Build(parent, x), "it was fetched")
	require.Equal(t, env, n.Payload(first))
	n.Insert(env)
}

// Forkchoice updates, getPayload and limits come from several connections at once: answers stay
// consistent, and a payload that was fetched never changes.
func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	n := newNode(t, ethtest.Jovian, enabled)
	// Ten payloads at a time, as many as are kept: a caller may be left behind by all the others.
	const callers, rounds, times = 5, 2, 5
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		seen = make(map[engine.PayloadID]common.Hash)
	)
	for time := range times {
		for caller := range callers {
			wg.Go(func() {
				for round := range rounds {
					seq := uint64(time*rounds + round + caller%2) // some ask for the same
					var res engine.ForkChoiceResponse
					n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(n.GenesisHash()), ethtest.Jovian.Attributes(ethtest.GenesisTime, seq)).Into(t, &res)
					n.Call("miner_setMaxDASize", ethtest.HexUint(uint64(round)), "0x0")
					var env engine.ExecutionPayloadEnvelope
					n.Call("engine_getPayloadV4", res.PayloadID).Into(t, &env)
					mu.Lock()
					if want, ok := seen[*res.PayloadID]; ok && want != env.ExecutionPayload.BlockHash {
						t.Errorf("payload %s changed", *res.PayloadID)
					}
					seen[*res.PayloadID] = env.ExecutionPayload.BlockHash
					mu.Unlock()
				}
			})
		}
		wg.Wait()
	}
	require.GreaterOrEqual(t, len(seen), times*rounds+1)
}
