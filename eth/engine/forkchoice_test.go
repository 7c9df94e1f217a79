// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// Payloads without the pool are op-geth's, to the last byte.
func TestNoTxPoolLikeStock(t *testing.T) {
	t.Parallel()
	for _, f := range ethtest.Forks {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			ours, theirs := newNode(t, f, withMiner), newNode(t, f, stock)
			tx, err := ours.Transfer(0).MarshalBinary()
			require.NoError(t, err)
			attrs := f.Attributes(ethtest.GenesisTime, 0).With(object{
				"noTxPool": true, "transactions": []string{ethtest.HexBytes(f.L1Info(0)), ethtest.HexBytes(tx)},
			})
			id := start(t, ours, attrs)
			require.Equal(t, start(t, theirs, attrs), id)
			require.Equal(t, theirs.Call(f.GetPayload(), id), ours.Call(f.GetPayload(), id))
			env := ours.Payload(id)
			require.Len(t, env.ExecutionPayload.Transactions, 2)
			require.Equal(t, env.ExecutionPayload.BlockHash, ours.Insert(env))
		})
	}
}

// An override decides whether a payload is streamed, and with what interval; nonsense in it is refused like other bad
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
	require.Equal(t, []miner.Options{{Interval: 50 * time.Millisecond}, {}, {Interval: 50 * time.Millisecond, Whole: true}}, fake.opts)

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
	require.Len(t, fake.opts, 3, "a refused override started a job")
}

// The first update that names a payload decides how it is built: streamed or not, with a witness or without.
func TestFirstUpdateDecides(t *testing.T) {
	t.Parallel()
	n := newNode(t, ethtest.Jovian, withMiner)
	var (
		off     = object{"flashblocks": object{"enabled": false}}
		attrs   = func(seq uint64) object { return ethtest.Jovian.Attributes(ethtest.GenesisTime, seq) }
		witness = func(attrs object) engine.PayloadID {
			var res engine.ForkChoiceResponse
			n.Call("engine_forkchoiceUpdatedWithWitnessV3", ethtest.Head(n.GenesisHash()), attrs).Into(t, &res)
			return *res.PayloadID
		}
		build = map[string]func(object) engine.PayloadID{
			"streamed": func(attrs object) engine.PayloadID { return start(t, n, attrs) },
			"whole":    func(attrs object) engine.PayloadID { return start(t, n, attrs.With(off)) },
			"witness":  witness,
			"exact":    func(attrs object) engine.PayloadID { return start(t, n, attrs.With(object{"noTxPool": true})) },
		}
	)
	seq := uint64(0)
	for first, begin := range build {
		for again, repeat := range build {
			seq++
			id := begin(attrs(seq))
			if (first == "exact") != (again == "exact") {
				require.NotEqual(t, id, repeat(attrs(seq)), "%s, then %s", first, again)
				continue
			}
			require.Equal(t, id, repeat(attrs(seq)), "%s, then %s", first, again)
			env := n.Payload(id)
			require.Equal(t, first == "witness", env.Witness != nil, "%s, then %s", first, again)
			require.Len(t, env.ExecutionPayload.Transactions, 1)
		}
	}
}

