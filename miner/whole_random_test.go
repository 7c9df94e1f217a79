// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// Longer runs: FLASHGETH_SEED=random go test ./miner -run RandomForms -forms.rounds 5000
var formsRounds = flag.Int("forms.rounds", 25, "rounds of payloads of every form")

// asked is a payload that a test has asked for.
type asked struct {
	id     engine.PayloadID
	args   *gethminer.BuildPayloadArgs
	answer *engine.ExecutionPayloadEnvelope // the first
}

// formsTest asks for payloads of every form, at the same time and again, and fetches them in between.
type formsTest struct {
	*harness
	plain *core.BlockChain

	mu    sync.Mutex
	salt  uint64
	byID  map[engine.PayloadID]*asked
	count int
}

// build asks for a new payload, or again for one of before.
func (f *formsTest) build(rng *rand.Rand, parent common.Hash) {
	f.mu.Lock()
	f.salt++
	args := f.attributes(f.chain.GetHeaderByHash(parent), f.Mark(f.salt))
	binary.BigEndian.PutUint64(args.Random[:], f.salt)
	args.NoTxPool = rng.IntN(3) == 0
	if rng.IntN(4) == 0 { // in no order, so of any
		for _, before := range f.byID {
			if before.args.Parent == parent {
				args = before.args
			}
			break
		}
	}
	f.mu.Unlock()
	id, err := f.builder.BuildPayload(args, Options{
		Whole: rng.IntN(3) == 0, Witness: rng.IntN(8) == 0, Interval: time.Duration(5+rng.IntN(100)) * msec,
	})
	if err != nil {
		f.t.Errorf("attributes were refused: %v", err)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byID[id] == nil {
		f.byID[id] = &asked{id: id, args: args}
	}
}

// get fetches a payload and compares it with what was fetched before.
func (f *formsTest) get(p *asked) {
	envelope, err := f.builder.GetPayload(p.id)
	if err != nil {
		if f.builder.Has(p.id) {
			f.t.Errorf("payload %v: %v", p.id, err)
		}
		return // forgotten: the builder keeps ten
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.answer == nil {
		p.answer = envelope
		f.count++
	}
	if p.answer.ExecutionPayload.BlockHash != envelope.ExecutionPayload.BlockHash {
		f.t.Errorf("payload %v has changed", p.id)
	}
}

// act does one thing that a consensus client may do.
func (f *formsTest) act(rng *rand.Rand, parent common.Hash) {
	if rng.IntN(3) > 0 {
		f.build(rng, parent)
		return
	}
	if rng.IntN(12) == 0 {
		f.builder.NewHead(common.Hash{0xff})
		return
	}
	f.mu.Lock()
	var p *asked
	for _, p = range f.byID {
		break
	}
	f.mu.Unlock()
	if p != nil {
		f.get(p)
	}
}

// settle checks every payload that was fetched, lets a plain op-geth judge its block, and makes one the head.
func (f *formsTest) settle() {
	f.t.Helper()
	var head *asked
	for _, p := range f.byID {
		if p.answer == nil {
			continue
		}
		if published := f.stream.flashblocks(f.t, p.id); len(published) > 0 {
			require.False(f.t, p.args.NoTxPool, "a payload without the pool was published")
			require.Nil(f.t, p.answer.Witness)
			f.requirePublished(p.id, p.answer)
		}
		_, err := f.plain.InsertBlockWithoutSetHead(f.t.Context(), f.toBlock(p.answer, p.args), false)
		require.NoError(f.t, err)
		head = p
	}
	if head != nil {
		block := f.insert(head.answer, head.args)
		_, err := f.plain.SetCanonical(block)
		require.NoError(f.t, err)
	}
	f.byID = make(map[engine.PayloadID]*asked)
	f.stream.reset()
}

// Payloads of every form, asked for and fetched from several sides at once: each has one block, a plain op-geth
// imports it, what was published of it is what it holds, and nothing is published of what is not streamed.
func TestRandomForms(t *testing.T) {
	t.Parallel()
	seed := testseed.New(t)
	const callers, calls = 3, 6
	for _, fork := range []fork{bedrock, ecotone, jovian} {
		t.Run(fork.String(), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, harnessConfig{fork: fork, gasLimit: 3_000_000, builder: func(c *Config) { c.Recommit = 20 * msec }})
			now := time.Now()
			f := &formsTest{harness: h, plain: h.newChain(), byID: make(map[engine.PayloadID]*asked)}
			h.builder.config.Now = func() time.Time { // every slot has just begun
				return time.Unix(int64(h.chain.CurrentBlock().Time), 0).Add(time.Since(now) % (100 * msec))
			}
			rng := rand.New(rand.NewPCG(seed, uint64(fork)))
			for range *formsRounds {
				for i := range rng.IntN(len(h.keys)) {
					h.txpool.Add([]*types.Transaction{h.transfer(i, h.txpool.PoolNonce(h.addrs[i]), 1+rng.Uint64N(100))}, true)
				}
				parent := h.chain.CurrentBlock().Hash()
				var wg sync.WaitGroup
				for caller := range callers {
					own := rand.New(rand.NewPCG(rng.Uint64(), uint64(caller)))
					wg.Go(func() {
						for range calls {
							f.act(own, parent)
						}
					})
				}
				wg.Wait()
				for _, p := range f.byID {
					f.get(p)
				}
				f.settle()
			}
			require.Greater(t, f.count, *formsRounds)
			t.Logf("%d blocks", f.count)
		})
	}
}
