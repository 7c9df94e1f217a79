// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"crypto/ecdsa"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

var (
	sender   = mustKey("8f2a55949038a9610f50fb23b5883af3b4ecb3c3bb792cbcefbd1542c692be63")
	fromAddr = crypto.PubkeyToAddress(sender.PublicKey)
	toAddr   = common.HexToAddress("0x00000000000000000000000000000000000000aa")
	touchedA = common.HexToAddress("0x00000000000000000000000000000000000000bb")
	emitter  = common.HexToAddress("0x00000000000000000000000000000000000000cc")
	nobody   = common.HexToAddress("0x00000000000000000000000000000000000000dd")
	topicA   = common.HexToHash("0xb0444523268717a02698be47d0803aa7468c00acbed2f8bd93a0459cde61dd89")
	topicB   = common.HexToHash("0x1111111111111111111111111111111111111111111111111111111111111111")
)

func mustKey(hex string) *ecdsa.PrivateKey {
	key, err := crypto.HexToECDSA(hex)
	if err != nil {
		panic(err)
	}
	return key
}

// trade is a flashblock with one transaction; full metadata has a log and a touched account.
func trade(t testing.TB, block, index uint64, dialect flashblocks.Dialect) *flashblocks.Flashblock {
	t.Helper()
	fb := teststream.Flashblock(block, index)
	tx, err := types.SignNewTx(sender, types.LatestSignerForChainID(big.NewInt(10)), &types.DynamicFeeTx{
		ChainID: big.NewInt(10), Nonce: index, Gas: 21000, To: &toAddr, GasFeeCap: big.NewInt(9), GasTipCap: big.NewInt(1),
	})
	require.NoError(t, err)
	raw, err := tx.MarshalBinary()
	require.NoError(t, err)
	fb.Diff.Transactions = [][]byte{raw}
	fb.Metadata.Dialect = dialect
	if dialect != flashblocks.DialectFull {
		return fb
	}
	for _, a := range []common.Address{fromAddr, touchedA} {
		fb.Metadata.NewAccountBalances = append(fb.Metadata.NewAccountBalances,
			flashblocks.AccountBalance{Address: a, Balance: uint256.NewInt(1)})
	}
	fb.Metadata.Receipts = []flashblocks.Receipt{{TxHash: tx.Hash(), Receipt: &types.Receipt{
		Type: 2, Status: 1, CumulativeGasUsed: 21000,
		Logs: []*types.Log{{Address: emitter, Topics: []common.Hash{topicA}, Data: []byte{1}}},
	}}}
	return fb
}

func query(addresses []common.Address, topics []common.Hash, match string) string {
	values := url.Values{}
	for _, a := range addresses {
		values.Set(paramAddresses, strings.TrimPrefix(values.Get(paramAddresses)+","+a.Hex(), ","))
	}
	for _, topic := range topics {
		values.Set(paramTopics, strings.TrimPrefix(values.Get(paramTopics)+" , "+topic.Hex(), ","))
	}
	if match != "" {
		values.Set(paramMatch, match)
	}
	return values.Encode()
}

