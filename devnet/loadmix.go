// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"fmt"
	"math/big"
	"math/rand/v2"

	"github.com/ethereum-optimism/optimism/op-core/predeploys"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
)

// txKind is a kind of transaction of the generated load.
type txKind int

const (
	kindTransfer  txKind = iota // ether to a fresh or a known address
	kindToken                   // a token transfer: two slots, one event
	kindWrap                    // a deposit into the WETH predeploy
	kindMulticall               // a call of the Multicall3 predeploy that calls the token
	kindCount
)

// kindWeights are the shares of the kinds in percent. Transfers and tokens dominate, as on real chains.
var kindWeights = [kindCount]int{kindTransfer: 50, kindToken: 30, kindWrap: 10, kindMulticall: 10}

// Gas limits by kind, with room for a cold account or slot.
var kindGas = [kindCount]uint64{kindTransfer: 21_000, kindToken: 90_000, kindWrap: 80_000, kindMulticall: 120_000}

// Fees of the load in wei: the cap outlives any base fee of a devnet, the tip varies by transaction so
// that the order of a flashblock by fee can be seen.
const (
	loadFeeCap = 200 * params.GWei
	loadTipMin = params.GWei / 100
	loadTipMax = 2 * params.GWei
)

// Selectors of the predeploys that the load calls.
var (
	wrapSelector      = crypto.Keccak256([]byte("deposit()"))[:4]
	aggregateSelector = crypto.Keccak256([]byte("aggregate((address,bytes)[])"))[:4]
)

// txMix makes signed transactions. It is not safe for concurrent use.
type txMix struct {
	signer types.Signer
	random *rand.Rand
	peers  []common.Address // known receivers
}

// newTxMix returns a mix for the L2, reproducible by its seed.
func newTxMix(seed uint64, peers []common.Address) *txMix {
	return &txMix{
		signer: types.LatestSignerForChainID(big.NewInt(L2ChainID)),
		random: rand.New(rand.NewPCG(seed, seed)), //nolint:gosec // test traffic, not secrets
		peers:  peers,
	}
}

// pick draws a kind by weight.
func (m *txMix) pick() txKind {
	draw := m.random.IntN(100)
	for kind, weight := range kindWeights {
		if draw -= weight; draw < 0 {
			return txKind(kind)
		}
	}
	return kindTransfer
}

// make returns the next transaction of an account.
func (m *txMix) make(from account, nonce uint64) (*types.Transaction, error) {
	kind := m.pick()
	to, value, data := m.call(kind)
	tx, err := types.SignNewTx(from.key, m.signer, &types.DynamicFeeTx{
		ChainID:   big.NewInt(L2ChainID),
		Nonce:     nonce,
		GasTipCap: big.NewInt(loadTipMin + m.random.Int64N(loadTipMax-loadTipMin)),
		GasFeeCap: big.NewInt(loadFeeCap),
		Gas:       kindGas[kind],
		To:        &to,
		Value:     value,
		Data:      data,
	})
	if err != nil {
		return nil, fmt.Errorf("sign a transaction of the load: %w", err)
	}
	return tx, nil
}

// call returns target, value and calldata of a transaction.
func (m *txMix) call(kind txKind) (common.Address, *big.Int, []byte) {
	switch kind {
	case kindToken:
		return tokenAddr, new(big.Int), tokenTransfer(m.receiver(), big.NewInt(1+m.random.Int64N(1000)))
	case kindWrap:
		return predeploys.WETHAddr, big.NewInt(1 + m.random.Int64N(params.GWei)), wrapSelector
	case kindMulticall:
		return predeploys.MultiCall3Addr, new(big.Int), multicall(tokenAddr, balanceOf(m.receiver()))
	default:
		return m.receiver(), big.NewInt(1 + m.random.Int64N(params.GWei)), nil
	}
}

// receiver returns a known address, or in one of four cases a fresh one, which grows the state.
func (m *txMix) receiver() common.Address {
	if m.random.IntN(4) > 0 {
		return m.peers[m.random.IntN(len(m.peers))]
	}
	var fresh common.Address
	for i := range fresh {
		fresh[i] = byte(m.random.Uint32())
	}
	return fresh
}

// tokenTransfer returns the calldata of transfer(address,uint256).
func tokenTransfer(to common.Address, amount *big.Int) []byte {
	return append(append(common.CopyBytes(transferSelector), common.LeftPadBytes(to[:], 32)...), common.BigToHash(amount).Bytes()...)
}

// balanceOf returns the calldata of balanceOf(address).
func balanceOf(holder common.Address) []byte {
	return append(common.CopyBytes(balanceOfSelector), common.LeftPadBytes(holder[:], 32)...)
}

// multicall returns the calldata of aggregate with one call, ABI-encoded.
func multicall(target common.Address, call []byte) []byte {
	word := func(n int) []byte { return common.BigToHash(big.NewInt(int64(n))).Bytes() }
	data := common.CopyBytes(aggregateSelector)
	data = append(data, word(32)...)                           // offset of the list
	data = append(data, word(1)...)                            // its length
	data = append(data, word(32)...)                           // offset of the first call
	data = append(data, common.LeftPadBytes(target[:], 32)...) // its target
	data = append(data, word(64)...)                           // offset of its calldata
	data = append(data, word(len(call))...)
	return append(data, common.RightPadBytes(call, (len(call)+31)/32*32)...)
}
