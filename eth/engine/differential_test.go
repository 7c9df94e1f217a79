// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// mutation is one way for attributes, or the state they come with, to differ from good ones.
type mutation struct {
	name  string
	attrs object // members to set, nil values to remove
	state object
}

// mutations returns the differences that are tried on every fork with every version.
func mutations(genesis common.Hash) []mutation {
	unknown := common.Hash{0xbb}
	list := []mutation{
		{name: "good"},
		{name: "zero head", state: object{"headBlockHash": common.Hash{}}},
		{name: "zero head and no gas limit", state: object{"headBlockHash": common.Hash{}}, attrs: object{"gasLimit": nil}},
		{name: "unknown head", state: object{"headBlockHash": unknown}},
		{name: "unknown head and garbage transaction", state: object{"headBlockHash": unknown}, attrs: object{"transactions": []string{"0x00"}}},
		{name: "unknown finalized", state: object{"finalizedBlockHash": unknown}},
		{name: "unknown safe", state: object{"safeBlockHash": unknown}},
		{name: "unknown safe and garbage transaction", state: object{"safeBlockHash": unknown}, attrs: object{"transactions": []string{"0x00"}}},
		{name: "final and safe", state: object{"safeBlockHash": genesis, "finalizedBlockHash": genesis}},
		{name: "no gas limit", attrs: object{"gasLimit": nil}},
		{name: "no gas limit and garbage transaction", attrs: object{"gasLimit": nil, "transactions": []string{"0x00"}}},
		{name: "no withdrawals", attrs: object{"withdrawals": nil}},
		{name: "empty withdrawals", attrs: object{"withdrawals": []any{}}},
		{name: "withdrawals", attrs: object{"withdrawals": []object{{"index": "0x0", "validatorIndex": "0x0", "address": common.Address{}, "amount": "0x1"}}}},
		{name: "no beacon root", attrs: object{"parentBeaconBlockRoot": nil}},
		{name: "beacon root", attrs: object{"parentBeaconBlockRoot": common.Hash{3}}},
		{name: "slot number", attrs: object{"slotNumber": "0x1"}},
		{name: "slot number and target", attrs: object{"slotNumber": "0x1", "targetGasLimit": "0x2"}},
		{name: "no 1559 parameters", attrs: object{"eip1559Params": nil}},
		{name: "empty 1559 parameters", attrs: object{"eip1559Params": "0x"}},
		{name: "1559 parameters", attrs: object{"eip1559Params": "0x000000fa00000006"}},
		{name: "zero 1559 parameters", attrs: object{"eip1559Params": "0x0000000000000000"}},
		{name: "1559 parameters without denominator", attrs: object{"eip1559Params": "0x0000000000000006"}},
		{name: "1559 parameters without elasticity", attrs: object{"eip1559Params": "0x000000fa00000000"}},
		{name: "short 1559 parameters", attrs: object{"eip1559Params": "0x01"}},
		{name: "timestamp of the parent", attrs: object{"timestamp": ethtest.HexUint(ethtest.GenesisTime)}},
		{name: "timestamp before the parent", attrs: object{"timestamp": ethtest.HexUint(ethtest.GenesisTime - 1)}},
		{name: "no timestamp", attrs: object{"timestamp": nil}},
		{name: "no fee recipient", attrs: object{"suggestedFeeRecipient": nil}},
		{name: "no randomness", attrs: object{"prevRandao": nil}},
		{name: "timestamp of another type", attrs: object{"timestamp": 5}},
		{name: "transactions of another type", attrs: object{"transactions": "0x00"}},
		{name: "unknown member", attrs: object{"extra": 1}},
		{name: "garbage without the pool", attrs: object{"noTxPool": true, "transactions": []string{"0x7eff"}}},
		{name: "without the pool", attrs: object{"noTxPool": true}},
		{name: "without the pool, old", attrs: object{"noTxPool": true, "timestamp": ethtest.HexUint(ethtest.GenesisTime)}},
	}
	for _, tx := range []string{"0x", "0x00", "0x7e", "0x7eff", "0xff00", "0x02f8", "0xc0", "0xdeadbeef"} {
		list = append(list, mutation{name: "transaction " + tx, attrs: object{"transactions": []string{tx}}})
	}
	for _, f := range []ethtest.Fork{ethtest.Regolith, ethtest.Jovian} {
		list = append(list, mutation{name: "garbage after good of " + f.String(), attrs: object{"transactions": []string{ethtest.HexBytes(f.L1Info(1)), "0xdead"}}})
	}
	return list
}