func TestFilterMatching(t *testing.T) {
	t.Parallel()
	full, trimmed := flashblocks.DialectFull, flashblocks.DialectTrimmed
	a := func(list ...common.Address) []common.Address { return list }
	h := func(list ...common.Hash) []common.Hash { return list }
	for name, tc := range map[string]struct {
		addresses []common.Address
		topics    []common.Hash
		match     string
		dialect   flashblocks.Dialect
		want      bool
		err       error
	}{
		"sender":                        {addresses: a(fromAddr), dialect: full, want: true},
		"recipient":                     {addresses: a(toAddr), dialect: full, want: true},
		"touched account":               {addresses: a(touchedA), dialect: full, want: true},
		"emitter of a log":              {addresses: a(emitter), dialect: full, want: true},
		"one of several":                {addresses: a(nobody, toAddr), dialect: full, want: true},
		"none":                          {addresses: a(nobody), dialect: full},
		"topic":                         {topics: h(topicA), dialect: full, want: true},
		"one of several topics":         {topics: h(topicB, topicA), dialect: full, want: true},
		"other topic":                   {topics: h(topicB), dialect: full},
		"any, both":                     {a(toAddr), h(topicA), "any", full, true, nil},
		"any, address":                  {a(toAddr), h(topicB), "any", full, true, nil},
		"any, topic":                    {a(nobody), h(topicA), "", full, true, nil},
		"any, neither":                  {a(nobody), h(topicB), "any", full, false, nil},
		"all, both":                     {a(toAddr), h(topicA), "all", full, true, nil},
		"all, address":                  {a(toAddr), h(topicB), "all", full, false, nil},
		"all, topic":                    {a(nobody), h(topicA), "all", full, false, nil},
		"all, addresses only":           {addresses: a(toAddr), match: "all", dialect: full, want: true},
		"all, topics only":              {topics: h(topicA), match: "all", dialect: full, want: true},
		"recovered sender":              {addresses: a(fromAddr), dialect: trimmed, want: true},
		"recipient in a trimmed stream": {addresses: a(toAddr), dialect: trimmed, want: true},
		"log in a trimmed stream":       {addresses: a(emitter), dialect: trimmed},
		"topic in a trimmed stream":     {topics: h(topicA), dialect: trimmed, err: errNoReceipts},
		"any with a topic, trimmed":     {a(toAddr), h(topicA), "any", trimmed, false, errNoReceipts},
	} {
		f, err := parseFilter(query(tc.addresses, tc.topics, tc.match))
		require.NoError(t, err, name)
		text := trade(t, 1, 1, tc.dialect).AppendJSON(nil)
		got, err := f.Match(&stream.Message{Aux: newContent(text, flashblocks.Limits{})})
		require.ErrorIs(t, err, tc.err, name)
		require.Equal(t, tc.want, got, name)
	}
}

// TestFilterNeverHidesWhatItCannotRead: a transaction or receipt of a kind that is not known here
// passes every filter that could have matched it.
func TestFilterNeverHidesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	f, err := parseFilter(query([]common.Address{nobody}, nil, ""))
	require.NoError(t, err)
	strange := teststream.Flashblock(1, 1)
	strange.Metadata.Dialect = flashblocks.DialectFull
	strange.Diff.Transactions = [][]byte{{0x70, 1, 2, 3}}
	for name, m := range map[string]*stream.Message{
		"unknown transaction": {Aux: newContent(strange.AppendJSON(nil), flashblocks.Limits{})},
		"not a flashblock":    {Aux: newContent([]byte(`{}`), flashblocks.Limits{})},
		"no content":          {},
	} {
		got, err := f.Match(m)
		require.NoError(t, err, name)
		require.True(t, got, name)
	}
}

func TestParseFilter(t *testing.T) {
	t.Parallel()
	for _, q := range []string{"", "addresses=", "topics=%20,,", "match=all", "addresses=,&match=any"} {
		f, err := parseFilter(q)
		require.NoError(t, err, q)
		require.Nil(t, f, q)
	}
	f, err := parseFilter("addresses= 0x00000000000000000000000000000000000000AA ,,0X00000000000000000000000000000000000000bb&addresses=" + emitter.Hex())
	require.NoError(t, err)
	require.Len(t, f.addresses, 3)
	many := make([]string, maxFilterTerms+1)
	for i := range many {
		many[i] = common.BigToAddress(big.NewInt(int64(i))).Hex()
	}
	_, err = parseFilter("addresses=" + strings.Join(many, ","))
	require.ErrorContains(t, err, "at most")
}

