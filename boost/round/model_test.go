// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// The ids, heads and indices of the model are few, so that every collision happens.
const (
	modelLocals   = 4
	modelBuilders = 4
	modelIndices  = 4
	modelSteps    = 60
)

var modelHeads = []common.Hash{testParent, common.HexToHash("0x12")}

// model drives a store with calls in a random order, and knows what must hold whatever the order is.
type model struct {
	*harness
	rng        *rand.Rand
	requests   [2]*Request
	deliveries [2][modelBuilders][modelIndices]stream.Delivery // of two blocks under each id
	restarts   bool                                            // the builder may change from one to the other
	block      [modelBuilders]int                              // of the two, the one it builds

	begun  []*Round // every token, twins included
	frozen map[*Round]*Prefix
	kept   map[*Round]bool // returned as the builder's block
}

func newModel(t testing.TB, seed uint64) *model {
	t.Helper()
	m := &model{
		harness: newHarness(t, Config{Keep: 4, MaxEarly: 2}), rng: rand.New(rand.NewPCG(seed, 1)),
		frozen: make(map[*Round]*Prefix), kept: make(map[*Round]bool),
	}
	for i, head := range modelHeads {
		params := testParams()
		params[0] = json.RawMessage(strings.ReplaceAll(string(params[0]), testParent.Hex(), head.Hex()))
		req, err := ParseRequest("engine_forkchoiceUpdatedV3", params)
		require.NoError(t, err)
		m.requests[i] = req
	}
	for b := range byte(modelBuilders) {
		for k := range uint64(modelIndices) {
			fb := flashblock(b, k)
			if k == 0 {
				fb.Base.ParentHash = modelHeads[b%2]
			}
			m.deliveries[0][b][k] = delivery(t, fb.AppendJSON(nil))
			fb.Diff.GasUsed++
			m.deliveries[1][b][k] = delivery(t, fb.AppendJSON(nil))
		}
	}
	return m
}

func (m *model) pick() *Round {
	if len(m.begun) == 0 {
		return m.begin()
	}
	return m.begun[max(0, len(m.begun)-1-m.rng.IntN(4))]
}

func (m *model) begin() *Round {
	which := m.rng.IntN(2)
	if m.rng.IntN(8) > 0 {
		m.store.Head(modelHeads[which])
	}
	r := m.store.Begin(m.requests[which])
	m.begun = append(m.begun, r)
	return r
}

// step makes one random call.
func (m *model) step() {
	switch m.rng.IntN(15) {
	case 0, 1:
		m.begin()
	case 2, 3:
		// A local id belongs to one head, as it does at every execution layer.
		r := m.pick()
		local := byte(m.rng.IntN(modelLocals/2)) * 2
		if r.req.Head != modelHeads[0] {
			local++
		}
		r.BindLocal(id(100 + local))
	case 4, 5:
		m.pick().BindBuilder(id(byte(m.rng.IntN(modelBuilders))))
	case 6, 7, 8, 9:
		b := m.rng.IntN(modelBuilders)
		for k := range m.rng.IntN(modelIndices) + 1 {
			m.store.Add(m.deliveries[m.block[b]][b][k])
		}
	case 10:
		b := m.rng.IntN(modelBuilders)
		m.store.Add(m.deliveries[m.block[b]][b][m.rng.IntN(modelIndices)])
	case 11:
		m.getPayload()
	case 12:
		m.muted.Store(m.rng.IntN(2) == 0)
	case 13:
		if m.restarts { // and streams its block from the beginning
			b := m.rng.IntN(modelBuilders)
			m.block[b] = 1 - m.block[b]
			m.store.Add(m.deliveries[m.block[b]][b][0])
		}
	default:
		switch m.rng.IntN(3) {
		case 0:
			m.store.Head(modelHeads[m.rng.IntN(2)])
		case 1:
			m.pick().FailLocal("injected")
		default:
			m.pick().FailBuilder(errors.New("injected"))
		}
	}
}

// getPayload asks for a block as the sidecar does, with any outcome.
func (m *model) getPayload() {
	r := m.store.Lookup(id(100 + byte(m.rng.IntN(modelLocals))))
	if r == nil {
		return
	}
	p := r.Freeze()
	if before := m.frozen[r]; before != nil {
		require.Same(m.t, before, p, "one answer for one id")
	}
	m.frozen[r] = p
	require.GreaterOrEqual(m.t, p.Count(), p.Published())
	if m.rng.IntN(2) == 0 { // something happens meanwhile
		m.step()
	}
	switch m.rng.IntN(3) {
	case 0:
		r.Keep(Sealed{})
		m.kept[r] = true
	case 1:
		r.Discard(ReasonInvalid)
	default:
		r.Release()
	}
}

