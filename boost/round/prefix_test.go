// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// network loads the flashblocks of a block of a public network.
func network(t testing.TB, name string) []json.RawMessage {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "flashblocks", "testdata", name+".json"))
	require.NoError(t, err)
	var list []json.RawMessage
	require.NoError(t, json.Unmarshal(text, &list))
	return list
}

// prefixOf cuts flashblocks into a prefix of which all was published.
func prefixOf(t testing.TB, texts []json.RawMessage) *Prefix {
	t.Helper()
	p := &Prefix{published: len(texts)}
	for _, text := range texts {
		piece, err := cut(delivery(t, text))
		require.NoError(t, err)
		p.pieces = append(p.pieces, piece)
	}
	return p
}

func encode(fbs ...*flashblocks.Flashblock) (texts []json.RawMessage) {
	for _, fb := range fbs {
		texts = append(texts, fb.AppendJSON(nil))
	}
	return texts
}

// assembled is the envelope as the typed path makes it.
func assembled(t testing.TB, texts []json.RawMessage, forks flashblocks.Forks) *engine.ExecutionPayloadEnvelope {
	t.Helper()
	var fbs []*flashblocks.Flashblock
	for _, text := range texts {
		fb, _, err := flashblocks.Decode(text, flashblocks.Limits{})
		require.NoError(t, err)
		fbs = append(fbs, fb)
	}
	payload, err := flashblocks.Assemble(fbs, forks)
	require.NoError(t, err)
	return payload.Envelope()
}

// meaning is a JSON value without what stands for absence.
func meaning(t testing.TB, text []byte) any {
	t.Helper()
	var value any
	require.NoError(t, json.Unmarshal(text, &value))
	return withoutNulls(value)
}

func withoutNulls(value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	for key, member := range object {
		if member == nil {
			delete(object, key)
			continue
		}
		object[key] = withoutNulls(member)
	}
	return object
}

func forksOf(version int) flashblocks.Forks {
	return flashblocks.Forks{Canyon: true, Ecotone: version >= 3, Isthmus: version >= 4}
}

func TestEnvelopeOfPublicNetworks(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		transactions int
		gasUsed      uint64
		hash         string
		rooted       bool
	}{
		"unichain-sepolia-35535698": {6, 0x32138, "0xc463a3120c35268f610d969f5608b479332ef10953af77c7a6be806195831196", true},
		"base-sepolia-33439826":     {24, 0x49f43c, "0x2b440a26", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			texts := network(t, name)
			p := prefixOf(t, texts)
			require.Len(t, p.Transactions(), want.transactions)
			require.Equal(t, want.gasUsed, p.GasUsed())
			require.Equal(t, want.rooted, p.Rooted())
			require.True(t, strings.HasPrefix(p.BlockHash().Hex(), want.hash), p.BlockHash())
			for version := 3; version <= 5; version++ {
				got, err := p.Envelope(version)
				require.NoError(t, err)
				typed, err := json.Marshal(assembled(t, texts, forksOf(version)))
				require.NoError(t, err)
				require.Equal(t, meaning(t, typed), meaning(t, got))
				require.Equal(t, version >= 4, strings.Contains(string(got), `"withdrawalsRoot"`))
				require.Equal(t, version >= 4, strings.Contains(string(got), `"executionRequests":[]`))

				var envelope engine.ExecutionPayloadEnvelope
				require.NoError(t, json.Unmarshal(got, &envelope), "op-geth reads it")
				payload, err := ParsePayload(got)
				require.NoError(t, err)
				require.Equal(t, p.BlockHash(), payload.BlockHash)
				require.Equal(t, p.StateRoot(), payload.StateRoot)
				require.Equal(t, p.Number(), payload.Number)
				require.NoError(t, p.Matches(payload))
				require.NoError(t, p.Equal(payload))
			}
		})
	}
}

