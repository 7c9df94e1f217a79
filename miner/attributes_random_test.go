// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"errors"
	"flag"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// Longer runs: FLASHGETH_SEED=random go test ./miner -run RandomAttributes -attributes.rounds 5000
var attributesRounds = flag.Int("attributes.rounds", 60, "random attributes per fork")

// attributesTest makes attributes of which one or two things are unusual, and knows which cannot be built.
type attributesTest struct {
	*timed
	rng    *rand.Rand
	doomed map[common.Hash]bool // transactions that cannot be executed on the genesis state
	met    map[string]int       // by what is wrong
	plain  *core.BlockChain     // of a plain op-geth
}

// unusual are the changes, by the field they concern. Of two changes no two concern the same.
var unusual = map[string]func(a *attributesTest, args *gethminer.BuildPayloadArgs){
	"parent": func(_ *attributesTest, args *gethminer.BuildPayloadArgs) { args.Parent = common.Hash{1} },
	"timestamp": func(a *attributesTest, args *gethminer.BuildPayloadArgs) {
		args.Timestamp = pickOf(a.rng, 0, args.Timestamp-3, args.Timestamp-2, args.Timestamp-1, args.Timestamp+1, args.Timestamp+7_200, math.MaxInt64, math.MaxUint64)
	},
	"gas limit": func(a *attributesTest, args *gethminer.BuildPayloadArgs) {
		limit := pickOf(a.rng, 0, 1, 5, 6, 21_000, 999_999, 1_000_000, 1_021_000, 60_000_000, 1<<40, math.MaxInt64, math.MaxInt64+1, math.MaxUint64)
		args.GasLimit = &limit
		if a.rng.IntN(8) == 0 {
			args.GasLimit = nil
		}
	},
	"1559": func(a *attributesTest, args *gethminer.BuildPayloadArgs) {
		value := func() uint64 { return pickOf(a.rng, 0, 1, 6, 250, 1<<20, testGasLimit, testGasLimit+1, math.MaxUint32) }
		args.EIP1559Params = eip1559.EncodeHolocene1559Params(value(), value())
		args.EIP1559Params = args.EIP1559Params[:pickOf(a.rng, 0, 7, 8, 8, 8, 8)]
		if a.rng.IntN(8) == 0 {
			args.EIP1559Params = nil
		}
	},
	"min base fee": func(a *attributesTest, args *gethminer.BuildPayloadArgs) {
		fee := pickOf(a.rng, 0, 1, 1e9, math.MaxUint64)
		args.MinBaseFee = &fee
		if a.rng.IntN(2) == 0 {
			args.MinBaseFee = nil
		}
	},
	"withdrawals": func(a *attributesTest, args *gethminer.BuildPayloadArgs) {
		args.Withdrawals = types.Withdrawals{{Index: 1, Address: common.Address{0x77}, Amount: a.rng.Uint64() >> 8}}
		if a.rng.IntN(3) == 0 {
			args.Withdrawals = nil
		}
	},
	"l1 attributes": func(a *attributesTest, args *gethminer.BuildPayloadArgs) {
		data := args.Transactions[0].Data()
		replace := func(data []byte) {
			args.Transactions[0] = types.NewTx(&types.DepositTx{To: &types.L1BlockAddr, Gas: 1_000_000, Value: new(big.Int), Data: data})
		}
		switch a.rng.IntN(6) {
		case 0:
			args.Transactions = nil
		case 1:
			args.Transactions = args.Transactions[1:]
		case 2:
			replace(data[:a.rng.IntN(len(data))])
		case 3:
			replace(append([]byte{1, 2, 3, 4}, data[4:]...))
		case 4:
			replace(append(data[:len(data):len(data)], 7))
		default:
			args.Transactions[0] = a.transfer(0, 0, 5)
		}
	},
	"transactions": func(a *attributesTest, args *gethminer.BuildPayloadArgs) {
		tx, doomed := a.forced()
		if doomed {
			a.doomed[tx.Hash()] = true
		}
		args.Transactions = append(args.Transactions, tx)
	},
	"fee recipient": func(a *attributesTest, args *gethminer.BuildPayloadArgs) {
		args.FeeRecipient = common.BigToAddress(new(big.Int).SetUint64(a.rng.Uint64N(20)))
	},
	"random": func(_ *attributesTest, args *gethminer.BuildPayloadArgs) { args.Random = common.Hash{} },
}

func pickOf(rng *rand.Rand, of ...uint64) uint64 { return of[rng.IntN(len(of))] }