// refusedAttributes are the codes of refusals that come behind all that concerns the head.
var refusedAttributes = []int{-38003, -38005}

// stockAnswer is op-geth's answer to a forkchoice update, with the refusal of attributes behind that of the state: the
// specification has that order, and op-geth looks at most attributes first.
func stockAnswer(n *ethtest.Node, method string, state, attrs any) ethtest.Answer {
	answer := n.Call(method, state, attrs)
	if slices.Contains(refusedAttributes, answer.Code) {
		bare := n.Call(method, state)
		if bare.Error != "" || !strings.Contains(bare.Result, `"VALID"`) {
			return bare
		}
	}
	return answer
}

// Every refusal has op-geth's code, message and data, and every acceptance its payload id.
func TestForkchoiceLikeStock(t *testing.T) {
	t.Parallel()
	for _, f := range ethtest.Forks {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			ours, theirs := newNode(t, f, withMiner), newNode(t, f, stock)
			genesis := ours.GenesisHash()
			require.Equal(t, theirs.GenesisHash(), genesis)

			refused, accepted := 0, 0
			for version := 1; version <= 4; version++ {
				for _, m := range mutations(genesis) {
					seq := uint64(refused + accepted) // attributes that came before may get another id
					state, attrs := ethtest.Head(genesis).With(m.state), f.Attributes(ethtest.GenesisTime, seq).With(m.attrs)
					want := stockAnswer(theirs, ethtest.UpdateMethod(version), state, attrs)
					got := ours.Call(ethtest.UpdateMethod(version), state, attrs)
					require.Equal(t, want, got, "V%d, %s", version, m.name)
					if want.Error != "" {
						refused++
					} else {
						accepted++
					}
				}
			}
			t.Logf("%d refused and %d answered like op-geth", refused, accepted)
			require.Positive(t, accepted)
		})
	}
}

// The same with no attributes, and with arguments that are no attributes at all.
func TestForkchoiceWithoutAttributesLikeStock(t *testing.T) {
	t.Parallel()
	ours, theirs := newNode(t, ethtest.Jovian, withMiner), newNode(t, ethtest.Jovian, stock)
	for version := 1; version <= 4; version++ {
		for _, params := range [][]any{
			{ethtest.Head(ours.GenesisHash())},
			{ethtest.Head(ours.GenesisHash()), nil},
			{ethtest.Head(common.Hash{1}), nil},
			{ethtest.Head(common.Hash{}), nil},
			{},
			{1},
			{ethtest.Head(ours.GenesisHash()), 5},
			{ethtest.Head(ours.GenesisHash()), []int{}},
		} {
			want, got := theirs.Call(ethtest.UpdateMethod(version), params...), ours.Call(ethtest.UpdateMethod(version), params...)
			require.Equal(t, want, got, "V%d, %v", version, params)
		}
	}
}

// A payload is refused with op-geth's error by every version that does not serve it.
func TestGetPayloadLikeStock(t *testing.T) {
	t.Parallel()
	for _, f := range ethtest.Forks {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			ours, theirs := newNode(t, f, withMiner), newNode(t, f, stock)
			attrs := f.Attributes(ethtest.GenesisTime, 0)
			id := ours.Build(ours.GenesisHash(), attrs)
			require.Equal(t, theirs.Build(theirs.GenesisHash(), attrs), id)
			served := 0
			for version := 1; version <= 6; version++ {
				method := fmt.Sprintf("engine_getPayloadV%d", version)
				for _, id := range []string{id.String(), "0x0100000000000000", "0x0200000000000001", "0x0300000000000002", "0x0400000000000002", "0x0900000000000000"} {
					want, got := theirs.Call(method, id), ours.Call(method, id)
					// The block is the same too: there is nothing in the pools.
					require.Equal(t, want, got, "%s(%s)", method, id)
					if want.Error == "" {
						served++
					}
				}
			}
			require.Positive(t, served)
		})
	}
}
