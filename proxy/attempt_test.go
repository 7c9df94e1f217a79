// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// deliverAll gives a relay the indices [first, last] of a block from upstream i.
func deliverAll(r *relay, i int, make func(block, index uint64) *flashblocks.Flashblock, block, first, last uint64) {
	for index := first; index <= last; index++ {
		r.deliver(i, delivery(make(block, index)))
	}
}

// TestTwoBuildsOfOnePayloadAreNeverMixed: two sequencers at the same attributes have the same payload id. The
// clients get the beginning of one build and the notice that it is abandoned, never a mixture.
func TestTwoBuildsOfOnePayloadAreNeverMixed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *relay){
		"the new leader builds afterwards": func(r *relay) {
			r.setLeadership(0, leaderNo)
			r.setLeadership(1, leaderYes)
			deliverAll(r, 1, rebuilt, 1, 0, 3)
		},
		"it has built before": func(r *relay) {
			deliverAll(r, 1, rebuilt, 1, 0, 3)
			require.Zero(t, r.m.equivocations.Get(), "nobody listens to a follower")
			r.setLeadership(1, leaderYes)
			r.setLeadership(0, leaderNo)
		},
		"nobody leads for a while": func(r *relay) {
			deliverAll(r, 1, rebuilt, 1, 0, 2)
			r.setLeadership(0, leaderNo)
			r.setLeadership(1, leaderYes)
			deliverAll(r, 1, rebuilt, 1, 3, 3)
		},
		"its connection is new": func(r *relay) {
			r.state(1, stream.State{})
			r.setLeadership(0, leaderNo)
			r.setLeadership(1, leaderYes)
			r.state(1, stream.State{Connected: true})
			deliverAll(r, 1, rebuilt, 1, 0, 3)
		},
		"the old leader is lost": func(r *relay) {
			r.setLeadership(0, leaderUnknown)
			r.setLeadership(1, leaderUnknown)
			deliverAll(r, 1, rebuilt, 1, 0, 3)
			r.state(0, stream.State{})
		},
	} {
		r, out := newTestRelay(t, 2)
		r.setLeadership(0, leaderYes)
		r.setLeadership(1, leaderNo)
		deliverAll(r, 0, teststream.Flashblock, 1, 0, 1)
		change(r)
		require.Equal(t, []string{"1/0", "1/1", "1/1 reorg"}, out.list(), name)
		require.Equal(t, uint64(1), r.m.equivocations.Get(), name)
		require.Equal(t, uint64(1), r.m.reorgs.Get(), name)

		// The notice stands, even if the first one leads again; and the next block is as ever.
		r.state(0, stream.State{Connected: true})
		r.setLeadership(1, leaderNo)
		r.setLeadership(0, leaderYes)
		deliverAll(r, 0, teststream.Flashblock, 1, 2, 3)
		deliverAll(r, 0, teststream.Flashblock, 2, 0, 1)
		require.Equal(t, []string{"1/0", "1/1", "1/1 reorg", "2/0", "2/1"}, out.list(), name)
		require.Equal(t, uint64(1), r.m.reorgs.Get(), name)
		r.stop()
	}
}

// TestANewAttemptAfterAnAbandonedOne: the notice is not published a second time.
func TestANewAttemptAfterAnAbandonedOne(t *testing.T) {
	t.Parallel()
	r, out := newTestRelay(t, 1)
	deliverAll(r, 0, teststream.Flashblock, 1, 0, 1)
	deliverAll(r, 0, rebuilt, 1, 1, 2)
	again := teststream.Flashblock(1, 0)
	again.PayloadID[1]++
	r.deliver(0, delivery(again))
	require.Equal(t, []string{"1/0", "1/1", "1/1 reorg", "1/0"}, out.list())
	require.Equal(t, uint64(1), r.m.reorgs.Get())
}

// TestAContradictorIsNotHeardInItsBlock: without conductors the first build goes on, the other one has no say
// in this block, and is as good as any in the next.
func TestAContradictorIsNotHeardInItsBlock(t *testing.T) {
	t.Parallel()
	r, out := newTestRelay(t, 2)
	defer r.stop()
	deliverAll(r, 0, teststream.Flashblock, 1, 0, 1)
	deliverAll(r, 1, rebuilt, 1, 0, 3)
	deliverAll(r, 0, teststream.Flashblock, 1, 2, 3)
	deliverAll(r, 1, teststream.Flashblock, 2, 0, 1)
	require.Equal(t, []string{"1/0", "1/1", "1/2", "1/3", "2/0", "2/1"}, out.list())
	require.Equal(t, uint64(1), r.m.equivocations.Get())
	require.Equal(t, uint64(2), r.m.contrary.Get())
	require.Zero(t, r.m.reorgs.Get())
}

// TestWhatWaitsOfAnAbandonedAttemptIsNeverPublished.
func TestWhatWaitsOfAnAbandonedAttemptIsNeverPublished(t *testing.T) {
	t.Parallel()
	r, out := newTestRelay(t, 2)
	defer r.stop()
	r.setLeadership(0, leaderYes)
	deliverAll(r, 0, teststream.Flashblock, 1, 0, 1)
	deliverAll(r, 0, teststream.Flashblock, 1, 3, 4) // wait for 1/2
	r.setLeadership(0, leaderNo)
	r.setLeadership(1, leaderYes)
	deliverAll(r, 1, rebuilt, 1, 0, 2)
	deliverAll(r, 1, teststream.Flashblock, 2, 0, 0)
	require.Equal(t, []string{"1/0", "1/1", "1/1 reorg", "2/0"}, out.list())
}

