// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// play runs one slot of ten flashblocks, with the planned interference, and fetches the last payload
// unless told otherwise.
func (d *driver) play(fetch bool, plan ...trigger) {
	d.t.Helper()
	d.plan = plan
	d.begin(d.chain.CurrentBlock(), 200*time.Millisecond, 2*time.Second)
	d.send(d.transfer(0, 0, 5), d.tx(1, 0, 4, &storageAddr, 60_000, slots(1, 2)))
	d.build(d.attributesOn(d.parent))
	for n := uint64(1); d.quiesce(); n++ {
		d.hit(atWait)
		d.quiesce() // a payload that was just asked for has its first deadline before it
		d.send(d.transfer(0, n, 5))
		d.virtual.Run(100 * time.Millisecond)
	}
	if fetch {
		d.get(d.latest())
	}
	d.wg.Wait()
	d.drain()
}

// end abandons what is left and verifies everything. It returns what happened to each payload.
func (d *driver) end() []*history {
	d.t.Helper()
	d.builder.NewHead(common.Hash{0xee})
	histories := make([]*history, len(d.round))
	d.journal.mu.Lock()
	for i, p := range d.round {
		histories[i] = d.journal.of(p.id)
	}
	d.journal.mu.Unlock()
	d.settle(nil)
	return histories
}

func TestRaces(t *testing.T) {
	t.Parallel()
	type want struct{ published, sealed, reorgs int }
	one := func(s scenario, n int) []trigger { return []trigger{{scenario: s, n: n}} }
	const all = 11 // index 0 and ten deadlines
	tests := []struct {
		name  string
		plan  []trigger
		never bool // the last payload is not fetched
		want  []want
	}{
		{name: "undisturbed", want: []want{{all, 1, 0}}},
		{name: "never fetched", never: true, want: []want{{all, 0, 1}}},
		{name: "resolved between assembly and publication", plan: one(scenario{atPublish, doGet, inline}, 2), want: []want{{3, 1, 0}}},
		{name: "resolved before a transaction", plan: one(scenario{atTx, doGet, inline}, 0), want: []want{{1, 1, 0}}},
		{name: "resolved during the deposits", plan: one(scenario{atDeposit, doGets, gated}, 0), want: []want{{1, 1, 0}}},
		{name: "superseded before the deposits, then fetched", plan: []trigger{
			{scenario: scenario{atDeposit, doReplace, inline}},
			{scenario: scenario{atWait, doGetOld, inline}, n: 3},
		}, want: []want{{0, 0, 0}, {all, 1, 0}}},
		{name: "superseded between assembly and publication", plan: one(scenario{atPublish, doReplace, inline}, 2), want: []want{{3, 0, 1}, {all - 3, 1, 0}}},
		{name: "superseded while waiting, then fetched", plan: []trigger{
			{scenario: scenario{atWait, doReorg, inline}, n: 2},
			{scenario: scenario{atWait, doGetOld, inline}, n: 6},
		}, want: []want{{2, 1, 1}, {all - 1, 1, 0}}},
		{name: "cancelled while waiting", plan: one(scenario{atWait, doCancel, inline}, 2), never: true, want: []want{{2, 0, 1}}},
		{name: "cancelled while waiting, then fetched", plan: one(scenario{atWait, doCancel, inline}, 2), want: []want{{2, 1, 1}}},
		{name: "cancelled while waiting, then repeated", plan: one(scenario{atWait, doAgain, inline}, 2), want: []want{{2, 0, 1}, {all - 1, 1, 0}}},
		{name: "cancelled between assembly and publication, then repeated", plan: one(scenario{atPublish, doAgain, inline}, 2), want: []want{{3, 0, 1}, {all - 3, 1, 0}}},
		{name: "cancelled during the deposits, then repeated", plan: one(scenario{atDeposit, doAgain, inline}, 0), want: []want{{0, 0, 0}, {all, 1, 0}}},
		{name: "superseded while waiting, then repeated", plan: one(scenario{atWait, doReturn, inline}, 2), want: []want{{2, 0, 1}, {0, 0, 0}, {all - 1, 1, 0}}},
		{name: "fetched, superseded while sealing, then repeated", plan: []trigger{
			{scenario: scenario{atPublish, doGet, inline}, n: 3},
			{scenario: scenario{atSeal, doReturn, inline}},
		}, want: []want{{0, 0, 0}, {4, 1, 0}}},
		{name: "repeated", plan: one(scenario{atWait, doRepeat, inline}, 5), want: []want{{all, 1, 0}}},
		{name: "head is the parent", plan: one(scenario{atWait, doHead, inline}, 5), want: []want{{all, 1, 0}}},
		{name: "superseded while sealing", plan: []trigger{
			{scenario: scenario{atPublish, doGet, inline}, n: 3},
			{scenario: scenario{atSeal, doReplace, inline}},
		}, want: []want{{4, 1, 0}, {all - 4, 1, 0}}},
		{name: "fetched and superseded during the deposits", plan: []trigger{
			{scenario: scenario{atDeposit, doGet, gated}},
			{scenario: scenario{atDeposit, doReplace, inline}},
		}, want: []want{{1, 1, 0}, {all, 1, 0}}},
		{name: "panic, then fetched", plan: one(scenario{atPublish, doPanic, inline}, 4), want: []want{{5, 1, 0}}},
		{name: "panic, never fetched", plan: one(scenario{atPublish, doPanic, inline}, 4), never: true, want: []want{{5, 0, 1}}},
		{name: "panic before the deposits", plan: one(scenario{atDeposit, doPanic, inline}, 0), want: []want{{0, 0, 0}}},
		{name: "panic while sealing", plan: one(scenario{atSeal, doPanic, inline}, 0), want: []want{{all, 1, 0}}},
		{name: "stopped while sealing", plan: one(scenario{atSeal, doStop, free}, 0), want: []want{{all, 1, 0}}},
		{name: "stopped while executing", plan: one(scenario{atTx, doStop, gated}, 0), never: true, want: []want{{1, 0, 0}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDriver(t, jovian, 1, true, nil)
			d.play(!test.never, test.plan...)
			for _, tr := range d.plan {
				require.True(t, tr.fired, "%v did not come up", tr.scenario)
			}
			var got []want
			for _, h := range d.end() {
				got = append(got, want{len(h.raws), len(h.sealed), len(h.reorgs)})
			}
			require.Equal(t, test.want, got)
		})
	}
}