// Amsterdam is no fork of the OP Stack, and its payloads are op-geth's all the same.
func TestAmsterdamLikeStock(t *testing.T) {
	t.Parallel()
	amsterdam := func(register setup) *ethtest.Node {
		genesis := ethtest.Jovian.Genesis()
		config := *genesis.Config
		config.OsakaTime, config.AmsterdamTime = ptr(uint64(ethtest.GenesisTime+1)), ptr(uint64(ethtest.GenesisTime+1))
		genesis.Config = &config
		n := ethtest.NewNode(t, ethtest.Jovian, genesis)
		register(t, n)
		n.Start()
		return n
	}
	ours, theirs := amsterdam(withMiner), amsterdam(stock)
	for seq, noTxPool := range []bool{true, false} {
		attrs := ethtest.Jovian.Attributes(ethtest.GenesisTime, uint64(seq)).With(object{
			"slotNumber": ethtest.HexUint(1), "targetGasLimit": ethtest.HexUint(30_000_000), "noTxPool": noTxPool,
		})
		want := theirs.Call("engine_forkchoiceUpdatedV4", ethtest.Head(ours.GenesisHash()), attrs)
		require.Empty(t, want.Error)
		require.Equal(t, want, ours.Call("engine_forkchoiceUpdatedV4", ethtest.Head(ours.GenesisHash()), attrs))
		var res engine.ForkChoiceResponse
		want.Into(t, &res)
		require.Equal(t, theirs.Call("engine_getPayloadV6", res.PayloadID), ours.Call("engine_getPayloadV6", res.PayloadID))
	}
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

// The builder hears of every head that a forkchoice update moves to, before the attributes, and of nothing else.
func TestBuilderFollowsTheHead(t *testing.T) {
	t.Parallel()
	fake := new(fakeBuilder)
	n := newNode(t, ethtest.Jovian, withBuilder(fake))
	judge := newNode(t, ethtest.Jovian, stock)
	derived := func(seq uint64) common.Hash {
		return n.Insert(judge.Payload(start(t, judge, ethtest.Jovian.Attributes(ethtest.GenesisTime, seq).With(object{"noTxPool": true}))))
	}
	a := derived(1)
	b := derived(2) // reorgs a away
	require.NotEqual(t, a, b)
	require.Equal(t, b, n.Eth.BlockChain().CurrentBlock().Hash())
	require.Equal(t, []common.Hash{a, b}, fake.heads)

	for _, still := range []common.Hash{{}, {8}, b, n.GenesisHash()} {
		n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(still), nil)
	}
	require.Equal(t, []common.Hash{a, b}, fake.heads)

	// Garbage is found after the head has been set, as in op-geth: back on a, nothing built.
	got := n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(a), ethtest.Jovian.Attributes(ethtest.GenesisTime+ethtest.BlockTime, 3).With(object{"transactions": []string{"0x01"}}))
	require.Equal(t, engine.InvalidPayloadAttributes.ErrorCode(), got.Code)
	require.Equal(t, a, n.Eth.BlockChain().CurrentBlock().Hash())
	require.Equal(t, []common.Hash{a, b, a}, fake.heads)
	require.Empty(t, fake.jobs)
}

// An update to an older block of the chain moves nothing, and the payload under construction goes on.
func TestOlderHeadLeavesThePayload(t *testing.T) {
	t.Parallel()
	n := newNode(t, ethtest.Jovian, withMiner)
	head := n.Insert(n.Payload(start(t, n, ethtest.Jovian.Attributes(ethtest.GenesisTime, 1))))
	for seq, off := range []bool{false, true} {
		attrs := ethtest.Jovian.Attributes(ethtest.GenesisTime+ethtest.BlockTime, uint64(seq)).With(object{"flashblocks": object{"enabled": !off}})
		id := n.Build(head, attrs)
		var res engine.ForkChoiceResponse
		n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(n.GenesisHash()), nil).Into(t, &res)
		require.Equal(t, engine.VALID, res.PayloadStatus.Status)
		require.Equal(t, head, n.Eth.BlockChain().CurrentBlock().Hash())
		require.Equal(t, id, n.Build(head, attrs), "it was abandoned")
	}
}

// A builder builds before it is started. After its stop it says that it does not, and does not blame the attributes.
func TestBuilderThatIsNotRunning(t *testing.T) {
	t.Parallel()
	var b *miner.Builder
	n := newNode(t, ethtest.Jovian, func(t testing.TB, n *ethtest.Node) {
		t.Helper()
		b = newMiner(t, n)
		serve(t, n, b)
	})
	require.NoError(t, n.Eth.TxPool().Add([]*types.Transaction{n.Transfer(0)}, true)[0])
	require.NoError(t, n.Eth.TxPool().Sync())
	for seq, override := range []object{{}, {"flashblocks": object{"enabled": false}}, {"noTxPool": true}} {
		n.Insert(n.Payload(start(t, n, ethtest.Jovian.Attributes(ethtest.GenesisTime, uint64(seq)).With(override))))
	}
	id := start(t, n, ethtest.Jovian.Attributes(ethtest.GenesisTime, 8))
	require.NoError(t, b.Start(t.Context()))
	require.Equal(t, id, start(t, n, ethtest.Jovian.Attributes(ethtest.GenesisTime, 8)))

	require.NoError(t, b.Stop())
	got := n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(n.GenesisHash()), ethtest.Jovian.Attributes(ethtest.GenesisTime, 9))
	require.Equal(t, answer{Code: -32000, Error: miner.ErrStopped.Error()}, got)
}