// TestAFollowerForgetsWithCare: what it kept of a long block is gone by the time it leads, and with it the
// proof that its block is the same.
func TestAFollowerForgetsWithCare(t *testing.T) {
	t.Parallel()
	for _, same := range []bool{true, false} {
		r, out := newTestRelay(t, 2)
		build := rebuilt
		if same {
			build = teststream.Flashblock
		}
		r.setLeadership(0, leaderYes)
		deliverAll(r, 0, teststream.Flashblock, 1, 0, 4)
		deliverAll(r, 1, build, 1, 0, heldMessages+4) // which is all it remembers after 1/4
		before := len(out.list())
		r.setLeadership(1, leaderYes)
		r.setLeadership(0, leaderNo)
		got := out.list()[before:]
		if same {
			require.Len(t, got, heldMessages)
			require.Equal(t, "1/5", got[0])
		} else {
			require.Equal(t, []string{"1/4 reorg"}, got)
		}
		r.stop()
	}
}

// TestAReplayGoesNoFurtherBackThanTheStream: of two upstreams one has kept more than the other.
func TestAReplayGoesNoFurtherBackThanTheStream(t *testing.T) {
	t.Parallel()
	r, out := newTestRelay(t, 2)
	defer r.stop()
	now := time.Now()
	at := func(i int, fb *flashblocks.Flashblock) {
		d := delivery(fb)
		d.Arrived = now
		r.deliver(i, d)
	}
	r.sources[0].heard, r.sources[1].heard = now, now // just connected
	at(0, teststream.Flashblock(10, 0))
	at(0, teststream.Flashblock(10, 1))
	for block := uint64(8); block <= 10; block++ {
		for index := range uint64(3) {
			at(1, teststream.Flashblock(block, index))
		}
	}
	require.Equal(t, []string{"10/0", "10/1", "10/2"}, out.list())
	require.Equal(t, uint64(6), r.m.late.Get())

	// Live, an older block is a reorg of the unsafe head.
	again := teststream.Flashblock(9, 0)
	again.PayloadID[1]++
	at(1, again)
	require.Equal(t, []string{"10/2 reorg", "9/0"}, out.list()[3:])

	// So it is from an upstream that replays nothing.
	r.state(0, stream.State{})
	r.state(0, stream.State{Connected: true})
	now = now.Add(time.Hour)
	older := teststream.Flashblock(7, 0)
	older.PayloadID[1]++
	at(0, older)
	require.Equal(t, "7/0", out.list()[len(out.list())-1])
}

// TestBuildsAreNeverMixed: sources that build two versions of every block under one id come, go and lead at
// random. Whatever happens, the clients get no message of one version behind one of the other, nor anything
// of a block that was said to be abandoned.
func TestBuildsAreNeverMixed(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(testseed.New(t), 3))
	notices := 0
	for range 200 {
		r, out := newTestRelay(t, 3)
		next := make([]uint64, 3) // index that each is at
		builds := []func(block, index uint64) *flashblocks.Flashblock{teststream.Flashblock, rebuilt, rebuilt}
		for block := uint64(1); block <= 3; block++ {
			clear(next)
			for range 40 {
				i := rng.IntN(3)
				switch action := rng.IntN(10); {
				case action < 7:
					if r.sources[i].connected {
						r.deliver(i, delivery(builds[i](block, next[i])))
					}
					next[i]++
				case action < 9:
					r.setLeadership(i, leadership(rng.IntN(3)))
				default:
					connected := !r.sources[i].connected
					r.state(i, stream.State{Connected: connected})
					for index := uint64(0); connected && index < next[i]; index++ { // as asked for
						r.deliver(i, delivery(builds[i](block, index)))
					}
				}
			}
		}
		r.stop()
		abandoned, version := map[string]bool{}, map[string]string{}
		for _, word := range out.list() {
			block, rest, _ := strings.Cut(word, "/")
			switch {
			case strings.HasSuffix(rest, " reorg"):
				abandoned[block] = true
				notices++
				continue
			case rest == "0", strings.HasSuffix(rest, " disconnected"):
				continue
			}
			require.False(t, abandoned[block], "%s is abandoned: %v", block, out.list())
			mark := rest[len(strings.TrimSuffix(rest, "'")):]
			if first, ok := version[block]; ok {
				require.Equal(t, first, mark, "%s is mixed: %v", block, out.list())
			}
			version[block] = mark
		}
	}
	require.Positive(t, notices)
}

// TestARestartedBuilderBuildsItsBlockAgain: under the same id, with other content, while the proxy reconnects.
func TestARestartedBuilderBuildsItsBlockAgain(t *testing.T) {
	t.Parallel()
	for _, first := range []uint64{1, 2} { // the block in progress is the only one, or not
		up := newUpstream(t)
		h := newHarness(t, Config{}, up.URL("/"))
		h.connected(1)
		v1, v0 := h.dial("/ws"), h.dial("/v0")
		h.clients(2)
		for block := first; block <= 2; block++ {
			up.PublishBlock(block, 0, 2)
			teststream.Expect(t, v1, block, 0, 2)
			notices(t, v0, 3)
		}
		require.NoError(t, up.Stop())
		require.Equal(t, []string{"2/2 disconnected"}, notices(t, v0, 1))
		up.Start()
		for index := range uint64(6) {
			up.Publish(rebuilt(2, index))
		}
		up.PublishBlock(3, 0, 1)
		teststream.Expect(t, v1, 3, 0, 1)
		require.Equal(t, []string{"2/2 reorg", "3/0", "3/1"}, notices(t, v0, 3))
		require.Equal(t, 1, int(h.figure("websocket_proxy_equivocations")))
	}
}