func FuzzParseFilter(f *testing.F) {
	for _, seed := range []string{
		"", "match=all", "addresses=" + toAddr.Hex() + "&topics=" + topicA.Hex(), "addresses=0x&match=any", "topics=%ff", ";", "addresses=0x12,,",
	} {
		f.Add(seed)
	}
	text := trade(f, 1, 1, flashblocks.DialectFull).AppendJSON(nil)
	f.Fuzz(func(t *testing.T, q string) {
		filter, err := parseFilter(q)
		if err != nil {
			require.Nil(t, filter)
			require.NotContains(t, err.Error(), "\n")
			return
		}
		if filter == nil {
			return
		}
		require.Positive(t, len(filter.addresses)+len(filter.topics))
		_, err = filter.Match(&stream.Message{Aux: newContent(text, flashblocks.Limits{})})
		require.NoError(t, err)
	})
}

// TestFilteredClients: they get what matches, whatever the form, also when they resume.
func TestFilteredClients(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	h := newHarness(t, Config{}, up.URL("/"))
	h.connected(1)
	matching := h.dial("/ws/filter?" + query([]common.Address{toAddr}, []common.Hash{topicA}, "all"))
	plain := h.dial("/ws")
	v0 := h.dial("/v0/filter?" + query([]common.Address{emitter}, nil, ""))
	h.clients(3)
	empty := teststream.Flashblock(1, 0)
	empty.Metadata.Dialect = flashblocks.DialectFull
	up.Publish(empty)
	up.Publish(trade(t, 1, 1, flashblocks.DialectFull))
	up.Publish(trade(t, 1, 2, flashblocks.DialectFull))
	teststream.Expect(t, plain, 1, 0, 2)
	teststream.Expect(t, matching, 1, 1, 2)
	require.Equal(t, []string{"1/1", "1/2"}, notices(t, v0, 2))
	require.Equal(t, 2, int(h.figure("flashblocks_stream_filtered_total")))

	resumed := h.dial("/ws/filter?block_number=1&flashblock_index=1&" + query([]common.Address{toAddr}, nil, ""))
	teststream.Expect(t, resumed, 1, 2, 2)
}

// TestAMessageIsDecodedOnce, however many clients filter it, or take it as v0.
func TestAMessageIsDecodedOnce(t *testing.T) {
	t.Parallel()
	const each, messages = 10, 5
	for _, tc := range []struct {
		path string
		v0   bool
	}{{path: "/ws/filter?"}, {path: "/v0?", v0: true}} {
		up := newUpstream(t)
		h := newHarness(t, Config{NoNotices: true}, up.URL("/"))
		h.connected(1)
		var clients []*websocket.Conn
		for i := range each {
			addresses := []common.Address{toAddr, common.BigToAddress(big.NewInt(int64(i)))}
			clients = append(clients, h.dial(tc.path+query(addresses, nil, "")))
		}
		h.clients(each)
		for index := range uint64(messages) {
			up.Publish(trade(t, 1, index, flashblocks.DialectFull))
		}
		for _, ws := range clients {
			if !tc.v0 {
				teststream.Expect(t, ws, 1, 0, messages-1)
			} else {
				require.Len(t, notices(t, ws, messages), messages)
			}
		}
		want := messages
		if tc.v0 {
			want++ // the base of the block, once
		}
		require.Equal(t, want, int(h.figure("websocket_proxy_decoded_messages")), tc.path)
	}
}

// TestUnsatisfiableFilter: refused with a sentence, before the upgrade if it is known then.
func TestUnsatisfiableFilter(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	h := newHarness(t, Config{}, up.URL("/"))
	h.connected(1)
	path := "/ws/filter?" + query(nil, []common.Hash{topicA}, "")
	early := h.dial(path)
	h.clients(1)
	up.PublishBlock(1, 0, 0)
	closed, _ := teststream.Closed(t, early)
	require.Equal(t, websocket.ClosePolicyViolation, closed.Code)
	require.Contains(t, closed.Text, "no receipts")
	status, body := h.refusal(path, nil)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, body, "no receipts")
	require.LessOrEqual(t, len(errNoReceipts.Error()), 123, "fits into a close frame")
}
