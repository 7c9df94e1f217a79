// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
)

func TestParseRequest(t *testing.T) {
	t.Parallel()
	r := testRequest(t)
	require.Equal(t, testParent, r.Head)
	require.EqualValues(t, testTime, r.Timestamp)
	require.Equal(t, testRandao, r.PrevRandao)
	require.Equal(t, testFees, r.FeeRecipient)
	require.Equal(t, testBeacon, *r.BeaconRoot)
	require.EqualValues(t, 30_000_000, *r.GasLimit)
	require.EqualValues(t, 5, *r.MinBaseFee)
	require.Equal(t, common.FromHex("0x000000fa00000006"), r.EIP1559Params)
	require.False(t, r.NoTxPool)
	require.Equal(t, []json.RawMessage{json.RawMessage(`"` + depositTx + `"`)}, r.Transactions)
	require.Equal(t, "[]", string(r.Withdrawals))

	state := testParams()[0]
	minimal := json.RawMessage(` {"timestamp":5,"prevRandao":"` + testRandao.Hex() + `","suggestedFeeRecipient":"` + testFees.Hex() +
		`","transactions":null,"noTxPool":true,"gasLimit":null,"minBaseFee":"0x7"} `)
	r, err := ParseRequest("engine_forkchoiceUpdatedV2", []json.RawMessage{state, minimal})
	require.NoError(t, err)
	require.True(t, r.NoTxPool)
	require.Nil(t, r.GasLimit)
	require.EqualValues(t, 7, *r.MinBaseFee)
	require.Empty(t, r.Transactions)
}

func TestParseRequestErrors(t *testing.T) {
	t.Parallel()
	state, attributes := string(testParams()[0]), string(testParams()[1])
	for _, params := range [][]string{{state}, {state, "null"}, {state, " null\n"}} {
		_, err := ParseRequest("", raws(params...))
		require.ErrorIs(t, err, ErrNoAttributes)
	}
	for _, params := range [][]string{
		{},
		{"{}", attributes},
		{"[]", attributes},
		{"", attributes},
		{`{"headBlockHash":"0x1"}`, attributes},
		{state, ""},
		{state, "[]"},
		{state, "{}"},
		{state, `"x"`},
		{state, attributes[:len(attributes)-1]},
		{state, strings.Replace(attributes, `"0x7e01"`, `"7e01"`, 1)},
		{state, strings.Replace(attributes, `"0x7e01"`, `"0x7e0"`, 1)},
		{state, strings.Replace(attributes, `"0x7e01"`, `3`, 1)},
		{state, strings.Replace(attributes, `"minBaseFee":5`, `"minBaseFee":-5`, 1)},
		{state, strings.Replace(attributes, `"minBaseFee":5`, `"noTxPool":"yes"`, 1)},
		{state, strings.Replace(attributes, `"minBaseFee":5`, `"gasLimit":5`, 1)},
	} {
		_, err := ParseRequest("", raws(params...))
		require.ErrorIs(t, err, ErrMalformed, params)
	}
}

func raws(texts ...string) (list []json.RawMessage) {
	for _, text := range texts {
		list = append(list, json.RawMessage(text))
	}
	return list
}

// F14: the rebuild asks for everything the first request asked for, also what is not known here.
func TestRebuild(t *testing.T) {
	t.Parallel()
	params := append(testParams(), json.RawMessage(`{"fourth":"parameter"}`))
	r, err := ParseRequest("engine_forkchoiceUpdatedV4", params)
	require.NoError(t, err)
	got := r.Rebuild(raws(`"0x01"`, `"0x0203"`))
	require.Len(t, got, 3)
	require.Equal(t, string(params[0]), string(got[0]))
	require.Equal(t, string(params[2]), string(got[2]))
	var before, after map[string]any
	require.NoError(t, json.Unmarshal(params[1], &before))
	require.NoError(t, json.Unmarshal(got[1], &after))
	before["transactions"], before["noTxPool"] = []any{"0x01", "0x0203"}, true
	require.Equal(t, before, after)

	var attributes engine.PayloadAttributes
	require.NoError(t, json.Unmarshal(got[1], &attributes), "op-geth reads it")
	require.Equal(t, [][]byte{{1}, {2, 3}}, attributes.Transactions)

	again, err := ParseRequest(r.Method, got)
	require.NoError(t, err)
	require.True(t, again.NoTxPool)
	require.JSONEq(t, string(got[1]), string(again.Rebuild(again.Transactions)[1]))
	require.Contains(t, string(r.Rebuild(nil)[1]), `"transactions":[]`)
}

