// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"
)

// testClock is a simulated clock that tells when a timer is set, so that a driver can wait until the
// builder waits.
type testClock struct {
	mclock.Simulated
	armed chan struct{} // holds one token after a timer was set
}

// NewTimer implements mclock.Clock.
func (c *testClock) NewTimer(d time.Duration) mclock.ChanTimer {
	timer := c.Simulated.NewTimer(d)
	select {
	case c.armed <- struct{}{}:
	default:
	}
	return timer
}

// payload is one that was asked for.
type payload struct {
	id    engine.PayloadID
	args  *gethminer.BuildPayloadArgs
	job   *job
	roots bool // real roots are published
}

// driver plays the consensus client, the users and everything else that can happen to a builder.
type driver struct {
	*harness
	journal *journal
	plain   *core.BlockChain // imports every block by execution
	config  Config
	clock   mclock.Clock
	virtual *testClock // the clock, nil in real time
	rng     *rand.Rand // of the driving goroutine
	wall    atomic.Int64
	salt    atomic.Uint64
	wg      sync.WaitGroup // actions that run beside the builder

	planMu sync.Mutex
	plan   []trigger
	hits   [moments]int
	cover  map[scenario]int

	mu       sync.Mutex
	interval time.Duration
	parent   *types.Header
	slotEnd  uint64
	round    []*payload // asked for in this round, oldest first
	open     []*payload // not settled yet
	ended    bool       // the builder was stopped

	started, sealed int
}

func newDriver(t testing.TB, f fork, seed uint64, virtual bool, config func(*Config)) *driver {
	t.Helper()
	d := &driver{
		journal: newJournal(),
		clock:   mclock.System{},
		rng:     rand.New(rand.NewPCG(seed, 0x11)),
		cover:   make(map[scenario]int),
	}
	if virtual {
		d.virtual = &testClock{armed: make(chan struct{}, 1)}
		d.clock = d.virtual
	}
	d.harness = newHarness(t, harnessConfig{fork: f, builder: func(c *Config) {
		c.Clock = d.clock
		c.Now = func() time.Time { return time.Unix(0, d.wall.Load()+int64(d.clock.Now())) }
		if config != nil {
			config(c)
		}
		d.config = *c
	}})
	d.plain = d.newChain()
	d.journal.onFlashblock = func() { d.hit(atMessage) }
	d.restart()
	return d
}

// restart stops the builder and continues on the same chain with a fresh one.
func (d *driver) restart() {
	d.t.Helper()
	require.NoError(d.t, d.builder.Stop())
	d.settle(nil)
	builder, err := New(d.harness, d.config, d.journal)
	require.NoError(d.t, err)
	builder.patience = time.Millisecond // a call from the builder's own goroutine waits for itself
	builder.hooks = hooks{
		beforeDeposit: func() { d.hit(atDeposit) },
		beforeTx:      func(*types.Transaction) { d.hit(atTx) },
		beforePublish: func(uint64) { d.hit(atPublish) },
		beforeSeal:    func() { d.hit(atSeal) },
	}
	require.NoError(d.t, builder.Start(context.Background()))
	d.builder = builder
	d.chain.SetBlockValidatorAndProcessorForTesting(core.NewBlockValidator(d.chain.Config(), d.chain), builder.Processor(core.NewStateProcessor(d.chain)))
	d.mu.Lock()
	d.ended = false
	d.mu.Unlock()
}

// attributesOn makes attributes that were never used before.
func (d *driver) attributesOn(parent *types.Header) *gethminer.BuildPayloadArgs {
	salt := d.salt.Add(1)
	args := d.attributes(parent, d.Mark(salt))
	args.Timestamp = max(d.slotEnd, parent.Time+1)
	binary.BigEndian.PutUint64(args.Random[:], salt)
	return args
}

// build asks for a payload, which is one of the round's if its attributes were used before and it is not
// over. It may be called from any goroutine.
func (d *driver) build(args *gethminer.BuildPayloadArgs) *payload {
	d.mu.Lock()
	defer d.mu.Unlock()
	id, err := d.builder.BuildPayload(args, Options{Interval: d.interval})
	if errors.Is(err, ErrStopped) && d.ended {
		return nil
	}
	if err != nil {
		d.t.Errorf("attributes were refused: %v", err)
		return nil
	}
	d.builder.mu.Lock()
	j := d.builder.find(id)
	d.builder.mu.Unlock()
	if j == nil {
		return nil // stopped and forgotten meanwhile
	}
	for i, p := range d.round {
		if p.id == id {
			d.round = append(slices.Delete(d.round, i, i+1), p) // the latest again
			return p
		}
		if _, why, _ := p.job.gate.outcome(); p.args == args && why != superseded && why != stopped {
			d.t.Errorf("attributes gave %v while %v was %v", id, p.id, why)
		}
	}
	p := &payload{id: id, args: args, job: j, roots: d.config.PublishRoots}
	d.round = append(d.round, p)
	d.open = append(d.open, p)
	d.started++
	return p
}

// latest is the payload asked for last.
func (d *driver) latest() *payload {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.round[len(d.round)-1]
}

// get fetches a payload and puts the answer into the journal.
func (d *driver) get(p *payload) {
	envelope, err := d.builder.GetPayload(p.id)
	if err == nil {
		d.journal.answered(p.id, envelope)
		return
	}
	d.mu.Lock()
	ended := d.ended
	d.mu.Unlock()
	if !ended {
		assert.NoError(d.t, err, "a slot must not be missed")
	} else {
		assert.ErrorIs(d.t, err, ErrUnknownPayload)
	}
}

