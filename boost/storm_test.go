// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// storm is a sidecar whose execution layers answer, fail, lie and hang at random.
type storm struct {
	*rig

	mu    sync.Mutex
	rng   *rand.Rand
	given map[engine.PayloadID]string      // id to the one block returned for it
	of    map[common.Hash]engine.PayloadID // and back
}

func (s *storm) roll(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.IntN(n)
}

func newStorm(t *testing.T, seed uint64) *storm {
	t.Helper()
	s := &storm{
		rng:   rand.New(rand.NewPCG(seed, 7)),
		given: make(map[engine.PayloadID]string), of: make(map[common.Hash]engine.PayloadID),
	}
	s.rig = newRig(t, func(c *Config) {
		c.RescueAfter, c.Budget = time.Millisecond, 20*time.Millisecond
		c.ExternalStateRoot = seed%3 == 0
	})
	s.arm(s.builder, builderBase, 4)
	s.arm(s.l2, localBase, 6)
	return s
}

const (
	localBase   = 0x10
	builderBase = 0x20
	rebuiltBase = 0x30
	stormIDs    = 3
)

func stormID(base, slot int) engine.PayloadID { return engine.PayloadID{0x03, 7: byte(base + slot)} }

// slotOf is the slot of an id or of attributes: what tells them apart is the slot alone.
func slotOf(req *jsonrpc.Request) int {
	text := string(req.Params)
	for slot := range stormIDs {
		for _, base := range []int{localBase, builderBase, rebuiltBase} {
			if strings.Contains(text, stormID(base, slot).String()) {
				return slot
			}
		}
		if strings.Contains(text, fmt.Sprintf(`"slot":%d`, slot)) {
			return slot
		}
	}
	return 0
}

// arm makes an execution layer fail once in so many calls, in one of several ways.
func (s *storm) arm(el *eltest.Layer, base, once int) {
	fault := func(ctx context.Context) error {
		switch s.roll(3 * once) {
		case 0:
			return eltest.ErrInjected
		case 1:
			return &jsonrpc.Error{Code: -38001, Message: "Unknown payload"}
		case 2:
			ctx, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
			defer cancel()
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	el.On(engineapi.ForkchoiceUpdated, eltest.Handler(func(ctx context.Context, req *jsonrpc.Request) (any, error) {
		if err := fault(ctx); err != nil || !eltest.HasAttributes(req) {
			return eltest.Forkchoice(engine.VALID, nil), err
		}
		id := stormID(base, slotOf(req))
		if eltest.IsRebuild(req) {
			id = stormID(rebuiltBase, slotOf(req))
		}
		return eltest.Forkchoice(engine.VALID, &id), nil
	}))
	el.On(engineapi.NewPayload, eltest.Handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
		if s.roll(3*once) == 0 {
			return eltest.PayloadStatus(engine.INVALID), nil
		}
		return eltest.PayloadStatus(engine.VALID), fault(ctx)
	}))
	el.On(engineapi.GetPayload, eltest.Handler(func(ctx context.Context, req *jsonrpc.Request) (any, error) {
		slot, count := slotOf(req), 1
		switch {
		case strings.Contains(string(req.Params), stormID(rebuiltBase, slot).String()):
			count = 1 + s.roll(4) // it need not be what was asked for
		case base == builderBase:
			count = 1 + s.roll(4)
		}
		return s.block(slot, count), fault(ctx)
	}))
}

// block is the block of so many transactions in a slot.
func (s *storm) block(slot, count int) json.RawMessage {
	return eltest.Envelope(eltest.Flashblocks(eltest.BuilderID, count, false), func(d *engine.ExecutableData) {
		d.BlockHash = common.Hash{byte(slot), byte(count)}
	})
}

// ask calls engine_getPayload and holds the answer against every one before.
func (s *storm) ask(slot int) {
	id := stormID(localBase, slot)
	if s.rounds.Lookup(id) == nil {
		return // nobody could know the id
	}
	resp := s.call("engine_getPayloadV4", id)
	if resp.Error != nil {
		return
	}
	hash := eltest.HashOf(resp.Result)
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, ok := s.given[id]; ok && before != string(resp.Result) {
		s.t.Errorf("two answers for the id %s, the second is %s", id, hash)
	}
	s.given[id] = string(resp.Result)
	if other, ok := s.of[hash]; ok && other != id {
		s.t.Errorf("the block %s for the ids %s and %s", hash, id, other)
	}
	s.of[hash] = id
}

func (s *storm) step() {
	slot := s.roll(stormIDs)
	switch s.roll(8) {
	case 0, 1:
		s.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, func(a map[string]any) { a["slot"] = slot })...)
	case 2, 3, 4:
		list := eltest.Flashblocks(stormID(builderBase, slot), 3, false)
		s.deliver(list[:1+s.roll(3)])
	case 5:
		s.modes.SetMode([]params.ExecutionMode{params.ModeEnabled, params.ModeEnabled, params.ModeDryRun, params.ModeDisabled}[s.roll(4)])
	case 6:
		s.ask(slot)
	default:
		if s.roll(4) == 0 {
			s.call("engine_forkchoiceUpdatedV3", eltest.State([]common.Hash{eltest.Parent, {0xaa}}[s.roll(2)]), nil)
		}
	}
}

// kept checks, when everything is over, that what was published in a slot is in its block or was told to be void.
func (s *storm) kept() {
	s.call("engine_forkchoiceUpdatedV3", eltest.State(common.Hash{0xbb}), nil) // what is still open is void now
	published, outcome := make(map[engine.PayloadID]int), make(map[engine.PayloadID]string)
	for _, m := range s.rounds.Messages() {
		if m.V1 == nil {
			require.Empty(s.t, outcome[m.PayloadID])
			outcome[m.PayloadID] = string(m.V0())
			continue
		}
		require.EqualValues(s.t, published[m.PayloadID], m.Index)
		published[m.PayloadID]++
	}
	for id, count := range published {
		told := outcome[id]
		require.NotEmpty(s.t, told, "an outcome for everything that was published")
		if strings.Contains(told, `"reorg":true`) {
			continue
		}
		text, ok := s.given[stormID(localBase, int(id[7])-builderBase)]
		require.True(s.t, ok)
		block, err := round.ParsePayload(json.RawMessage(text))
		require.NoError(s.t, err)
		require.GreaterOrEqual(s.t, len(block.Transactions), count, "every published flashblock is in the block")
	}
}

// Whatever the execution layers do, in whatever order and at once: one answer for one id, one id for one block, and
// every flashblock that was published is in the block or told to be void.
func TestStorm(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := newStorm(t, seed)
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					for range 25 {
						s.step()
					}
				})
			}
			wg.Wait()
			s.kept()
		})
	}
}