// F19, field by field.
func TestConform(t *testing.T) {
	t.Parallel()
	block := func(change func(*Payload)) *Payload {
		p := envelope(t, prefixOf(t, encode(flashblock(9, 0), flashblock(9, 1))))
		change(p)
		return p
	}
	require.NoError(t, Conform(testRequest(t), block(func(*Payload) {})))
	for field, change := range map[string]func(*Payload){
		"parent":                 func(p *Payload) { p.ParentHash[0]++ },
		"number":                 func(p *Payload) { p.Number++ },
		"timestamp":              func(p *Payload) { p.Timestamp++ },
		"prevRandao":             func(p *Payload) { p.PrevRandao[0]++ },
		"fee recipient":          func(p *Payload) { p.FeeRecipient[0]++ },
		"gas limit":              func(p *Payload) { p.GasLimit++ },
		"parent beacon root":     func(p *Payload) { p.ParentBeaconBlockRoot[0]++ },
		"withdrawals":            func(p *Payload) { p.Withdrawals = json.RawMessage(`[{"index":"0x1"}]`) },
		"extra data":             func(p *Payload) { p.ExtraData = nil },
		"not of version 1":       func(p *Payload) { p.ExtraData = append([]byte{0}, p.ExtraData[1:]...) },
		"EIP-1559 parameters":    func(p *Payload) { p.ExtraData[8]++ },
		"minimum base fee":       func(p *Payload) { p.ExtraData[16]++ },
		"forced transactions: 0": func(p *Payload) { p.Transactions = nil },
		"at place 0":             func(p *Payload) { p.Transactions[0] = p.Transactions[1] },
	} {
		r := testRequest(t)
		r.Number = testNumber
		err := Conform(r, block(change))
		require.ErrorIs(t, err, ErrNonconforming, field)
		require.ErrorContains(t, err, field)
	}
}

func TestConformToOlderForks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		params, extra string
		fee           *uint64
		ok            bool
	}{
		"before Holocene":              {"", "", nil, true},
		"Holocene":                     {"0x000000fa00000006", "0x00000000fa00000006", nil, true},
		"Holocene, the chain's own":    {"0x0000000000000000", "0x000000003200000006", nil, true},
		"Holocene, Jovian's extra":     {"0x000000fa00000006", "0x01000000fa000000060000000000000000", nil, false},
		"Holocene, too long":           {"0x000000fa00000006", "0x00000000fa0000000600", nil, false},
		"Holocene, other parameters":   {"0x000000fa00000006", "0x00000000fb00000006", nil, false},
		"Jovian, Holocene's extra":     {"0x000000fa00000006", "0x00000000fa00000006", new(uint64), false},
		"Jovian":                       {"0x000000fa00000006", "0x01000000fa000000060000000000000000", new(uint64), true},
		"Jovian, the chain's own":      {"0x0000000000000000", "0x01000000fa000000060000000000000000", new(uint64), true},
		"a later fork":                 {"0x000000fa00000006", "0x02000000fa000000060000000000000000aabb", new(uint64), true},
		"a later fork, another fee":    {"0x000000fa00000006", "0x02000000fa000000060000000000000001aabb", new(uint64), false},
		"a later fork, but too short":  {"0x000000fa00000006", "0x02000000fa00000006", new(uint64), false},
		"a later fork, without a fee":  {"0x000000fa00000006", "0x02000000fa00000006cc", nil, true},
		"no extra data after Holocene": {"0x000000fa00000006", "", nil, false},
	} {
		r := &Request{EIP1559Params: common.FromHex(c.params), MinBaseFee: c.fee}
		err := r.conformsExtra(common.FromHex(c.extra))
		if c.ok {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, ErrNonconforming, name)
		}
	}
}

func TestSameWithdrawals(t *testing.T) {
	t.Parallel()
	one := json.RawMessage(`[{"index":"0x1","validatorIndex":"0x2","address":"0x4200000000000000000000000000000000000011","amount":"0x3"}]`)
	spaced := json.RawMessage(` [ {"amount":3,"index":1,"address":"0x4200000000000000000000000000000000000011","validatorIndex":2} ] `)
	require.True(t, sameWithdrawals(nil, nil))
	require.True(t, sameWithdrawals(one, spaced))
	require.True(t, sameWithdrawals(json.RawMessage(`[ ]`), json.RawMessage(`[]`)))
	require.False(t, sameWithdrawals(nil, json.RawMessage(`[]`)))
	require.False(t, sameWithdrawals(one, json.RawMessage(`[]`)))
	require.False(t, sameWithdrawals(json.RawMessage(`[7]`), json.RawMessage(`[7]`)))
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(testParams()[0]), []byte(testParams()[1]))
	f.Add([]byte(`{}`), []byte(`null`))
	f.Fuzz(func(t *testing.T, state, attributes []byte) {
		r, err := ParseRequest("engine_forkchoiceUpdatedV3", []json.RawMessage{state, attributes})
		if err != nil {
			return
		}
		got := r.Rebuild(r.Transactions)
		if !json.Valid(state) || !json.Valid(attributes) {
			return // the server checks this; here it must only not crash
		}
		require.True(t, json.Valid(got[1]), "%s", got[1])
		again, err := ParseRequest("engine_forkchoiceUpdatedV3", got)
		require.NoError(t, err)
		require.Equal(t, r.Timestamp, again.Timestamp)
		require.Equal(t, r.Transactions, again.Transactions)
	})
}
