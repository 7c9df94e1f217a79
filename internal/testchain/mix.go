// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package testchain

import (
	"encoding/binary"
	"math/big"
	"math/rand"

	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	gethparams "github.com/ethereum/go-ethereum/params"
)

const (
	mixSenders  = 5 // the other accounts are delegated to (EIP-7702)
	mixChildren = 3
)

// Mix makes random transactions that touch every kind of state change: new, emptied, destroyed and re-created
// accounts, code, delegations, written and cleared slots, failures of every kind.
type Mix struct {
	c        *Chain
	rng      *rand.Rand
	factory  common.Address // CREATE2 of its call data
	killer   common.Address // the same, and calls the child to destroy itself
	children []common.Address
	inits    [][]byte
	serial   uint64
}

// NewMix makes a generator. Its first transactions, of account 0, deploy what the others call.
func NewMix(c *Chain, seed int64) (*Mix, []*types.Transaction) {
	m := &Mix{
		c:       c,
		rng:     rand.New(rand.NewSource(seed)), //nolint:gosec // a reproducible test, not a secret
		factory: crypto.CreateAddress(c.Addrs[0], 0),
		killer:  crypto.CreateAddress(c.Addrs[0], 1),
	}
	for i := range mixChildren {
		m.inits = append(m.inits, childInit(byte(i+1)))
		m.children = append(m.children, crypto.CreateAddress2(m.factory, [32]byte{}, crypto.Keccak256(m.inits[i])))
	}
	return m, []*types.Transaction{
		c.Tx(0, 0, 100, nil, 500_000, deployment(common.FromHex("366000600037"+"600036600060"+"00f5"+"00"))),
		c.Tx(0, 1, 100, nil, 500_000, deployment(common.FromHex("366000600037"+"600036600060"+"00f5"+"6000600060006000600085"+"5af100"))),
	}
}

// childInit is the init code of a contract that destroys itself when called without data, and stores
// (key, value) otherwise. The constructor writes slot 1.
func childInit(variant byte) []byte {
	code := common.FromHex("36600657" + "33ff" + "5b602035600035" + "5500")
	init := append([]byte{0x60, variant, 0x60, 0x01, 0x55}, common.FromHex("600f80601060003960"+"00f3")...)
	return append(init, code...)
}

// deployment is init code that returns code.
func deployment(code []byte) []byte {
	return append([]byte{0x60, byte(len(code)), 0x80, 0x60, 0x0b, 0x60, 0x00, 0x39, 0x60, 0x00, 0xf3}, code...)
}

func (m *Mix) word(n int) uint64 { return uint64(m.rng.Intn(n)) }

// call is the target, value, gas and data of a random call.
func (m *Mix) call() (to *common.Address, value int64, gas uint64, data []byte) {
	at := func(addr common.Address) *common.Address { return &addr }
	child := m.rng.Intn(mixChildren)
	switch m.rng.Intn(19) {
	case 0: // a new account
		m.serial++
		return at(common.BigToAddress(new(big.Int).SetUint64(1<<40 + m.serial))), 1, 21_000, nil
	case 1:
		return at(m.c.Addrs[m.rng.Intn(len(m.c.Addrs))]), 5, 100_000, nil
	case 2, 3:
		return &StorageAddr, 0, 100_000, Words(m.word(5), m.word(3))
	case 4:
		return &LoggerAddr, 0, 60_000, nil
	case 5:
		return &ReverterAddr, 3, 60_000, nil
	case 6:
		return &SuicidalAddr, 9, 100_000, nil
	case 7:
		return &FactoryAddr, 0, 200_000, nil
	case 8: // a creation that writes storage and leaves code
		return nil, 2, 300_000, childInit(9)
	case 9: // creations that fail: invalid opcode, revert, 0xef code, an endless loop
		inits := []string{"fe", "60006000fd", "60ef60005360016000f3", "5b600056"}
		return nil, 1, 90_000, common.FromHex(inits[m.rng.Intn(len(inits))])
	case 10, 11: // created for the first time, again, or in vain
		return at(m.factory), 0, 300_000, m.inits[child]
	case 12: // created and destroyed at once
		return at(m.killer), 0, 300_000, m.inits[child]
	case 13: // destroyed before Cancun, drained after; or funds for where nothing is (any more)
		return at(m.children[child]), int64(m.rng.Intn(3)), 100_000, nil
	case 14, 15:
		return at(m.children[child]), 0, 100_000, Words(m.word(3), m.word(3))
	case 16: // out of gas in the store
		return &StorageAddr, 0, 25_000, Words(m.word(5), 7)
	case 17: // precompiles, touched and paid
		return at(common.BytesToAddress([]byte{byte(1 + m.rng.Intn(9))})), int64(m.rng.Intn(2)), 60_000, nil
	default: // an empty account, touched only
		return at(common.HexToAddress("0xe0e0e0")), 0, 60_000, nil
	}
}

