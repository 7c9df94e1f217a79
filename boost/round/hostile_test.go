// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// encoding/json, which op-node and op-geth read with, takes "FeeRecipient" for "feeRecipient" and the last of two
// equal keys. A block must not be one thing to the checks and another one to them.
func TestAmbiguousPayloadIsRefused(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	r := h.bound(1, 9)
	h.add(9, 0)
	result, err := r.Freeze().Envelope(4)
	require.NoError(t, err)
	_, err = ParsePayload(result)
	require.NoError(t, err)
	for _, added := range []string{
		`"feerecipient":"0x0000000000000000000000000000000000000001"`, `"FeeRecipient":null`, `"fee\u0052ecipient":"0x"`,
		`"tran\u017factions":[]`, `"receiptsRoot":"0x"`, `"LogsBloom":"0x"`, `"baseFeePerGas":"0x1"`, `"withdrawals":null`,
	} {
		_, err := ParsePayload(json.RawMessage(strings.Replace(string(result), `{"parentHash"`, "{"+added+`,"parentHash"`, 1)))
		require.ErrorIs(t, err, ErrMalformed, added)
	}
	for _, added := range []string{
		`"executionPayload":null`, `"ExecutionPayload":{}`, `"executionpayload":null`, `"parentBeaconBlockRoot":null`,
		`"parentbeaconblockroot":null`, `"executionRequests":[]`,
	} {
		_, err := ParsePayload(json.RawMessage("{" + added + "," + string(result[1:])))
		require.ErrorIs(t, err, ErrMalformed, added)
	}
	kept := strings.Replace(string(result), `{"parentHash"`, `{"fromTheFuture":1,"parentHash"`, 1)
	_, err = ParsePayload(json.RawMessage(kept))
	require.NoError(t, err)
}

// Small things that grow when they are read must not fill the memory.
func TestAmplificationIsBounded(t *testing.T) {
	t.Parallel()
	var d diff
	require.ErrorIs(t, d.cutWithdrawals(walk([]byte("["+strings.Repeat("{},", 1000)+"{}]"))), ErrMalformed)
	require.Less(t, len(d.withdrawals), 4096)
	_, err := walk([]byte("[" + strings.Repeat(`"0x",`, maxTransactions) + `"0x"]`)).hexList()
	require.ErrorIs(t, err, ErrMalformed)
	_, err = ParsePayload([]byte("{" + strings.Repeat(`"a":0,`, 100_000) + `"b":0}`))
	require.ErrorIs(t, err, ErrMalformed)
}

// What a builder wrote is repeated in an error to a bounded length.
func TestErrorsAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("f", 1<<20)
	_, err := walk([]byte(`"0x` + long + `"`)).Quantity()
	require.ErrorIs(t, err, ErrMalformed)
	require.Less(t, len(err.Error()), 300)
	_, err = walk([]byte(strings.Repeat("9", 1<<20))).Quantity()
	require.Less(t, len(err.Error()), 300)
	r := testRequest(t)
	err = r.conformsExtra(common.FromHex("0x" + long))
	require.ErrorIs(t, err, ErrNonconforming)
	require.Less(t, len(err.Error()), 300)
}

// A builder that contradicts itself with large flashblocks holds up nobody: they are compared without the lock.
func TestComparingHoldsNoLock(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.bound(1, 9)
	h.add(9, 0)
	fb := flashblock(9, 0)
	fb.Diff.GasUsed++
	d := delivery(t, fb.AppendJSON(nil))
	p, err := cut(d)
	require.NoError(t, err)
	held := h.store.take(d, p, nil)
	require.NotNil(t, held, "left to be compared")
	require.True(t, h.store.mu.TryLock())
	h.store.mu.Unlock()
	h.store.Add(d)
	require.Equal(t, 1, h.count("flashboost_flashblocks_conflicts_total"))
	h.store.Add(delivery(t, flashblock(9, 0).AppendJSON(nil)))
	require.Equal(t, 1, h.count("flashboost_flashblocks_duplicates_total"))
}

