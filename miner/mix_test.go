// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"crypto/ecdsa"
	"encoding/binary"
	"math/big"
	"math/rand"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	gethminer "github.com/ethereum/go-ethereum/miner"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// Accounts of a mix: the first ones send, the last ones are only delegated (EIP-7702).
const (
	mixSenders     = 9
	mixAuthorities = 3
	mixAccounts    = mixSenders + mixAuthorities
	mixChildren    = 4
)

// mix makes random transactions that touch every kind of state change.
type mix struct {
	h        *harness
	rng      *rand.Rand
	seed     int64
	factory  common.Address // CREATE2 of its call data
	killer   common.Address // the same, and calls the child to destroy itself
	children []common.Address
	inits    [][]byte
	kills    []common.Address // children of killer
	nonces   map[common.Address]uint64
	source   uint64

	strangers bool // no deposit comes from an account of the pool
	serial    uint64
}

// childInit is the init code of a contract that destroys itself when called without data, and stores
// (key, value) otherwise. The constructor writes slot 1.
func childInit(variant byte) []byte {
	runtime := common.FromHex("36600657" + "33ff" + "5b602035600035" + "5500")
	init := append([]byte{0x60, variant, 0x60, 0x01, 0x55}, common.FromHex("600f80601060003960"+"00f3")...)
	return append(init, runtime...)
}

// Deployments of the mix's contracts.
var (
	factoryRuntime = common.FromHex("366000600037" + "600036600060" + "00f5" + "00")
	killerRuntime  = common.FromHex("366000600037" + "600036600060" + "00f5" + "6000600060006000600085" + "5af100")
)

// deployment is init code that returns runtime.
func deployment(runtime []byte) []byte {
	return append([]byte{0x60, byte(len(runtime)), 0x80, 0x60, 0x0b, 0x60, 0x00, 0x39, 0x60, 0x00, 0xf3}, runtime...)
}

// newMix returns a generator and the transactions that deploy its contracts.
func newMix(h *harness, seed int64) (*mix, []*types.Transaction) {
	m := &mix{
		h:       h,
		rng:     rand.New(rand.NewSource(seed)),
		seed:    seed,
		factory: crypto.CreateAddress(h.addrs[0], 0),
		killer:  crypto.CreateAddress(h.addrs[0], 1),
		nonces:  make(map[common.Address]uint64),
	}
	for i := range mixChildren {
		init := childInit(byte(i + 1))
		m.inits = append(m.inits, init)
		m.children = append(m.children, crypto.CreateAddress2(m.factory, [32]byte{}, crypto.Keccak256(init)))
		m.kills = append(m.kills, crypto.CreateAddress2(m.killer, [32]byte{}, crypto.Keccak256(init)))
	}
	return m, []*types.Transaction{
		h.TxWithValue(0, 0, 100, nil, 0, 500_000, deployment(factoryRuntime)),
		h.TxWithValue(0, 1, 100, nil, 0, 500_000, deployment(killerRuntime)),
	}
}

func (m *mix) child() int { return m.rng.Intn(mixChildren) }