// forced is a transaction for the end of the attributes, and whether it cannot be executed whatever the block's
// gas limit is.
func (a *attributesTest) forced() (tx *types.Transaction, doomed bool) {
	var (
		chainID = a.chain.Config().ChainID
		to      = a.addrs[1]
		dynamic = func(edit func(*types.DynamicFeeTx)) *types.Transaction {
			inner := &types.DynamicFeeTx{ChainID: chainID, Gas: 21_000, To: &to, GasFeeCap: big.NewInt(1e10), Value: common.Big1}
			edit(inner)
			return types.MustSignNewTx(a.keys[2], types.LatestSignerForChainID(inner.ChainID), inner)
		}
		deposit = func(edit func(*types.DepositTx)) *types.Transaction {
			inner := &types.DepositTx{SourceHash: common.Hash{1}, From: common.Address{9}, To: &to, Gas: 50_000, Value: new(big.Int)}
			edit(inner)
			return types.NewTx(inner)
		}
		huge = new(big.Int).Lsh(common.Big1, 256)
	)
	switch a.rng.IntN(16) {
	case 0:
		return a.transfer(0, 7, 5), true
	case 1:
		return dynamic(func(tx *types.DynamicFeeTx) { tx.ChainID = big.NewInt(5) }), true
	case 2:
		return dynamic(func(tx *types.DynamicFeeTx) { tx.GasFeeCap = common.Big1 }), true
	case 3:
		return dynamic(func(tx *types.DynamicFeeTx) { tx.Gas = 20_999 }), true
	case 4:
		return dynamic(func(tx *types.DynamicFeeTx) { tx.Value = new(big.Int).Lsh(common.Big1, 200) }), true
	case 5:
		return types.NewTx(&types.LegacyTx{Gas: 21_000, GasPrice: big.NewInt(1e10), To: &to}), true
	case 6:
		return types.MustSignNewTx(a.keys[0], types.NewCancunSigner(chainID), &types.BlobTx{
			ChainID: uint256.MustFromBig(chainID), Gas: 21_000, GasFeeCap: uint256.NewInt(1e10), BlobFeeCap: uint256.NewInt(1e10), BlobHashes: []common.Hash{{1}},
		}), true
	case 7:
		return deposit(func(tx *types.DepositTx) { tx.Mint = huge }), true
	case 8:
		return deposit(func(tx *types.DepositTx) { tx.IsSystemTransaction = true }), a.cfg.fork >= regolith
	case 9: // fails and is included all the same
		return deposit(func(tx *types.DepositTx) { tx.Value = huge }), false
	case 10:
		return deposit(func(tx *types.DepositTx) { tx.Gas = 0 }), false
	case 11:
		return deposit(func(tx *types.DepositTx) { tx.To, tx.Data = nil, []byte{0xfe} }), false
	case 12:
		return deposit(func(tx *types.DepositTx) { tx.Gas = pickOf(a.rng, testGasLimit, testGasLimit+1, math.MaxUint64) }), false
	case 13:
		return deposit(func(tx *types.DepositTx) { tx.Mint = new(big.Int).Sub(huge, common.Big1) }), false
	default:
		return dynamic(func(*types.DynamicFeeTx) {}), false
	}
}

// refusal is the model: what is wrong with attributes, empty if nothing is.
func (a *attributesTest) refusal(args *gethminer.BuildPayloadArgs) string {
	var (
		f       = a.cfg.fork
		genesis = a.chain.CurrentBlock()
		params  = args.EIP1559Params
		d, e    = eip1559.DecodeHolocene1559Params(params)
		limit   = uint64(testGasLimit)
	)
	if args.GasLimit != nil {
		limit = *args.GasLimit
	}
	switch {
	case args.Parent != genesis.Hash():
		return "parent"
	case args.Timestamp <= genesis.Time:
		return "timestamp"
	case f >= jovian && args.MinBaseFee == nil:
		return "min base fee"
	case f < holocene && params != nil, f >= holocene && (len(params) != 8 || (d == 0) != (e == 0)):
		return "1559"
	case len(args.Withdrawals) > 0 && (f < canyon || f >= isthmus):
		return "withdrawals"
	case limit > math.MaxInt64:
		return "gas limit"
	case args.Timestamp == math.MaxUint64:
		return "last timestamp"
	}
	if e == 0 || f < holocene {
		e = a.chain.Config().ElasticityMultiplier()
	}
	if limit < e {
		return "gas target"
	}
	if f >= jovian {
		data := []byte(nil)
		if len(args.Transactions) > 0 && args.Transactions[0].IsDepositTx() {
			data = args.Transactions[0].Data()
		}
		if len(data) < types.JovianL1AttributesLen || [4]byte(data) != [4]byte(types.JovianL1AttributesSelector) {
			return "l1 attributes"
		}
	}
	return a.unexecutable(args.Transactions, limit)
}

// unexecutable is refusal for the transactions. All but the last use little of what they ask for, or nothing.
func (a *attributesTest) unexecutable(txs []*types.Transaction, limit uint64) string {
	left := limit
	for _, tx := range txs {
		if a.doomed[tx.Hash()] {
			return "transaction"
		}
		if tx.IsSystemTx() {
			continue
		}
		if tx.Gas() > left {
			return "gas"
		}
		left -= a.gasUsed(tx)
	}
	return ""
}

