// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// recorder is a hub that only remembers.
type recorder struct {
	mu  sync.Mutex
	got []string
}

func (r *recorder) Publish(m stream.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	word := fmt.Sprintf("%d/%d", m.BlockNumber, m.Index)
	switch {
	case m.V1 == nil:
		word += " " + noticeKind(m.V0())
	case bytes.Contains(m.V1, []byte(otherBuild)):
		word += "'"
	}
	r.got = append(r.got, word)
}

func (r *recorder) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.got...)
}

// newTestRelay is a relay of n connected upstreams.
func newTestRelay(t testing.TB, n int) (*relay, *recorder) {
	t.Helper()
	cfg := Config{Metrics: metrics.NewSet()}
	for i := range n {
		cfg.Upstreams = append(cfg.Upstreams, Upstream{URL: "ws://up" + strconv.Itoa(i)})
	}
	cfg = cfg.withDefaults()
	out := new(recorder)
	r := newRelay(&cfg, out, newProxyMetrics(&cfg).relay)
	for i := range n {
		r.state(i, stream.State{Connected: true})
	}
	return r, out
}

// otherBuild marks the content of another builder's flashblocks.
const otherBuild = "0x0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"

// rebuilt is flashblock, from index 1 on with the content that another builder gives it under the same
// payload id. Index 0, the deposits, is the same from everybody.
func rebuilt(block, index uint64) *flashblocks.Flashblock {
	fb := teststream.Flashblock(block, index)
	if index > 0 {
		fb.Diff.ReceiptsRoot = common.HexToHash(otherBuild)
	}
	return fb
}

func delivery(fb *flashblocks.Flashblock) stream.Delivery {
	return stream.Delivery{Header: fb.Header(), JSON: fb.AppendJSON(nil), Arrived: time.Now()}
}

func TestFirstArrivalWins(t *testing.T) {
	t.Parallel()
	r, out := newTestRelay(t, 3)
	for index := range uint64(4) {
		for i := range 3 {
			r.deliver((i+int(index))%3, delivery(teststream.Flashblock(1, index)))
		}
	}
	require.Equal(t, []string{"1/0", "1/1", "1/2", "1/3"}, out.list())
	require.Equal(t, uint64(8), r.m.duplicates.Get())
	require.Zero(t, r.m.equivocations.Get())
	require.Equal(t, uint64(4), r.m.upstreamMessages[2].Get())
}

// TestEquivocation: other content at a taken position is counted and never published, also from the
// same upstream; the same content in other bytes is no equivocation.
func TestEquivocation(t *testing.T) {
	t.Parallel()
	for _, upstreams := range []int{1, 2} {
		r, out := newTestRelay(t, upstreams)
		r.deliver(0, delivery(teststream.Flashblock(1, 0)))
		r.deliver(0, delivery(teststream.Flashblock(1, 1)))

		trimmed := teststream.Flashblock(1, 1)
		trimmed.Metadata.PrevFlashblockID = &flashblocks.FlashblockID{BlockNumber: 1}
		r.deliver(upstreams-1, delivery(trimmed))
		require.Zero(t, r.m.equivocations.Get())

		liar := teststream.Flashblock(1, 1)
		liar.Diff.GasUsed++
		r.deliver(upstreams-1, delivery(liar))
		require.Equal(t, uint64(1), r.m.equivocations.Get())
		want := []string{"1/0", "1/1"}
		if upstreams == 1 {
			want = append(want, "1/1 reorg") // nobody is left who goes on with the block
		}
		require.Equal(t, want, out.list())
	}
}

// TestOrderAcrossUpstreams: one upstream is ahead and has lost something that the other still brings.
func TestOrderAcrossUpstreams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, out := newTestRelay(t, 2)
		defer r.stop()
		r.deliver(0, delivery(teststream.Flashblock(1, 0)))
		r.deliver(0, delivery(teststream.Flashblock(1, 2)))
		r.deliver(0, delivery(teststream.Flashblock(1, 3)))
		require.Equal(t, []string{"1/0"}, out.list(), "waits for 1/1")
		r.deliver(1, delivery(teststream.Flashblock(1, 1)))
		require.Equal(t, []string{"1/0", "1/1", "1/2", "1/3"}, out.list())

		// Nobody brings 1/4: the wait ends.
		r.deliver(0, delivery(teststream.Flashblock(1, 5)))
		<-time.After(gapPatience - time.Millisecond)
		synctest.Wait()
		require.Len(t, out.list(), 4)
		<-time.After(2 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, "1/5", out.list()[4])
		require.Equal(t, uint64(1), r.m.gaps.Get())

		// What comes after its place has passed does not go out of order.
		r.deliver(1, delivery(teststream.Flashblock(1, 4)))
		require.Equal(t, uint64(1), r.m.late.Get())

		// A new block ends every wait, and nothing returns to the one before.
		r.deliver(0, delivery(teststream.Flashblock(1, 8)))
		r.deliver(1, delivery(teststream.Flashblock(2, 0)))
		r.deliver(1, delivery(teststream.Flashblock(1, 9)))
		require.Equal(t, []string{"1/5", "1/8", "2/0"}, out.list()[4:])
		require.Equal(t, uint64(2), r.m.late.Get())
	})
}