// Generated blocks: every optional field there and not there.
func TestEnvelopeIsTheTypedOne(t *testing.T) {
	t.Parallel()
	gas := uint64(7)
	for name, change := range map[string]func(fbs []*flashblocks.Flashblock){
		"plain":         func([]*flashblocks.Flashblock) {},
		"before Jovian": func(fbs []*flashblocks.Flashblock) { fbs[2].Diff.BlobGasUsed = nil },
		"Jovian":        func(fbs []*flashblocks.Flashblock) { fbs[2].Diff.BlobGasUsed = &gas },
		"post-exec": func(fbs []*flashblocks.Flashblock) {
			fbs[1].Diff.PostExecTx = []byte{1}
			fbs[2].Diff.PostExecTx = []byte{2, 3}
		},
		"post-exec gone": func(fbs []*flashblocks.Flashblock) { fbs[1].Diff.PostExecTx = []byte{1} },
		"no transactions": func(fbs []*flashblocks.Flashblock) {
			fbs[0].Diff.Transactions = nil
			fbs[1].Diff.Transactions = nil
			fbs[2].Diff.Transactions = nil
		},
		"empty data": func(fbs []*flashblocks.Flashblock) {
			fbs[0].Base.ExtraData = nil
			fbs[1].Diff.Transactions = [][]byte{{}}
		},
		"withdrawals": func(fbs []*flashblocks.Flashblock) {
			fbs[0].Diff.Withdrawals = []*types.Withdrawal{{Index: 1, Amount: 2}}
			fbs[2].Diff.Withdrawals = []*types.Withdrawal{{Index: 3, Validator: 4, Address: common.Address{5}}, {}}
		},
	} {
		fbs := []*flashblocks.Flashblock{flashblock(9, 0), flashblock(9, 1), flashblock(9, 2)}
		change(fbs)
		texts := encode(fbs...)
		p := prefixOf(t, texts)
		for version := 3; version <= 5; version++ {
			got, err := p.Envelope(version)
			require.NoError(t, err, name)
			typed, err := json.Marshal(assembled(t, texts, forksOf(version)))
			require.NoError(t, err)
			require.Equal(t, meaning(t, typed), meaning(t, got), name)
		}
		if txs := p.Transactions(); strings.HasPrefix(name, "post-exec") && fbs[2].Diff.PostExecTx != nil {
			require.JSONEq(t, `"0x0203"`, string(txs[len(txs)-1]), "last of all")
		}
	}
}

func TestEnvelopeErrors(t *testing.T) {
	t.Parallel()
	_, err := new(Prefix).Envelope(4)
	require.ErrorIs(t, err, ErrEmptyPrefix)
	_, _, err = new(Prefix).NewPayload(4)
	require.ErrorIs(t, err, ErrEmptyPrefix)
	require.False(t, new(Prefix).Rooted())
	require.Empty(t, new(Prefix).Transactions())
	require.NoError(t, new(Prefix).Matches(&Payload{}))
	require.Zero(t, new(Prefix).Number()+new(Prefix).GasUsed())

	fb := flashblock(9, 0)
	p := prefixOf(t, encode(fb))
	_, err = p.Envelope(1)
	require.ErrorIs(t, err, ErrVersion)
	fb.Base.ParentBeaconBlockRoot = nil
	p = prefixOf(t, encode(fb))
	_, err = p.Envelope(3)
	require.ErrorIs(t, err, ErrVersion)
	result, err := p.Envelope(2)
	require.NoError(t, err)
	require.NotContains(t, string(result), "lob")
}

func TestNewPayloadCalls(t *testing.T) {
	t.Parallel()
	p := prefixOf(t, encode(flashblock(9, 0), flashblock(9, 1)))
	for version, method := range map[int]string{3: "engine_newPayloadV3", 4: "engine_newPayloadV4", 5: "engine_newPayloadV4"} {
		got, params, err := p.NewPayload(version)
		require.NoError(t, err)
		require.Equal(t, method, got)
		result, err := p.Envelope(version)
		require.NoError(t, err)
		payload, err := ParsePayload(result)
		require.NoError(t, err)
		require.Equal(t, string(payload.Execution), string(params[0]))
		require.Equal(t, "[]", string(params[1]))
		require.JSONEq(t, `"`+testBeacon.Hex()+`"`, string(params[2]))
		require.Len(t, params, map[int]int{3: 3, 4: 4, 5: 4}[version])

		same, again := payload.NewPayload(version, nil)
		require.Equal(t, method, same)
		require.Equal(t, params, again)
	}
}