// gasUsed is the gas that one of the transactions uses on its own.
func (a *attributesTest) gasUsed(tx *types.Transaction) uint64 {
	args := a.attributes(a.chain.CurrentBlock(), tx)
	gas := uint64(math.MaxInt64)
	args.GasLimit, args.NoTxPool = &gas, true
	if !tx.IsDepositTx() {
		return 21_000
	}
	if tx.To() != nil && *tx.To() == types.L1BlockAddr { // the first one: the last is compared with it
		args.Transactions = args.Transactions[:1]
	}
	envelope, err := a.reference(args, false)
	require.NoError(a.t, err)
	last := a.toBlock(envelope, args).Transactions()
	if len(last) == 1 {
		return envelope.ExecutionPayload.GasUsed
	}
	alone := a.attributes(a.chain.CurrentBlock())
	alone.GasLimit, alone.NoTxPool = &gas, true
	without, err := a.reference(alone, false)
	require.NoError(a.t, err)
	return envelope.ExecutionPayload.GasUsed - without.ExecutionPayload.GasUsed
}

// stockVerdict is what op-geth's miner makes of attributes, with its panics as errors.
func (a *attributesTest) stockVerdict(args *gethminer.BuildPayloadArgs) (envelope *engine.ExecutionPayloadEnvelope, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("panic")
		}
	}()
	return a.reference(args, false)
}

// Attributes with one or two things unusual, in every form: refused at once if and only if the model says that they
// cannot be built, and op-geth's miner agrees but for the blocks on which no other could stand. What is not refused
// is built, without the pool to op-geth's block, and a plain op-geth imports it.
func TestRandomAttributes(t *testing.T) {
	t.Parallel()
	seed := testseed.New(t)
	for f := bedrock; f <= jovian; f++ {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			a := &attributesTest{
				timed: newTimed(t, harnessConfig{fork: f}), rng: rand.New(rand.NewPCG(seed, uint64(f))),
				doomed: make(map[common.Hash]bool), met: make(map[string]int),
			}
			a.plain = a.newChain()
			for range *attributesRounds {
				a.round()
			}
			require.Zero(t, a.builder.metrics.failures.Get())
			require.Zero(t, a.builder.metrics.fallbacks.Get())
			require.Positive(t, a.met[""])
			t.Logf("met %v", a.met)
		})
	}
}

// round tries random attributes in every form.
func (a *attributesTest) round() {
	a.t.Helper()
	args := a.attributes(a.chain.CurrentBlock())
	fields := []string{"parent", "timestamp", "gas limit", "1559", "min base fee", "withdrawals", "l1 attributes", "transactions", "fee recipient", "random"}
	a.rng.Shuffle(len(fields), func(i, k int) { fields[i], fields[k] = fields[k], fields[i] })
	fields = fields[:1+a.rng.IntN(2)]
	for _, field := range fields {
		unusual[field](a, args)
	}
	args.Random[31] ^= byte(a.rng.IntN(256)) // another payload each time
	args.Random[30] ^= byte(a.rng.IntN(256))
	want := a.refusal(args)
	a.met[want]++

	args.NoTxPool = true
	theirs, theirErr := a.stockVerdict(args)
	ours := a.try(args, Options{}, want, fields)
	switch {
	case want == "gas limit" || want == "gas target" || want == "last timestamp": // op-geth has no such rule
	case want != "":
		require.Error(a.t, theirErr, "%v: %s", fields, want)
	default:
		require.NoError(a.t, theirErr, "%v", fields)
		requireSameEnvelope(a.t, theirs, ours)
	}
	withPool := *args
	withPool.NoTxPool = false
	for _, opts := range []Options{{}, {Whole: true}, {Witness: true}} {
		cpy := withPool
		cpy.Random[29] ^= byte(a.rng.IntN(256))
		a.try(&cpy, opts, want, fields)
	}
}

// try builds attributes, and fetches and judges their block.
func (a *attributesTest) try(args *gethminer.BuildPayloadArgs, opts Options, want string, fields []string) *engine.ExecutionPayloadEnvelope {
	a.t.Helper()
	id, err := a.builder.BuildPayload(args, opts)
	if want != "" {
		require.Error(a.t, err, "%v: %s", fields, want)
		require.NotErrorIs(a.t, err, ErrNotBuilt, "%v: %s", fields, want)
		require.False(a.t, a.builder.Has(id))
		return nil
	}
	require.NoError(a.t, err, "%v", fields)
	envelope, err := a.builder.GetPayload(id)
	require.NoError(a.t, err, "%v", fields)
	_, err = a.plain.InsertBlockWithoutSetHead(a.t.Context(), a.toBlock(envelope, args), false)
	require.NoError(a.t, err, "%v", fields)
	return envelope
}