// What the builder cannot do for reasons of its own is no fault of the attributes.
func TestNotBuiltIsNotRefused(t *testing.T) {
	t.Parallel()
	fake := new(fakeBuilder)
	n := newNode(t, ethtest.Jovian, withBuilder(fake))
	for refusal, code := range map[error]int{
		fmt.Errorf("%w: the disk is gone", miner.ErrNotBuilt): -32000,
		errors.New("no such transaction"):                     engine.InvalidPayloadAttributes.ErrorCode(),
	} {
		fake.refusal = refusal
		got := n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(n.GenesisHash()), ethtest.Jovian.Attributes(ethtest.GenesisTime, 0))
		require.Equal(t, code, got.Code)
	}
}

// What op-geth accepts, fails to build in the background, and then never answers getPayload for, is refused at
// once, in every form, and later updates are answered.
func TestAttributesThatCannotBeBuiltAreRefused(t *testing.T) {
	t.Parallel()
	n := newNode(t, ethtest.Jovian, withMiner)
	encode := func(tx *types.Transaction) string {
		raw, err := tx.MarshalBinary()
		require.NoError(t, err)
		return ethtest.HexBytes(raw)
	}
	info := ethtest.HexBytes(ethtest.Jovian.L1Info(1))
	to := common.Address{7}
	deposit := func(gas uint64) string {
		return encode(types.NewTx(&types.DepositTx{To: &to, Gas: gas, Value: new(big.Int)}))
	}
	foreign := types.MustSignNewTx(ethtest.UserKey, types.LatestSignerForChainID(big.NewInt(5)), &types.DynamicFeeTx{ChainID: big.NewInt(5), Gas: 21_000, To: &to})
	poor, err := crypto.GenerateKey()
	require.NoError(t, err)
	chainID := n.Eth.BlockChain().Config().ChainID
	broke := types.MustSignNewTx(poor, types.LatestSignerForChainID(chainID), &types.DynamicFeeTx{ChainID: chainID, Gas: 21_000, To: &to, GasFeeCap: big.NewInt(1e10)})
	blob := types.MustSignNewTx(ethtest.UserKey, types.NewCancunSigner(chainID), &types.BlobTx{
		ChainID: uint256.MustFromBig(chainID), Gas: 21_000, GasFeeCap: uint256.NewInt(1e10), BlobFeeCap: uint256.NewInt(1e10), BlobHashes: []common.Hash{{1}},
	})
	seq := uint64(0)
	for reason, bad := range map[string]object{
		"missing minBaseFee":                                                   {"minBaseFee": nil},
		"missing L1 attributes deposit transaction":                            {"transactions": []string{}},
		"missing L1 attributes deposit transaction#2":                          {"transactions": nil},
		"missing L1 attributes deposit transaction#3":                          {"transactions": []string{encode(n.Transfer(0))}},
		"L1 attributes transaction data too short for DA footprint gas scalar": {"transactions": []string{deposit(50_000)}},
		"nonce too high":                    {"transactions": []string{info, encode(n.Transfer(7))}},
		"insufficient funds":                {"transactions": []string{info, encode(broke)}},
		"invalid chain id":                  {"transactions": []string{info, encode(foreign)}},
		"blob transactions are not allowed": {"transactions": []string{info, encode(blob)}},
		"gas limit reached":                 {"transactions": []string{info, deposit(30_000_001)}},
		"gas target is zero":                {"gasLimit": "0x0"},
		"gas target is zero#2":              {"eip1559Params": "0x0000000102000000"},
		"gas limit is too high":             {"gasLimit": "0x8000000000000000"},
	} {
		for _, form := range []object{{}, {"flashblocks": object{"enabled": false}}, {"noTxPool": true}} {
			for _, method := range []string{"engine_forkchoiceUpdatedV3", "engine_forkchoiceUpdatedWithWitnessV3"} {
				seq++
				got := n.Call(method, ethtest.Head(n.GenesisHash()), ethtest.Jovian.Attributes(ethtest.GenesisTime, seq).With(bad).With(form))
				require.Equal(t, engine.InvalidPayloadAttributes.ErrorCode(), got.Code, "%s: %v", reason, got)
				text, _, _ := strings.Cut(reason, "#")
				require.Contains(t, got.Data, text)
			}
		}
		seq++
		require.NotEmpty(t, n.Payload(start(t, n, ethtest.Jovian.Attributes(ethtest.GenesisTime, seq))).ExecutionPayload.Transactions)
	}
	got := n.Call("engine_forkchoiceUpdatedV3", ethtest.Head(n.GenesisHash()), ethtest.Jovian.Attributes(ethtest.GenesisTime, 0).With(object{"minBaseFee": nil}))
	require.Equal(t, answer{Code: -38003, Error: "Invalid payload attributes", Data: `{"err":"missing minBaseFee"}`}, got)
}
