// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// place is where a message of a test of the order stands. Attempts have ids of their own.
type place struct {
	attempt byte
	block   uint64
	index   uint64
}

func (p place) delivery() stream.Delivery {
	return stream.Delivery{Header: flashblocks.Header{
		PayloadID: engine.PayloadID{3, p.attempt}, BlockNumber: p.block, Index: p.index, HasBase: p.index == 0,
	}}
}

func placeOf(d stream.Delivery) place {
	return place{attempt: d.PayloadID[1], block: d.BlockNumber, index: d.Index}
}

func (p place) String() string { return fmt.Sprintf("%c%d/%d", 'a'+p.attempt, p.block, p.index) }

func TestOrderCases(t *testing.T) {
	t.Parallel()
	type step struct {
		place
		patient bool
	}
	a := func(block, index uint64) step { return step{place{0, block, index}, true} }
	b := func(block, index uint64) step { return step{place{1, block, index}, true} }
	alone := func(s step) step { return step{s.place, false} }
	for name, tc := range map[string]struct {
		steps    []step
		want     string
		late     int
		released string // what giving up adds
	}{
		"a hole is filled":             {steps: []step{a(1, 0), a(1, 2), a(1, 3), a(1, 1)}, want: "[a1/0 a1/1 a1/2 a1/3]"},
		"a hole stays":                 {steps: []step{a(1, 0), a(1, 2)}, want: "[a1/0]", released: "[a1/2]"},
		"nobody is left to fill it":    {steps: []step{a(1, 0), a(1, 2), alone(a(1, 3))}, want: "[a1/0 a1/2 a1/3]"},
		"what is behind the next hole": {steps: []step{a(1, 0), a(1, 2), a(1, 5), alone(a(1, 3))}, want: "[a1/0 a1/2 a1/3]", released: "[a1/5]"},
		"another attempt, alone":       {steps: []step{a(1, 0), a(1, 2), b(2, 1), alone(b(2, 3))}, want: "[a1/0 a1/2 b2/1 b2/3]"},
		"the next block ends the wait": {steps: []step{a(1, 0), a(1, 2), b(2, 0)}, want: "[a1/0 a1/2 b2/0]"},
		"nothing returns":              {steps: []step{a(1, 0), b(2, 0), a(1, 1), alone(a(1, 2))}, want: "[a1/0 b2/0]", late: 2},
		"a beginning that comes late":  {steps: []step{a(1, 0), b(2, 1), b(2, 0)}, want: "[a1/0 b2/0 b2/1]"},
		"a beginning that never comes": {steps: []step{a(1, 0), b(2, 1)}, want: "[a1/0]", released: "[b2/1]"},
		"what the stream has passed":   {steps: []step{a(1, 0), b(2, 1), {place{2, 3, 0}, true}}, want: "[a1/0 c3/0]", late: 1},
		"another attempt was faster":   {steps: []step{a(1, 0), b(2, 1), {place{2, 2, 0}, true}}, want: "[a1/0 c2/0]", late: 1},
		"beginnings that never come":   {steps: []step{a(1, 0), {place{2, 3, 1}, true}, a(1, 3), b(2, 1)}, want: "[a1/0]", released: "[a1/3 b2/1 c3/1]"},
		"the middle of an older block": {steps: []step{a(2, 0), alone(b(1, 3))}, want: "[a2/0]", late: 1},
		"an attempt at an older block": {steps: []step{a(2, 0), b(1, 0), b(1, 1), a(2, 1)}, want: "[a2/0 b1/0 b1/1]", late: 1},
	} {
		var o order
		var got []place
		late := 0
		take := func(ready []stream.Delivery, n int) {
			late += n
			for _, d := range ready {
				got = append(got, placeOf(d))
			}
		}
		for _, s := range tc.steps {
			take(o.add(s.delivery(), s.patient))
		}
		require.Equal(t, tc.want, fmt.Sprint(got), name)
		got = nil
		take(o.release(), 0)
		if tc.released == "" {
			tc.released = "[]"
		}
		require.Equal(t, tc.released, fmt.Sprint(got), name)
		require.Equal(t, tc.late, late, name)
		require.Empty(t, o.held, name)
	}
}

