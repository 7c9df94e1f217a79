// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// Payloads that are not sequenced are op-geth's own, to the last byte.
func TestNoTxPoolIsDelegated(t *testing.T) {
	t.Parallel()
	for _, f := range ethtest.Forks {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			fake := new(fakeBuilder)
			ours, theirs := newNode(t, f, withBuilder(fake)), newNode(t, f, stock)
			tx, err := ours.Transfer(0).MarshalBinary()
			require.NoError(t, err)
			attrs := f.Attributes(ethtest.GenesisTime, 0).With(object{
				"noTxPool": true, "transactions": []string{ethtest.HexBytes(f.L1Info(0)), ethtest.HexBytes(tx)},
			})
			id := start(t, ours, attrs)
			require.Equal(t, start(t, theirs, attrs), id)
			require.Empty(t, fake.jobs)
			require.Equal(t, theirs.Call(f.GetPayload(), id), ours.Call(f.GetPayload(), id))
			env := ours.Payload(id)
			require.Len(t, env.ExecutionPayload.Transactions, 2)
			require.Equal(t, env.ExecutionPayload.BlockHash, ours.Insert(env))
		})
	}
}

// An override decides who builds, and with what interval; nonsense in it is refused like other bad
// attributes, before the head is touched.
func TestForkchoiceOverride(t *testing.T) {
	t.Parallel()
	fake := new(fakeBuilder)
	n := newNode(t, ethtest.Jovian, withBuilder(fake))
	attrs := func(seq uint64, override any) object {
		return ethtest.Jovian.Attributes(ethtest.GenesisTime, seq).With(object{"flashblocks": override})
	}
	start(t, n, attrs(1, object{"intervalMs": 50}))
	start(t, n, attrs(2, object{"enabled": true}))
	start(t, n, attrs(3, object{"enabled": false, "intervalMs": 50}))
	require.Len(t, fake.opts, 2)
	require.Equal(t, 1, fake.abandons, "the job goes on although op-geth's miner builds the block")
	require.EqualValues(t, 50_000_000, fake.opts[0].Interval)
	require.Zero(t, fake.opts[1].Interval)

	for override, reason := range map[any]string{
		"on":                         `flashblocks must be an object, got "on"`,
		&object{"intervalMs": 0}:     errZeroInterval.Error(),
		&object{"intervalMs": 2001}:  "flashblocks.intervalMs 2001 is longer than the slot of 2000 ms",
		&object{"intervalMs": -1}:    "flashblocks.intervalMs must be a whole number of milliseconds, got -1",
		&object{"enabled": "true"}:   `flashblocks.enabled must be true or false, got "true"`,
		&object{"blockTime": "200s"}: `flashblocks has an unknown member "blockTime"`,
	} {
		for _, noTxPool := range []bool{false, true} {
			got := n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(n.GenesisHash()), attrs(9, override).With(object{"noTxPool": noTxPool}))
			require.Equal(t, engine.InvalidPayloadAttributes.ErrorCode(), got.Code, "%v", override)
			require.Equal(t, engine.InvalidPayloadAttributes.Error(), got.Error)
			var data struct{ Err string }
			answer{Result: got.Data}.Into(t, &data)
			require.Equal(t, reason, data.Err)
		}
	}
	require.Len(t, fake.opts, 2, "a refused override started a job")
}

// The first update that names a payload decides who builds it, so that a published payload is sealed by
// who published it.
func TestFirstUpdateDecidesWhoBuilds(t *testing.T) {
	t.Parallel()
	fake := new(fakeBuilder)
	n := newNode(t, ethtest.Jovian, withBuilder(fake))
	attrs := func(seq uint64) object { return ethtest.Jovian.Attributes(ethtest.GenesisTime, seq) }
	off := object{"flashblocks": object{"enabled": false}}

	// The builder's stays the builder's.
	id := start(t, n, attrs(1))
	require.Equal(t, id, start(t, n, attrs(1)), "duplicate")
	require.Equal(t, id, start(t, n, attrs(1).With(off)), "override came late")
	var res engine.ForkChoiceResponse
	n.Call("engine_forkchoiceUpdatedWithWitnessV3", ethtest.Head(n.GenesisHash()), attrs(1)).Into(t, &res)
	require.Equal(t, id, *res.PayloadID)
	require.Len(t, fake.jobs, 1)
	require.Equal(t, []byte("fake"), n.Payload(id).ExecutionPayload.ExtraData)

	// op-geth's stays op-geth's.
	id = start(t, n, attrs(2).With(off))
	require.Equal(t, id, start(t, n, attrs(2)))
	require.NotEqual(t, []byte("fake"), n.Payload(id).ExecutionPayload.ExtraData)

	// So does a payload whose execution is being witnessed.
	before := fake.abandons
	n.Call("engine_forkchoiceUpdatedWithWitnessV3", ethtest.Head(n.GenesisHash()), attrs(3)).Into(t, &res)
	require.Equal(t, before+1, fake.abandons, "the stream goes on with a block that nobody seals")
	require.Equal(t, *res.PayloadID, start(t, n, attrs(3)))
	env := n.Payload(*res.PayloadID)
	require.NotEqual(t, []byte("fake"), env.ExecutionPayload.ExtraData)
	require.NotNil(t, env.Witness)
	require.Len(t, fake.jobs, 1)
}