// A builder may send whatever it likes: nothing crashes, and the good prefix stays.
func TestHostileBuilderKeepsThePrefix(t *testing.T) {
	t.Parallel()
	edit := func(index uint64, change func(*flashblocks.Flashblock)) []byte {
		fb := flashblock(9, index)
		change(fb)
		return fb.AppendJSON(nil)
	}
	for name, c := range map[string]struct {
		text    []byte
		counter string
		torn    bool // nothing can follow
	}{
		"a gap":           {edit(5, func(*flashblocks.Flashblock) {}), extendErrors, false},
		"index 2^63":      {edit(1<<63, func(*flashblocks.Flashblock) {}), extendErrors, false},
		"index 2^64-1":    {edit(math.MaxUint64, func(*flashblocks.Flashblock) {}), extendErrors, false},
		"a duplicate":     {edit(1, func(*flashblocks.Flashblock) {}), "flashboost_flashblocks_duplicates_total", false},
		"a contradiction": {edit(1, func(fb *flashblocks.Flashblock) { fb.Diff.GasUsed++ }), "flashboost_flashblocks_conflicts_total", true},
		"a new base":      {edit(2, func(fb *flashblocks.Flashblock) { fb.Base = flashblock(9, 0).Base }), extendErrors, false},
		"another base":    {edit(0, func(fb *flashblocks.Flashblock) { fb.Base.Timestamp++ }), "flashboost_flashblocks_conflicts_total", true},
		"another number":  {edit(2, func(fb *flashblocks.Flashblock) { fb.Metadata.BlockNumber++ }), extendErrors, false},
		"an unknown id":   {edit(2, func(fb *flashblocks.Flashblock) { fb.PayloadID = id(77) }), mismatches, false},
		"bad hex": {[]byte(`{"payload_id":"0x0300000000000009","index":2,"diff":{"state_root":"0xzz","receipts_root":"0x","logs_bloom":"0x",` +
			`"gas_used":"0x0","block_hash":"0x","transactions":["0xzz"]},"metadata":{}}`), extendErrors, false},
		"no diff fields": {[]byte(`{"payload_id":"0x0300000000000009","index":2,"diff":{},"metadata":{}}`), extendErrors, false},
		"diff of a list": {[]byte(`{"payload_id":"0x0300000000000009","index":2,"diff":[],"metadata":{}}`), extendErrors, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{})
			r := h.bound(1, 9)
			h.add(9, 0, 1)
			before, gaps := h.count(c.counter), h.gaps.Load()
			h.store.Add(delivery(t, c.text))
			require.Equal(t, before+1, h.count(c.counter))
			require.Equal(t, 2, r.Peek().Count())

			h.add(9, 2)
			want := []string{"9/0", "9/1", "9/2"}
			if c.torn {
				want = want[:2]
			}
			require.Equal(t, want, h.published())
			require.Equal(t, len(want), r.Freeze().Count())
			if name == "a gap" {
				require.Equal(t, gaps+1, h.gaps.Load(), "missing flashblocks are asked for")
			}
		})
	}
}

// A builder that names ever new payload ids cannot fill the memory, nor reach a bound round.
func TestPayloadIDFloodIsBounded(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	r := h.bound(1, 9)
	h.add(9, 0, 1)
	fb := flashblock(0, 0)
	for i := range 5000 {
		fb.PayloadID[1], fb.PayloadID[2], fb.PayloadID[7] = byte(i), byte(i>>8), 0
		h.store.Add(delivery(t, fb.AppendJSON(nil)))
	}
	h.store.mu.Lock()
	require.Len(t, h.store.lines.byID, defaultMaxEarly+1)
	require.Equal(t, defaultMaxEarly, h.store.lines.early)
	h.store.mu.Unlock()
	require.Equal(t, 5000-defaultMaxEarly, h.count(droppedEarly))
	require.Equal(t, 2, r.Freeze().Count())
}

// One early id cannot hold more than the bound either.
func TestEarlyBytesAreBounded(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{EarlyBytes: 20_000})
	h.store.Begin(testRequest(t))
	for index := range uint64(100) {
		h.add(9, index)
	}
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	require.LessOrEqual(t, h.store.lines.earlyBytes, 20_000)
	require.NotZero(t, h.store.lines.byID[id(9)].pieces)
	require.NotZero(t, h.count(droppedEarly))
}