// running lists the open payloads whose jobs have not returned.
func (d *driver) running() []*payload {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []*payload
	for _, p := range d.open {
		select {
		case <-p.job.finished:
		default:
			list = append(list, p)
		}
	}
	return list
}

// quiesce waits until every job has returned or waits for the clock. It reports whether one waits.
func (d *driver) quiesce() bool {
	d.t.Helper()
	deadline := time.After(time.Minute)
	for {
		busy := d.running()
		if len(busy) == 0 {
			return false
		}
		if d.virtual.ActiveTimers() >= len(busy) {
			return true
		}
		select {
		case <-d.virtual.armed:
		case <-busy[0].job.finished:
		case <-deadline:
			require.FailNow(d.t, "the builder hangs", "%d jobs run", len(busy))
		}
	}
}

// trade sends some transactions of a few accounts, each continuing its sender's chain of nonces.
func (d *driver) trade() {
	var txs []*types.Transaction
	for range d.rng.IntN(4) {
		var (
			account = d.rng.IntN(len(d.keys))
			nonce   = d.txpool.Nonce(d.addrs[account])
			tip     = 1 + d.rng.Uint64N(1000)
		)
		for range 1 + d.rng.IntN(3) {
			txs = append(txs, d.randomTx(account, nonce, tip))
			nonce++
		}
		d.txpool.Add(txs, true)
		txs = txs[:0]
	}
}

func (d *driver) randomTx(account int, nonce, tip uint64) *types.Transaction {
	switch d.rng.IntN(12) {
	case 0, 1, 2, 3:
		return d.tx(account, nonce, tip, &storageAddr, 60_000, slots(d.rng.Uint64N(50), d.rng.Uint64N(3)))
	case 4:
		return d.tx(account, nonce, tip, &loggerAddr, 60_000, nil)
	case 5:
		return d.tx(account, nonce, tip, &reverterAddr, 60_000, nil)
	case 6:
		return d.tx(account, nonce, tip, &factoryAddr, 200_000, nil)
	case 7:
		if d.rng.IntN(8) == 0 {
			// Loops until its gas is used up: long enough to be interrupted.
			return d.tx(account, nonce, tip, nil, 1_000_000, common.FromHex("5b600056"))
		}
		return d.tx(account, nonce, tip, &suicidalAddr, 60_000, nil)
	default:
		return d.transfer(account, nonce, tip)
	}
}

// choose begins a round on the head or, now and then, beside it.
func (d *driver) choose(interval, remaining time.Duration) {
	head := d.chain.CurrentBlock()
	parent := head
	if head.Number.Uint64() > 2 && d.rng.IntN(12) == 0 {
		parent = d.chain.GetHeaderByHash(head.ParentHash)
	}
	d.begin(parent, interval, remaining)
}

// begin begins a round in which remaining of the slot is left when the attributes come: all of it, less,
// more, or nothing.
func (d *driver) begin(parent *types.Header, interval, remaining time.Duration) {
	head := d.chain.CurrentBlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.parent = parent
	d.interval = interval
	d.slotEnd = head.Time + d.blockSec
	d.round = nil
	d.wall.Store(time.Unix(int64(d.slotEnd), 0).Add(-remaining).UnixNano() - int64(d.clock.Now()))
}

// importBlock imports a fetched block by plain execution.
func (d *driver) importBlock(p *payload, envelope *engine.ExecutionPayloadEnvelope, canonical bool) {
	d.t.Helper()
	block := d.toBlock(envelope, p.args)
	_, err := d.plain.InsertBlockWithoutSetHead(context.Background(), block, false)
	if err != nil {
		// A second try tells a wrong block from a wrong import.
		_, again := d.plain.InsertBlockWithoutSetHead(context.Background(), block, false)
		prefix, why, failure := p.job.gate.outcome()
		require.NoError(d.t, err, "a plain chain refuses the block: again %v, %v, failed with %v, %d indices, plan %v", again, why, failure, prefix.indices, d.plan)
	}
	if !canonical {
		return
	}
	_, err = d.plain.SetCanonical(block)
	require.NoError(d.t, err)
}

// settle verifies every payload that is over. head is made canonical on the plain chain.
func (d *driver) settle(head *payload) {
	d.t.Helper()
	d.builder.mu.Lock()
	live := d.builder.live
	d.builder.mu.Unlock()
	d.mu.Lock()
	open := d.open
	d.open = nil
	d.mu.Unlock()
	for _, p := range open {
		if p.job == live {
			d.mu.Lock()
			d.open = append(d.open, p)
			d.mu.Unlock()
			continue
		}
		if envelope := d.journal.settle(d.t, p); envelope != nil {
			d.sealed++
			d.importBlock(p, envelope, p == head)
		}
	}
}

// advance makes a fetched payload of the round the head, as a consensus client would, and verifies what
// is over.
func (d *driver) advance() {
	d.t.Helper()
	var head *payload
	if d.rng.IntN(10) > 0 {
		for _, p := range d.round {
			if _, answers := d.journal.count(p.id); answers > 0 {
				head = p
			}
		}
	}
	if head != nil {
		envelope, err := d.builder.GetPayload(head.id)
		if err == nil {
			d.insert(envelope, head.args)
		} else {
			require.ErrorIs(d.t, err, ErrUnknownPayload)
			require.True(d.t, d.ended)
			head = nil
		}
	}
	d.settle(head)
	if d.ended {
		d.restart()
	}
}