// TestOrderIsKept gives the order messages from random sources, with losses and disconnections, and checks
// what it promises whatever comes: nothing twice, upwards within an attempt, never back to one that was
// left, downwards only with a beginning, nothing forgotten, and a bounded wait.
func TestOrderIsKept(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(testseed.New(t), 1))
	for range 3000 {
		script := randomScript(rng)
		var o order
		var out []place
		added, late := 0, 0
		take := func(ready []stream.Delivery, n int) {
			late += n
			for _, d := range ready {
				out = append(out, placeOf(d))
			}
		}
		for _, p := range script {
			added++
			take(o.add(p.delivery(), rng.IntN(4) > 0))
			require.LessOrEqual(t, len(o.held), maxHeld)
			require.Equal(t, added, len(out)+late+len(o.held), "%v became %v", script, out)
			if rng.IntN(20) == 0 {
				take(o.release(), 0)
				require.Empty(t, o.held)
			}
		}
		take(o.release(), 0)
		require.Equal(t, added, len(out)+late, "%v became %v", script, out)
		requireOrdered(t, script, out)
	}
}

// randomScript interleaves what a few sources send of the same blocks, some of which have two attempts, each
// message from the first source that has not lost it.
func randomScript(rng *rand.Rand) (script []place) {
	var all []place
	attempt := byte(0)
	for block := uint64(1); block <= 4; block++ {
		for range 1 + rng.IntN(2) {
			for index := range uint64(1 + rng.IntN(5)) {
				all = append(all, place{attempt, block, index})
			}
			attempt++
		}
	}
	sources := make([][]place, 1+rng.IntN(3))
	for i := range sources {
		sources[i] = slices.DeleteFunc(slices.Clone(all), func(place) bool { return rng.IntN(4) == 0 })
	}
	seen := make(map[place]bool)
	for {
		sources = slices.DeleteFunc(sources, func(s []place) bool { return len(s) == 0 })
		if len(sources) == 0 {
			return script
		}
		i := rng.IntN(len(sources))
		p := sources[i][0]
		sources[i] = sources[i][1:]
		if !seen[p] {
			script = append(script, p)
		}
		seen[p] = true
	}
}

// requireOrdered checks the order of what came out.
func requireOrdered(t *testing.T, script, out []place) {
	t.Helper()
	left := make(map[byte]bool)
	for i := 1; i < len(out); i++ {
		before, now := out[i-1], out[i]
		if before.attempt == now.attempt {
			require.Less(t, before.index, now.index, "%v became %v", script, out)
			continue
		}
		left[before.attempt] = true
		require.False(t, left[now.attempt], "back to %v: %v became %v", now, script, out)
		require.True(t, now.index == 0 || now.block >= before.block, "down to %v: %v became %v", now, script, out)
	}
}

// TestOrderLosesNothingThatSomebodyBrings: within a block, whatever the order in which its messages come,
// all of them come out in order, as long as there is somebody to wait for.
func TestOrderLosesNothingThatSomebodyBrings(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(testseed.New(t), 2))
	var o order
	var got, want []place
	for block := uint64(1); block <= 500; block++ {
		messages := make([]place, 1+rng.IntN(12))
		for i := range messages {
			messages[i] = place{byte(block), block, uint64(i)}
			want = append(want, messages[i])
		}
		// The first block shows where the stream begins.
		if block > 1 {
			rng.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
		}
		for _, m := range messages {
			ready, late := o.add(m.delivery(), true)
			require.Zero(t, late)
			for _, d := range ready {
				got = append(got, placeOf(d))
			}
		}
	}
	require.Equal(t, want, got)
}