// call is the target, value, gas and data of a random call.
func (m *mix) call() (to *common.Address, value int64, gas uint64, data []byte) {
	at := func(addr common.Address) *common.Address { return &addr }
	switch m.rng.Intn(24) {
	case 0: // a new account
		m.serial++
		return at(common.BigToAddress(new(big.Int).SetUint64(1<<40 + m.serial))), 1, 21_000, nil
	case 1: // an existing one
		return at(m.h.addrs[m.rng.Intn(mixAccounts)]), 5, 100_000, nil
	case 2, 3: // a write, or a clear
		return at(storageAddr), 0, 100_000, slots(uint64(m.rng.Intn(5)), uint64(m.rng.Intn(3)))
	case 4:
		return at(loggerAddr), 0, 60_000, nil
	case 5:
		return at(reverterAddr), 3, 60_000, nil
	case 6:
		return at(suicidalAddr), 9, 100_000, nil
	case 7:
		return at(factoryAddr), 0, 200_000, nil
	case 8: // a creation that writes storage and leaves code
		return nil, 2, 300_000, childInit(9)
	case 9: // creations that fail: invalid opcode, revert, 0xef code, an endless loop
		inits := []string{"fe", "60006000fd", "60ef60005360016000f3", "5b600056"}
		return nil, 1, 90_000, common.FromHex(inits[m.rng.Intn(len(inits))])
	case 10: // a creation inside a constructor
		return nil, 0, 300_000, common.FromHex("6133ff6000526002601e6000f0" + "00")
	case 11, 12, 13: // created for the first time, again, or in vain
		return at(m.factory), 0, 300_000, m.inits[m.child()]
	case 14: // created and destroyed at once
		return at(m.killer), 0, 300_000, m.inits[m.child()]
	case 15: // destroyed before Cancun, drained after; or funds for where nothing is (any more)
		return at(m.children[m.child()]), int64(m.rng.Intn(3)), 100_000, nil
	case 16, 17:
		return at(m.children[m.child()]), 0, 100_000, slots(uint64(m.rng.Intn(3)), uint64(m.rng.Intn(3)))
	case 18: // funds for a child of the killer, which is never there
		return at(m.kills[m.child()]), int64(m.rng.Intn(2)), 60_000, nil
	case 19: // out of gas in the store
		return at(storageAddr), 0, 25_000, slots(uint64(m.rng.Intn(5)), 7)
	case 20: // precompiles, touched and paid
		return at(common.BytesToAddress([]byte{byte(1 + m.rng.Intn(9))})), int64(m.rng.Intn(2)), 60_000, nil
	case 21: // the withdrawals root of Isthmus
		return at(gethparams.OptimismL2ToL1MessagePasser), 0, 100_000, slots(uint64(m.rng.Intn(4)), uint64(m.rng.Intn(3)))
	case 22: // an authority, delegated or not
		return at(m.h.addrs[mixSenders+m.rng.Intn(mixAuthorities)]), 0, 100_000, slots(uint64(m.rng.Intn(3)), uint64(m.rng.Intn(3)))
	default: // an empty account, touched only
		return at(common.HexToAddress("0xe0e0e0")), 0, 60_000, nil
	}
}

// tx is a random transaction of any type that the fork has.
func (m *mix) tx(account int, nonce uint64) *types.Transaction {
	m.serial++
	var (
		to, value, gas, data = m.call()
		tip                  = new(big.Int).SetUint64(1 + uint64(m.rng.Intn(1000))*1000 + m.serial%1000)
		feeCap               = big.NewInt(10 * gethparams.InitialBaseFee)
		chainID              = m.h.chain.Config().ChainID
		amount               = big.NewInt(value)
		inner                types.TxData
		list                 types.AccessList
	)
	if m.rng.Intn(2) == 0 {
		gas += 30_000
		list = types.AccessList{
			{Address: storageAddr, StorageKeys: []common.Hash{{31: 1}, {31: 2}}},
			{Address: m.children[m.child()], StorageKeys: []common.Hash{{31: 1}}},
		}
	}
	switch n := m.rng.Intn(10); {
	case n < 2:
		price := new(big.Int).Add(big.NewInt(gethparams.InitialBaseFee), tip)
		inner = &types.LegacyTx{Nonce: nonce, GasPrice: price, Gas: gas, To: to, Value: amount, Data: data}
	case n < 4:
		price := new(big.Int).Add(big.NewInt(gethparams.InitialBaseFee), tip)
		inner = &types.AccessListTx{ChainID: chainID, Nonce: nonce, GasPrice: price, Gas: gas, To: to, Value: amount, Data: data, AccessList: list}
	case n < 6 && m.h.cfg.fork >= isthmus && to != nil:
		inner = &types.SetCodeTx{
			ChainID: uint256.MustFromBig(chainID), Nonce: nonce, GasTipCap: uint256.MustFromBig(tip), GasFeeCap: uint256.MustFromBig(feeCap),
			Gas: gas + 150_000, To: *to, Value: uint256.NewInt(uint64(value)), Data: data, AccessList: list, AuthList: m.authorizations(),
		}
	default:
		inner = &types.DynamicFeeTx{ChainID: chainID, Nonce: nonce, GasTipCap: tip, GasFeeCap: feeCap, Gas: gas, To: to, Value: amount, Data: data, AccessList: list}
	}
	return types.MustSignNewTx(m.h.keys[account], m.h.signer, inner)
}

