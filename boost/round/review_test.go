// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
)

// Two forkchoice updates, whose local answers are taken in by goroutines of their own: the older one must not
// end the newer one's round.
func TestLateLocalAnswerEndsNoNewerRound(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	older := h.store.Begin(testRequest(t))
	h.bound(2, 10)
	h.add(10, 0)
	older.BindBuilder(id(9))
	h.add(9, 0)
	require.Same(t, older, older.BindLocal(id(1)))
	h.add(10, 1)
	require.Equal(t, []string{"10/0", "10/1"}, h.published())
	require.Equal(t, 1, older.Freeze().Count(), "it may still be asked for")
}

// The local answer comes when op-node has left the parent already.
func TestRoundOnALeftHeadPublishesNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.store.Head(testParent)
	r := h.store.Begin(testRequest(t))
	r.BindBuilder(id(9))
	h.add(9, 0)
	h.store.Head(common.HexToHash("0x99"))
	r.BindLocal(id(1))
	h.add(9, 1)
	require.Empty(t, h.published())
	h.store.Head(testParent) // and back again
	require.Same(t, r, h.store.Begin(testRequest(t)).BindLocal(id(1)))
	require.Equal(t, []string{"9/0", "9/1"}, h.published())
}

// Neither side had a block when it was asked for, and op-node begins another build: what was published is void,
// and that is told.
func TestAbandonedRoundIsTold(t *testing.T) {
	t.Parallel()
	told := func(h *harness) bool { return strings.Contains(strings.Join(h.published(), "\n"), `"reorg":true`) }
	for name, tc := range map[string]func(h *harness, r *Round){
		"released, then superseded": func(h *harness, r *Round) {
			r.Release()
			require.False(t, told(h), "it may be asked for again")
			h.bound(2, 10)
		},
		"superseded, then released": func(h *harness, r *Round) {
			h.bound(2, 10)
			require.False(t, told(h), "its fate is still open")
			r.Release()
		},
		"another head": func(h *harness, r *Round) { r.Release(); h.store.Head(common.HexToHash("0x99")) },
		"forgotten": func(h *harness, _ *Round) {
			for n := range byte(defaultKeep) {
				h.bound(20+n, 40+n)
			}
		},
	} {
		h := newHarness(t, Config{})
		r := h.bound(1, 9)
		h.add(9, 0)
		r.Freeze()
		tc(h, r)
		require.True(t, told(h), name)
		require.Equal(t, 1, h.count(`flashboost_flashblocks_rounds_discarded_total{reason="superseded"}`), name)
	}
	h := newHarness(t, Config{})
	r := h.bound(1, 9)
	h.add(9, 0)
	r.Freeze()
	r.Release()
	r.Freeze() // asked for again
	h.bound(2, 10)
	r.Keep(Sealed{})
	require.False(t, told(h))
}

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

// A block that op-node could not use is none: it reads envelopes, and from Ecotone on it takes the parent
// beacon root from them.
func TestPayloadFitsItsVersion(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	r := h.bound(1, 9)
	h.add(9, 0)
	result, err := r.Freeze().Envelope(4)
	require.NoError(t, err)
	whole, err := ParsePayload(result)
	require.NoError(t, err)
	require.NoError(t, whole.Fits(4))
	bare, err := ParsePayload(whole.Execution)
	require.NoError(t, err)
	require.NoError(t, bare.Fits(1))
	require.ErrorIs(t, bare.Fits(2), ErrMalformed)
	rootless, err := ParsePayload(append(append([]byte(`{"executionPayload":`), whole.Execution...), '}'))
	require.NoError(t, err)
	require.NoError(t, rootless.Fits(2))
	require.ErrorIs(t, rootless.Fits(3), ErrMalformed)
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