// Txs are n random transactions of random senders, in executable order.
func (m *Mix) Txs(n int) []*types.Transaction {
	next := make(map[int]uint64)
	list := make([]*types.Transaction, 0, n)
	for range n {
		account := m.rng.Intn(mixSenders)
		nonce, ok := next[account]
		if !ok {
			nonce = m.c.txpool.PoolNonce(m.c.Addrs[account])
		}
		list = append(list, m.tx(account, nonce))
		next[account] = nonce + 1
	}
	return list
}

// tx is a random transaction of any type that the fork has.
func (m *Mix) tx(account int, nonce uint64) *types.Transaction {
	m.serial++
	var (
		to, value, gas, data = m.call()
		tip                  = new(big.Int).SetUint64(1 + m.word(1000)*1000 + m.serial%1000)
		price                = new(big.Int).Add(big.NewInt(gethparams.InitialBaseFee), tip)
		feeCap               = big.NewInt(10 * gethparams.InitialBaseFee)
		chainID              = m.c.chain.Config().ChainID
		inner                types.TxData
	)
	switch n := m.rng.Intn(10); {
	case n < 2:
		inner = &types.LegacyTx{Nonce: nonce, GasPrice: price, Gas: gas, To: to, Value: big.NewInt(value), Data: data}
	case n < 4:
		list := types.AccessList{{Address: StorageAddr, StorageKeys: []common.Hash{{31: 1}, {31: 2}}}}
		inner = &types.AccessListTx{ChainID: chainID, Nonce: nonce, GasPrice: price, Gas: gas + 30_000, To: to, Value: big.NewInt(value), Data: data, AccessList: list}
	case n < 6 && m.c.Config.Fork >= Isthmus && to != nil:
		inner = &types.SetCodeTx{
			ChainID: uint256.MustFromBig(chainID), Nonce: nonce, GasTipCap: uint256.MustFromBig(tip), GasFeeCap: uint256.MustFromBig(feeCap),
			Gas: gas + 150_000, To: *to, Value: uint256.NewInt(uint64(value)), Data: data,
			AuthList: []types.SetCodeAuthorization{m.authorization()},
		}
	default:
		inner = &types.DynamicFeeTx{ChainID: chainID, Nonce: nonce, GasTipCap: tip, GasFeeCap: feeCap, Gas: gas, To: to, Value: big.NewInt(value), Data: data}
	}
	return types.MustSignNewTx(m.c.Keys[account], m.c.Signer, inner)
}

// authorization delegates an account that does not send, or ends its delegation, if its guess at the nonce
// is right.
func (m *Mix) authorization() types.SetCodeAuthorization {
	authority := mixSenders + m.rng.Intn(len(m.c.Keys)-mixSenders)
	targets := []common.Address{{}, StorageAddr, LoggerAddr, ReverterAddr, m.children[0]}
	auth, err := types.SignSetCode(m.c.Keys[authority], types.SetCodeAuthorization{
		ChainID: *uint256.MustFromBig(m.c.chain.Config().ChainID),
		Address: targets[m.rng.Intn(len(targets))],
		Nonce:   m.c.txpool.Nonce(m.c.Addrs[authority]) + m.word(2),
	})
	if err != nil {
		m.c.t.Error(err)
	}
	return auth
}

// Deposits are up to three random deposits, some of which fail.
func (m *Mix) Deposits() []*types.Transaction {
	var list []*types.Transaction
	for range m.rng.Intn(4) {
		m.serial++
		source := common.Hash{0xdd}
		binary.BigEndian.PutUint64(source[24:], m.serial)
		to, value, gas, data := m.call()
		dep := &types.DepositTx{SourceHash: source, From: common.HexToAddress("0xdddd"), To: to, Value: big.NewInt(value), Gas: gas, Data: data}
		switch m.rng.Intn(4) {
		case 0: // more than it has
			dep.Value, dep.Mint = big.NewInt(gethparams.Ether), big.NewInt(10)
		case 1: // less gas than the call costs before it starts
			dep.Gas = m.word(21_000)
		default:
			dep.Mint = big.NewInt(int64(m.rng.Intn(1000)))
		}
		list = append(list, types.NewTx(dep))
	}
	return list
}