// TestSupersedeDuringPublish has a forkchoice update wait at the gate while a flashblock is on its way
// through: the flashblock is out, so the announcement of the reorg must count it.
func TestSupersedeDuringPublish(t *testing.T) {
	t.Parallel()
	d := newDriver(t, jovian, 1, true, nil)
	n := 0
	d.journal.onFlashblock = func() {
		if n++; n != 4 {
			return
		}
		d.wg.Go(func() { d.act(doReplace) })
		for d.builder.mu.TryLock() { // held by BuildPayload while it waits for the gate
			d.builder.mu.Unlock()
			runtime.Gosched()
		}
	}
	d.play(true)
	histories := d.end()
	require.Len(t, histories, 2)
	require.Len(t, histories[0].raws, 4)
	require.Len(t, histories[0].reorgs, 1)
	require.EqualValues(t, 3, histories[0].reorgs[0].Index)
	require.Len(t, histories[1].sealed, 1)
}

// TestLateDepositsComeFirst fetches a payload during its deposits and asks for another before they are
// done. The deposits are still published, but never amid the other payload's flashblocks.
func TestLateDepositsComeFirst(t *testing.T) {
	t.Parallel()
	d := newDriver(t, jovian, 1, true, nil)
	published := make(chan struct{}, 100)
	d.journal.onFlashblock = func() { published <- struct{}{} }
	first := true
	d.builder.hooks.beforeDeposit = func() {
		if !first {
			return
		}
		first = false
		d.interfere(scenario{atDeposit, doGet, gated})
		d.act(doReplace)
		select {
		case <-published:
			d.t.Error("the second payload did not wait for the first")
		case <-time.After(50 * time.Millisecond): // far more than it needs to get there
		}
	}
	d.play(true)
	histories := d.end()
	require.Len(t, histories, 2)
	require.Len(t, histories[0].raws, 1)
	require.Len(t, histories[1].raws, 11)
}

// TestInterruptedTransaction fetches the payload while a transaction is under way: it is not in the block,
// although it was begun, and the EVM, once interrupted, would let it succeed.
func TestInterruptedTransaction(t *testing.T) {
	t.Parallel()
	d := newDriver(t, jovian, 1, true, nil)
	loop := d.tx(2, 0, 1, nil, 16_000_000, common.FromHex("5b600056"))
	begun := false
	d.builder.hooks.beforeTx = func(tx *types.Transaction) {
		if tx.Hash() == loop.Hash() {
			begun = true
			d.interfere(scenario{atTx, doGet, gated})
		}
	}
	d.send(loop)
	d.play(false)
	require.True(t, begun)
	p := d.latest()
	h := d.end()[0]
	require.Len(t, h.raws, 6, "it fits from the sixth ceiling on")
	require.Len(t, h.answers, 1)
	block := d.toBlock(h.answers[0], p.args)
	require.Nil(t, block.Transaction(loop.Hash()))
}

// TestEvictedPayload asks for more payloads than are kept.
func TestEvictedPayload(t *testing.T) {
	t.Parallel()
	d := newDriver(t, jovian, 1, true, nil)
	d.begin(d.chain.CurrentBlock(), 200*time.Millisecond, 2*time.Second)
	for range keptJobs + 1 {
		p := d.build(d.attributesOn(d.parent))
		<-p.job.ready
	}
	gone := d.round[0]
	require.False(t, d.builder.Has(gone.id))
	_, err := d.builder.GetPayload(gone.id)
	require.ErrorIs(t, err, ErrUnknownPayload)
	for _, p := range d.round[1:] {
		require.True(t, d.builder.Has(p.id))
		d.get(p)
	}
	d.drain()
	for i, h := range d.end() {
		require.Len(t, h.raws, 1)
		require.Equal(t, i > 0, len(h.sealed) == 1)
	}
}

// TestGetPayloadRacingStop lets both decide a payload's fate at once: the block comes whole or not at all.
func TestGetPayloadRacingStop(t *testing.T) {
	t.Parallel()
	d := newDriver(t, jovian, 1, true, nil)
	for range 100 {
		d.begin(d.chain.CurrentBlock(), 200*time.Millisecond, 2*time.Second)
		d.build(d.attributesOn(d.parent))
		d.quiesce()
		d.wg.Go(func() { d.act(doGets) })
		d.wg.Go(func() { d.act(doStop) })
		d.wg.Wait()
		d.settle(nil)
		d.restart()
	}
	require.Positive(t, d.sealed)
}
