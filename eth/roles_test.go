// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// roles are the three things that a node can be.
func roles() map[string]setup {
	plain := Config{Flashblocks: params.DefaultFlashblocks}
	return map[string]setup{
		"builder":  enabled,
		"follower": following(followerConfigOf("ws://127.0.0.1:1")),
		"plain":    following(plain),
	}
}

// forms are the ways in which attributes ask for a payload.
var forms = map[string]object{
	"with the pool":    {},
	"not streamed":     {"flashblocks": object{"enabled": false}},
	"without the pool": {"noTxPool": true},
}

// In every role payloads are built, and op-geth takes their blocks.
func TestRolesBuild(t *testing.T) {
	t.Parallel()
	for role, register := range roles() {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			n, plain := newNode(t, ethtest.Jovian, register), newNode(t, ethtest.Jovian, stock)
			parent, at, seq := n.GenesisHash(), uint64(ethtest.GenesisTime), uint64(0)
			for range 2 {
				for form, members := range forms {
					tx := n.Transfer(n.Eth.TxPool().PoolNonce(ethtest.User))
					require.NoError(t, n.Eth.TxPool().Add([]*types.Transaction{tx}, true)[0])
					require.NoError(t, n.Eth.TxPool().Sync())
					seq++
					attrs := ethtest.Jovian.Attributes(at, seq).With(members)
					id := n.Build(parent, attrs)
					require.Equal(t, id, n.Build(parent, attrs), form)
					env := n.Payload(id)
					require.Equal(t, env, n.Payload(id), form)
					require.NotEmpty(t, env.ExecutionPayload.Transactions, form)
					plain.Insert(env)
					at, parent = env.ExecutionPayload.Timestamp, n.Insert(env)
				}
			}
		})
	}
}

// A payload with the pool is filled in every role, within the moment that a consensus client gives it.
func TestRolesFill(t *testing.T) {
	t.Parallel()
	for role, register := range roles() {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			genesis := ethtest.Jovian.Genesis()
			genesis.Timestamp = uint64(time.Now().Unix())
			n := newUnstarted(t, ethtest.Jovian, genesis)
			register(t, n)
			n.Start()
			require.NoError(t, n.Eth.TxPool().Add([]*types.Transaction{n.Transfer(0)}, true)[0])
			require.NoError(t, n.Eth.TxPool().Sync())
			id := n.Build(n.GenesisHash(), ethtest.Jovian.Attributes(genesis.Timestamp, 0).With(object{"flashblocks": object{"enabled": false}}))
			// Asked for at once, it still waits for what it has begun.
			env := n.Payload(id)
			require.NotEmpty(t, env.ExecutionPayload.Transactions)
			n.Insert(env)
		})
	}
}

// Blocks on which no other can stand are refused, as attributes and as blocks of others. op-geth's pool would end the
// process over the latter.
func TestRolesRefuseTheLastBlock(t *testing.T) {
	t.Parallel()
	for role, register := range roles() {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, ethtest.Jovian, register)
			for _, members := range forms {
				for _, bad := range []object{{"eip1559Params": "0x0000000102000000"}, {"gasLimit": "0x0"}, {"timestamp": "0xffffffffffffffff"}} {
					got := n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(n.GenesisHash()), ethtest.Jovian.Attributes(ethtest.GenesisTime, 1).With(members).With(bad))
					require.Equal(t, engine.InvalidPayloadAttributes.ErrorCode(), got.Code, "%v", bad)
				}
			}
			env := n.Payload(n.Build(n.GenesisHash(), ethtest.Jovian.Attributes(ethtest.GenesisTime, 2)))
			data := *env.ExecutionPayload
			data.ExtraData = append([]byte{}, data.ExtraData...)
			copy(data.ExtraData[1:], common.FromHex("0x0000000102000000"))
			data.BlockHash = blockHash(t, n, &data, env.ParentBeaconBlockRoot)
			var status engine.PayloadStatusV1
			n.Call("engine_newPayloadV4", data, []common.Hash{}, env.ParentBeaconBlockRoot, []string{}).Into(t, &status)
			require.Equal(t, engine.INVALID, status.Status)
			require.NotNil(t, status.ValidationError)
			require.Contains(t, *status.ValidationError, "gas target is zero")

			var res engine.ForkChoiceResponse
			n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(data.BlockHash), nil).Into(t, &res)
			require.NotEqual(t, engine.VALID, res.PayloadStatus.Status)
			n.Insert(env)
			require.NoError(t, n.Eth.TxPool().Sync())
		})
	}
}

// blockHash is the hash of the block that a payload is of.
func blockHash(t *testing.T, n *testNode, data *engine.ExecutableData, root *common.Hash) common.Hash {
	t.Helper()
	block, err := engine.ExecutableDataToBlockNoHash(*data, nil, root, [][]byte{}, n.Eth.BlockChain().Config())
	require.NoError(t, err)
	return block.Hash()
}

// A genesis block without base fee parameters can have no child. That is said in every role, and ends none.
func TestRolesOnAGenesisWithoutParameters(t *testing.T) {
	t.Parallel()
	for role, register := range roles() {
		for _, size := range []int{0, 5} {
			t.Run(role, func(t *testing.T) {
				t.Parallel()
				genesis := ethtest.Jovian.Genesis()
				genesis.ExtraData = make([]byte, size)
				n := &testNode{Node: ethtest.NewDeafNode(t, ethtest.Jovian, genesis)}
				register(t, n)
				n.Start()
				for form, members := range forms {
					got := n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(n.GenesisHash()), ethtest.Jovian.Attributes(ethtest.GenesisTime, 1).With(members))
					require.Equal(t, engine.InvalidPayloadAttributes.ErrorCode(), got.Code, "%s: %v", form, got)
				}
			})
		}
	}
}