// Amsterdam is no fork of the OP Stack: its payloads are op-geth's.
func TestAmsterdamIsDelegated(t *testing.T) {
	t.Parallel()
	fake := new(fakeBuilder)
	genesis := ethtest.Jovian.Genesis()
	config := *genesis.Config
	config.OsakaTime, config.AmsterdamTime = ptr(uint64(ethtest.GenesisTime+1)), ptr(uint64(ethtest.GenesisTime+1))
	genesis.Config = &config
	n := ethtest.NewNode(t, ethtest.Jovian, genesis)
	withBuilder(fake)(t, n)
	n.Start()
	attrs := ethtest.Jovian.Attributes(ethtest.GenesisTime, 1).With(object{"slotNumber": ethtest.HexUint(1), "targetGasLimit": ethtest.HexUint(30_000_000)})
	got := n.Call("engine_forkchoiceUpdatedV4", ethtest.Head(n.GenesisHash()), attrs)
	require.Empty(t, got.Error)
	require.Empty(t, fake.jobs)
}

// A head that is not known is not built on.
func TestUnknownHeadIsSyncing(t *testing.T) {
	t.Parallel()
	fake := new(fakeBuilder)
	n := newNode(t, ethtest.Jovian, withBuilder(fake))
	var res engine.ForkChoiceResponse
	n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(common.Hash{5}), ethtest.Jovian.Attributes(ethtest.GenesisTime, 0)).Into(t, &res)
	require.Equal(t, engine.SYNCING, res.PayloadStatus.Status)
	require.Nil(t, res.PayloadID)
	require.Empty(t, fake.jobs)
	require.Empty(t, fake.heads)
}

// The builder hears of every valid head and of no other, and of the head before the attributes.
func TestBuilderFollowsTheHead(t *testing.T) {
	t.Parallel()
	fake := new(fakeBuilder)
	n := newNode(t, ethtest.Jovian, withBuilder(fake))
	genesis := n.GenesisHash()
	derived := func(seq uint64) common.Hash {
		return n.Insert(n.Payload(start(t, n, ethtest.Jovian.Attributes(ethtest.GenesisTime, seq).With(object{"noTxPool": true}))))
	}
	a := derived(1)
	b := derived(2) // reorgs a away
	require.NotEqual(t, a, b)
	require.Equal(t, b, n.Eth.BlockChain().CurrentBlock().Hash())
	require.Equal(t, []common.Hash{genesis, a, genesis, b}, fake.heads)

	n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(common.Hash{}), nil)
	n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(common.Hash{8}), nil)
	n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(a).With(object{"safeBlockHash": common.Hash{8}}), nil)
	require.Len(t, fake.heads, 4)

	// Garbage is found after the head has been set, as in op-geth: back on a, nothing built.
	got := n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(a), ethtest.Jovian.Attributes(ethtest.GenesisTime+ethtest.BlockTime, 3).With(object{"transactions": []string{"0x01"}}))
	require.Equal(t, engine.InvalidPayloadAttributes.ErrorCode(), got.Code)
	require.Equal(t, a, n.Eth.BlockChain().CurrentBlock().Hash())
	require.Equal(t, a, fake.heads[len(fake.heads)-1])
	require.Empty(t, fake.jobs)
}

// op-geth's miner builds while the builder is not running, and when starting a job panics.
func TestStockBuildsWhenBuilderCannot(t *testing.T) {
	t.Parallel()
	fake := new(fakeBuilder)
	var service *Service
	n := newNode(t, ethtest.Jovian, func(t testing.TB, n *ethtest.Node) {
		t.Helper()
		fake.chain = n.Eth.BlockChain()
		service = serve(n, fake)
	})
	fake.panics = true
	n.Insert(n.Payload(start(t, n, ethtest.Jovian.Attributes(ethtest.GenesisTime, 1))))
	fake.panics = false

	require.NoError(t, service.Stop())
	id := start(t, n, ethtest.Jovian.Attributes(ethtest.GenesisTime, 2))
	require.Empty(t, fake.jobs)
	n.Insert(n.Payload(id))
	require.NoError(t, service.Start(t.Context()))
	start(t, n, ethtest.Jovian.Attributes(ethtest.GenesisTime, 3))
	require.Len(t, fake.jobs, 1)
}

// What op-geth accepts, fails to build in the background, and then never answers getPayload for, is
// refused at once.
func TestAttributesThatCannotBeBuiltAreRefused(t *testing.T) {
	t.Parallel()
	n := newNode(t, ethtest.Jovian, withMiner)
	got := n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(n.GenesisHash()), ethtest.Jovian.Attributes(ethtest.GenesisTime, 0).With(object{"minBaseFee": nil}))
	require.Equal(t, answer{Code: -38003, Error: "Invalid payload attributes", Data: `{"err":"missing minBaseFee"}`}, got)
}