// check compares what subscribers saw with what became of it.
func (m *model) check() {
	next, owners := make(map[string]uint64), make(map[string]*Round)
	for _, r := range m.begun {
		if r.published == 0 {
			continue
		}
		key := r.builder.String()
		require.Nil(m.t, owners[key], "a builder's block is published for one local id")
		owners[key] = r
		require.Nil(m.t, r.twin)
	}
	notices, second := make(map[string][]string), make(map[string]int)
	for _, out := range m.out {
		key := out.PayloadID.String()
		if out.V1 == nil {
			require.NotNil(m.t, owners[key], "nothing is told of what nobody saw")
			notices[key] = append(notices[key], string(out.V0()))
			continue
		}
		require.Empty(m.t, notices[key], "nothing follows the outcome")
		require.Equal(m.t, next[key], out.Index, "in order, without gaps, once")
		if next[key] == 0 && string(out.V1) == string(m.deliveries[1][out.PayloadID[7]][0].JSON) {
			second[key] = 1
		}
		require.Equal(m.t, string(m.deliveries[second[key]][out.PayloadID[7]][out.Index].JSON), string(out.V1), "of one block")
		next[key]++
	}
	live := 0
	for key, r := range owners {
		require.Equal(m.t, next[key], uint64(r.published))
		require.Equal(m.t, modelHeads[r.builder[7]%2], r.req.Head, "only what was asked for")
		if p := r.frozen; p != nil {
			require.Equal(m.t, r.published, p.Published(), "nothing is published that the block does not have")
		}
		told := len(notices[key]) == 1
		require.LessOrEqual(m.t, len(notices[key]), 1)
		open := m.store.byLocal[r.local] == r && !r.superseded
		require.True(m.t, told || open, "what was published is in the block, or told to be void, or the round goes on")
		if told {
			sealed := strings.Contains(notices[key][0], `"sealed":true`)
			require.True(m.t, sealed || strings.Contains(notices[key][0], `"reorg":true`))
			require.True(m.t, !sealed || m.kept[r])
		}
		if r.live() {
			live++
		}
	}
	require.LessOrEqual(m.t, live, 1, "one build at a time")
	m.bounds()
}

func (m *model) bounds() {
	s := m.store
	require.LessOrEqual(m.t, len(s.rounds), 4)
	require.Len(m.t, s.byLocal, len(s.rounds))
	early, bytes, owned := 0, 0, 0
	for key, l := range s.lines.byID {
		require.Equal(m.t, key, l.id)
		if l.owner == nil {
			early++
			bytes += l.bytes
			continue
		}
		owned++
		require.Same(m.t, l, l.owner.line)
		require.Same(m.t, l.owner, s.byLocal[l.owner.local], "no line of a forgotten round")
	}
	require.Equal(m.t, early, s.lines.early)
	require.Equal(m.t, bytes, s.lines.earlyBytes)
	require.LessOrEqual(m.t, early, 3)
	require.LessOrEqual(m.t, owned, 4)
}

// Whatever the order of updates, answers, flashblocks, restarts, questions and modes: what was published is in the
// block that is returned, or is told to be void; in order, once, for one id, and of one block of the builder's.
func TestModelOfAllOrders(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		m := newModel(t, seed)
		m.restarts = seed%2 == 0
		for range modelSteps {
			m.step()
			m.check()
			if t.Failed() {
				return
			}
		}
	}
}

// The same from many goroutines at once.
func TestModelConcurrently(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		m := newModel(t, seed)
		var wg sync.WaitGroup
		for worker := range uint64(4) {
			mine := &model{
				harness: m.harness, requests: m.requests, deliveries: m.deliveries,
				rng:    rand.New(rand.NewPCG(seed, worker)),
				frozen: make(map[*Round]*Prefix), kept: make(map[*Round]bool),
			}
			wg.Go(func() {
				for range modelSteps {
					mine.step()
				}
				m.mu.Lock()
				defer m.mu.Unlock()
				m.begun = append(m.begun, mine.begun...)
				for r := range mine.kept {
					m.kept[r] = true
				}
			})
		}
		wg.Wait()
		m.check()
	}
}