// authorizations delegate an authority to a contract, or end its delegation. Some are for a nonce that
// has passed.
func (m *mix) authorizations() []types.SetCodeAuthorization {
	var list []types.SetCodeAuthorization
	for range 1 + m.rng.Intn(2) {
		authority := mixSenders + m.rng.Intn(mixAuthorities)
		targets := []common.Address{{}, storageAddr, loggerAddr, reverterAddr, m.children[m.child()], suicidalAddr}
		list = append(list, m.sign(m.h.keys[authority], m.h.addrs[authority], targets[m.rng.Intn(len(targets))]))
	}
	return list
}

func (m *mix) sign(key *ecdsa.PrivateKey, authority, target common.Address) types.SetCodeAuthorization {
	auth, err := types.SignSetCode(key, types.SetCodeAuthorization{
		ChainID: *uint256.MustFromBig(m.h.chain.Config().ChainID),
		Address: target,
		Nonce:   m.nonces[authority],
	})
	require.NoError(m.h.t, err)
	if m.rng.Intn(8) != 0 {
		m.nonces[authority]++
	}
	return auth
}

// deposits are up to four random deposits, some of which fail.
func (m *mix) deposits() []*types.Transaction {
	var list []*types.Transaction
	for range m.rng.Intn(5) {
		m.source++
		var source common.Hash
		source[0] = 0xdd
		binary.BigEndian.PutUint64(source[24:], m.source)
		to, value, gas, data := m.call()
		dep := &types.DepositTx{SourceHash: source, From: common.BigToAddress(big.NewInt(0xdddd)), To: to, Value: big.NewInt(value), Gas: gas, Data: data}
		switch m.rng.Intn(6) {
		case 0: // more than it has, minted or not
			dep.Value = big.NewInt(gethparams.Ether)
			dep.Mint = big.NewInt(10)
		case 1: // less gas than the call costs before it starts
			dep.Gas = uint64(m.rng.Intn(21_000))
			dep.Mint = big.NewInt(3)
		case 2: // from an account that also sends to the pool
			if !m.strangers {
				dep.From = m.h.addrs[m.rng.Intn(mixSenders)]
			}
		case 3: // touches an empty account
			dep.From, dep.Value = common.BigToAddress(big.NewInt(0xe0e0+int64(m.source))), new(big.Int)
		default:
			dep.Mint = big.NewInt(int64(m.rng.Intn(1000)))
		}
		list = append(list, types.NewTx(dep))
	}
	return list
}

// attributes are those of the harness with random deposits.
func (m *mix) attributes() *gethminer.BuildPayloadArgs {
	return m.h.attributes(m.h.chain.CurrentBlock(), m.deposits()...)
}

// txs are n random transactions of random senders, in executable order. Deposits may have used a nonce
// meanwhile; the pool knows.
func (m *mix) txs(n int) []*types.Transaction {
	next := make(map[int]uint64)
	var list []*types.Transaction
	for range n {
		account := m.rng.Intn(mixSenders)
		nonce, ok := next[account]
		if !ok {
			nonce = m.h.txpool.PoolNonce(m.h.addrs[account])
		}
		list = append(list, m.tx(account, nonce))
		next[account] = nonce + 1
	}
	return list
}

func TestMixContracts(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: granite, accounts: mixAccounts})
	m, deploy := newMix(s.harness, 1)
	s.harness.send(deploy...)
	s.harness.send(
		s.TxWithValue(1, 0, 50, &m.factory, 0, 300_000, m.inits[0]),
		s.TxWithValue(2, 0, 40, &m.killer, 0, 300_000, m.inits[1]),
		s.TxWithValue(3, 0, 30, &m.children[0], 0, 100_000, slots(2, 5)),
	)
	s.begin(s.attributes(s.chain.CurrentBlock())).finish()
	db, err := s.chain.State()
	require.NoError(t, err)
	require.Len(t, db.GetCode(m.children[0]), 15)
	require.Equal(t, common.Hash{31: 1}, db.GetState(m.children[0], common.Hash{31: 1}))
	require.Equal(t, common.Hash{31: 5}, db.GetState(m.children[0], common.Hash{31: 2}))
	require.False(t, db.Exist(m.kills[1]), "created and destroyed in one transaction")
	require.EqualValues(t, 2, db.GetNonce(m.killer), "the creation did happen")
}