// A state root makes a block only together with the right hash.
func TestRooted(t *testing.T) {
	t.Parallel()
	texts := network(t, "unichain-sepolia-35535698")
	for length := 1; length <= len(texts); length++ {
		require.True(t, prefixOf(t, texts[:length]).Rooted(), "every flashblock of this network is a block")
	}
	last := slices.Clone(texts)
	last[len(last)-1] = json.RawMessage(strings.Replace(string(last[len(last)-1]), "0x5615e434", "0x5615e435", 1))
	require.False(t, prefixOf(t, last).Rooted())
}

func TestMatches(t *testing.T) {
	t.Parallel()
	fbs := []*flashblocks.Flashblock{flashblock(9, 0), flashblock(9, 1), flashblock(9, 2)}
	fbs[1].Diff.PostExecTx, fbs[2].Diff.PostExecTx = []byte{1}, []byte{2}
	p := prefixOf(t, encode(fbs...))
	block := envelope(t, p)
	require.NoError(t, p.Matches(block))
	require.NoError(t, p.Equal(block))

	longer := prefixOf(t, encode(append(fbs, flashblock(9, 3))...))
	require.NoError(t, p.Matches(envelope(t, longer)), "the builder went on")
	require.ErrorIs(t, p.Equal(envelope(t, longer)), ErrMismatch)
	require.ErrorIs(t, longer.Matches(envelope(t, prefixOf(t, encode(fbs[:2]...)))), ErrMismatch, "it lacks what was published")
	longer.published = 2
	require.NoError(t, longer.Matches(envelope(t, prefixOf(t, encode(fbs[:2]...)))), "the rest was not published")

	block.Transactions[1], block.Transactions[2] = block.Transactions[2], block.Transactions[1]
	require.ErrorIs(t, p.Matches(block), ErrMismatch, "the order counts")
	require.ErrorIs(t, p.Equal(block), ErrMismatch)
	block.Transactions[1] = json.RawMessage(strings.ToUpper(string(block.Transactions[2])))
	block.Transactions[2] = block.Transactions[1]
	require.ErrorIs(t, p.Matches(block), ErrMismatch)
}

// FuzzAdd gives the store anything the subscriber would let through, before and after index 0, and checks
// that what it makes of it is what the typed path makes of it.
func FuzzAdd(f *testing.F) {
	for _, name := range []string{"unichain-sepolia-35535698", "base-sepolia-33439826"} {
		for _, text := range network(f, name) {
			f.Add([]byte(text))
		}
	}
	f.Add(flashblock(9, 1).AppendJSON(nil))
	f.Fuzz(func(t *testing.T, text []byte) {
		header, plain, err := flashblocks.DecodeHeader(text, flashblocks.Limits{})
		if err != nil {
			header, plain = flashblocks.Header{PayloadID: id(9), Index: 1}, text // must not crash either
		}
		h := newHarness(t, Config{})
		r := h.bound(1, 9)
		h.add(9, 0)
		h.store.Add(stream.Delivery{Header: header, JSON: plain})
		p := r.Freeze()
		require.NotZero(t, p.Count())
		if err != nil {
			return
		}
		one, cutErr := cut(stream.Delivery{Header: header, JSON: plain})
		fb, _, typedErr := flashblocks.Decode(plain, flashblocks.Limits{})
		if cutErr != nil || typedErr != nil || fb.Base == nil || fb.Index != 0 || fb.Base.ParentBeaconBlockRoot == nil {
			return
		}
		got, err := (&Prefix{pieces: []*piece{one}}).Envelope(4)
		require.NoError(t, err)
		typed, err := json.Marshal(assembled(t, []json.RawMessage{plain}, forksOf(4)))
		require.NoError(t, err)
		require.Equal(t, lower(meaning(t, typed)), lower(meaning(t, got)))
	})
}

// lower makes hex comparable: the wire's own text may have any case.
func lower(value any) string {
	text, _ := json.Marshal(value)
	return strings.ToLower(string(text))
}