// TestAloneNothingWaits: without another upstream a gap is passed on at once; clients see it.
func TestAloneNothingWaits(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2} {
		r, out := newTestRelay(t, n)
		if n == 2 {
			r.state(1, stream.State{})
		}
		r.deliver(0, delivery(teststream.Flashblock(1, 0)))
		r.deliver(0, delivery(teststream.Flashblock(1, 2)))
		require.Equal(t, []string{"1/0", "1/2"}, out.list())
	}
}

func TestHeldMessagesAreBounded(t *testing.T) {
	t.Parallel()
	r, out := newTestRelay(t, 2)
	defer r.stop()
	r.deliver(0, delivery(teststream.Flashblock(1, 0)))
	for index := uint64(2); index < 2+maxHeld; index++ {
		r.deliver(0, delivery(teststream.Flashblock(1, index)))
	}
	require.Len(t, out.list(), 1)
	r.deliver(0, delivery(teststream.Flashblock(1, 2+maxHeld)))
	require.Len(t, out.list(), 2+maxHeld)
}

func TestWindowForgetsAndStaysBounded(t *testing.T) {
	t.Parallel()
	w := newWindow(flashblocks.Limits{})
	text := teststream.Flashblock(1, 1).AppendJSON(nil)
	for i := range uint64(3 * windowMessages) {
		k := key{teststream.PayloadID(i), 0}
		require.Equal(t, unseen, w.judge(k, text))
		w.add(k, text)
		require.Equal(t, repeated, w.judge(k, text))
	}
	require.Len(t, w.texts, windowMessages)
	require.LessOrEqual(t, len(w.kept), windowMessages)
	require.Equal(t, unseen, w.judge(key{teststream.PayloadID(0), 0}, text))

	large := make([]byte, windowBytes/4)
	for i := range uint64(20) {
		w.add(key{teststream.PayloadID(1 << 30), i}, large)
		require.LessOrEqual(t, w.bytes, windowBytes)
	}
	// The text is gone, the position is not.
	require.Equal(t, repeated, w.judge(key{teststream.PayloadID(1 << 30), 0}, text))
}

// TestOnlyTheLeaderIsHeard: with conductors, what a follower sends waits, and comes out when it leads.
func TestOnlyTheLeaderIsHeard(t *testing.T) {
	t.Parallel()
	r, out := newTestRelay(t, 2)
	defer r.stop()
	r.setLeadership(0, leaderYes)
	r.setLeadership(1, leaderNo)
	r.deliver(0, delivery(teststream.Flashblock(1, 0)))
	r.deliver(1, delivery(teststream.Flashblock(2, 0)))
	r.deliver(1, delivery(teststream.Flashblock(2, 1)))
	r.deliver(0, delivery(teststream.Flashblock(1, 1)))
	require.Equal(t, []string{"1/0", "1/1"}, out.list())
	require.Equal(t, uint64(2), r.m.heldBack.Get())

	r.setLeadership(0, leaderNo)
	r.setLeadership(1, leaderYes)
	require.Equal(t, []string{"1/0", "1/1", "2/0", "2/1"}, out.list())
	r.deliver(0, delivery(teststream.Flashblock(1, 2)))
	r.deliver(1, delivery(teststream.Flashblock(2, 2)))
	require.Equal(t, []string{"1/0", "1/1", "2/0", "2/1", "2/2"}, out.list())

	// A leader that is not connected rules nobody out, nor does nobody leading.
	r.state(1, stream.State{})
	r.deliver(0, delivery(teststream.Flashblock(3, 0)))
	require.Equal(t, "3/0", out.list()[len(out.list())-1])
	r.state(1, stream.State{Connected: true})
	r.setLeadership(1, leaderUnknown)
	r.deliver(0, delivery(teststream.Flashblock(3, 1)))
	require.Equal(t, "3/1", out.list()[len(out.list())-1])
}

func TestHeldBackIsBounded(t *testing.T) {
	t.Parallel()
	var h heldBack
	for i := range uint64(3 * heldMessages) {
		h.add(delivery(teststream.Flashblock(1, i)))
	}
	require.Len(t, h.messages, heldMessages)
	big := stream.Delivery{JSON: make([]byte, heldBytes/2)}
	for range 5 {
		h.add(big)
		require.LessOrEqual(t, h.bytes, heldBytes)
	}
	require.NotEmpty(t, h.take())
	require.Empty(t, h.take())
}
