// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package compare

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	gethminer "github.com/ethereum/go-ethereum/miner"

	fleth "github.com/ethereum/go-ethereum/flashgeth/eth"
	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
	"github.com/ethereum/go-ethereum/flashgeth/eth/pending"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testhub"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// interval of the flashblocks: five per block of 2 s, and index 0.
const interval = 400 * time.Millisecond

// staleAfter is when pending falls back to latest: never, however long the test takes between two
// flashblocks, as its time stands still.
const staleAfter = time.Hour

// subject is a node whose answers are compared.
type subject struct {
	*ethNode
	behind []*engine.ExecutionPayloadEnvelope // blocks that it has not been told of yet
	filter *followed                          // nil if none is polled
}

// network is a builder on a clock that the test moves, with followers of its real stream. Nothing in it
// waits for time to pass, except for connections that are made again.
type network struct {
	t          testing.TB
	rng        *rand.Rand
	chain      *testchain.Chain // makes attributes and transactions; a chain of its own beside the others
	mix        *testchain.Mix
	deployment []*types.Transaction // what the mix needs
	builder    *miner.Builder
	clock      *mclock.Simulated
	said       chan *flashblocks.Flashblock
	cutter     *teststream.Cutter
	judge      *judge

	sequencer *subject
	followers []*subject
	world     world

	txs []common.Hash // published of the block under construction
}

// tee publishes on a hub and tells the test.
type tee struct {
	*stream.Hub
	said chan<- *flashblocks.Flashblock
}

// Publish implements miner.Publisher.
func (p tee) Publish(m stream.Message) {
	p.Hub.Publish(m)
	if m.V1 == nil {
		return
	}
	if fb, _, err := flashblocks.Decode(m.V1, flashblocks.Limits{}); err == nil {
		p.said <- fb // what cannot be decoded is missed by the test
	}
}

// newNetwork starts everything.
func newNetwork(t testing.TB, seed, gasLimit uint64) *network {
	t.Helper()
	n := &network{
		t: t, rng: rand.New(rand.NewPCG(seed, seed)),
		clock: new(mclock.Simulated), said: make(chan *flashblocks.Flashblock, 64),
		chain: testchain.New(t, testchain.Config{Fork: testchain.Jovian, GasLimit: gasLimit}),
	}
	n.mix, n.deployment = testchain.NewMix(n.chain, int64(seed))
	genesis := n.chain.Genesis
	n.judge = newJudge(t, genesis)
	url := n.startBuilder(genesis)
	n.cutter = teststream.NewCutter(t, url)
	n.followers = []*subject{newFollower(t, "follower", genesis, url), newFollower(t, "cut follower", genesis, n.cutter.URL())}
	n.world = mixWorld(n.chain)
	return n
}

// startBuilder makes the sequencer's node and returns the address of its stream.
func (n *network) startBuilder(genesis *core.Genesis) string {
	n.t.Helper()
	feed := testhub.New(n.t, stream.HubConfig{})
	node := newNode(n.t, "builder", genesis)
	require.NoError(n.t, catalyst.Register(node.stack, node.eth))
	processor, err := overlay.New(overlay.Config{Chain: node.eth.BlockChain(), StaleAfter: staleAfter})
	require.NoError(n.t, err)
	_, err = pending.Register(node.stack, node.eth, pending.Config{Source: processor, Eth: &node.config, GraphQL: true})
	require.NoError(n.t, err)
	require.NoError(n.t, processor.Start(context.Background()))
	n.t.Cleanup(func() { require.NoError(n.t, processor.Stop()) })
	node.start()
	n.sequencer = &subject{ethNode: node}

	cfg := miner.Config{Flashblocks: params.DefaultFlashblocks, Clock: n.clock}
	cfg.Enabled, cfg.Interval = true, interval
	cfg.Now = func() time.Time { return time.Unix(int64(node.eth.BlockChain().CurrentBlock().Time), 0) }
	cfg.OnFlashblock = func(built miner.Built) { processor.DeliverBuilt(built) }
	n.builder, err = miner.New(node.eth, cfg, tee{feed.Hub, n.said})
	require.NoError(n.t, err)
	require.NoError(n.t, n.builder.Start(context.Background()))
	n.t.Cleanup(func() { require.NoError(n.t, n.builder.Stop()) })
	chain := node.eth.BlockChain()
	chain.SetBlockValidatorAndProcessorForTesting(chain.Validator(), n.builder.Processor(chain.Processor()))
	return feed.URL("")
}

// newFollower starts a node that follows a stream as flashgeth does.
func newFollower(t testing.TB, name string, genesis *core.Genesis, url string) *subject {
	t.Helper()
	node := newNode(t, name, genesis)
	cfg := fleth.Config{Flashblocks: params.DefaultFlashblocks, Eth: &node.config, GraphQL: true}
	cfg.URLs, cfg.StaleAfter = []string{url}, staleAfter
	_, err := fleth.Register(node.stack, node.eth, cfg)
	require.NoError(t, err)
	node.start()
	return &subject{ethNode: node}
}

// subjects are all nodes whose answers are compared.
func (n *network) subjects() []*subject { return append([]*subject{n.sequencer}, n.followers...) }

// mixWorld is what the mix changes.
func mixWorld(c *testchain.Chain) world {
	from := c.Addrs[7]
	storage := object{"from": from, "to": testchain.StorageAddr}
	storage["data"] = "0x" + common.Bytes2Hex(testchain.Words(2, 7))
	return world{
		idle:  append(c.Addrs[5:8:8], testchain.FeeVault, testchain.FactoryAddr, testchain.SuicidalAddr, crypto.CreateAddress(c.Addrs[0], 0), crypto.CreateAddress(c.Addrs[0], 1)),
		busy:  c.Addrs[:5],
		codes: append(c.Addrs[5:8:8], testchain.SuicidalAddr, crypto.CreateAddress(testchain.FactoryAddr, 1)),
		slots: map[common.Address][]common.Hash{
			testchain.StorageAddr: {{31: 1}, {31: 2}, {31: 0}, {31: 3}, {31: 4}},
			c.Addrs[6]:            {{31: 1}, {31: 2}},
		},
		reads: []object{{"from": from, "to": c.Addrs[5], "data": "0x" + common.Bytes2Hex(testchain.Words(1, 1))}},
		writes: []object{
			storage,
			{"from": from, "to": testchain.LoggerAddr},
			{"from": from, "to": testchain.FactoryAddr},
		},
		failing: []object{{"from": from, "to": testchain.ReverterAddr}},
		logger:  testchain.LoggerAddr,
	}
}

// await moves the clock until the builder publishes.
func (n *network) await() *flashblocks.Flashblock {
	n.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Microsecond)
	defer tick.Stop()
	for {
		select {
		case fb := <-n.said:
			for _, raw := range fb.Diff.Transactions {
				n.txs = append(n.txs, crypto.Keccak256Hash(raw))
			}
			return fb
		case <-tick.C:
			if n.clock.ActiveTimers() > 0 {
				n.clock.Run(interval / 8)
			}
		case <-deadline.C:
			require.FailNow(n.t, "the builder publishes nothing")
			return nil
		}
	}
}

// begin starts to build on the sequencer's head and returns index 0. What was under construction is
// abandoned.
func (n *network) begin() (*gethminer.BuildPayloadArgs, *flashblocks.Flashblock) {
	n.t.Helper()
	args := n.chain.Attributes(n.sequencer.eth.BlockChain().CurrentBlock(), n.mix.Deposits()...)
	overEngine(n.t, args)
	args.Random = common.Hash{byte(n.rng.Uint32()), byte(n.rng.Uint32())}
	_, err := n.builder.BuildPayload(args, miner.Options{})
	require.NoError(n.t, err)
	n.txs = nil
	fb := n.await()
	require.Zero(n.t, fb.Index)
	return args, fb
}

// overEngine makes the transactions of attributes what they are when they come over the Engine API.
func overEngine(t testing.TB, args *gethminer.BuildPayloadArgs) {
	t.Helper()
	for i, tx := range args.Transactions {
		raw, err := tx.MarshalBinary()
		require.NoError(t, err)
		args.Transactions[i] = new(types.Transaction)
		require.NoError(t, args.Transactions[i].UnmarshalBinary(raw))
	}
}

// send puts transactions into the builder's pool.
func (n *network) send(count int) {
	n.t.Helper()
	txs := n.mix.Txs(count)
	n.chain.Send(txs...)
	for _, err := range n.sequencer.eth.TxPool().Add(txs, true) {
		require.NoError(n.t, err)
	}
}

// seal makes the block under construction canonical at the builder and the judge.
func (n *network) seal(id engine.PayloadID, args *gethminer.BuildPayloadArgs) {
	n.t.Helper()
	env, err := n.builder.GetPayload(id)
	require.NoError(n.t, err)
	n.chain.Insert(n.chain.Block(env, args))
	env = overTheWire(n.t, env, args.BeaconRoot)
	n.sequencer.insert(env)
	require.NoError(n.t, n.sequencer.eth.TxPool().Sync())
	n.builder.NewHead(env.ExecutionPayload.BlockHash)
	for _, f := range n.followers {
		f.behind = append(f.behind, env)
	}
	n.judge.insert(env)
	n.judge.canonical(env.ExecutionPayload.Number, id)
}

// catchUp tells a follower of every block.
func (s *subject) catchUp() {
	for _, env := range s.behind {
		s.insert(env)
	}
	s.behind = nil
}

// record asks every node about everything at a flashblock.
func (n *network) record(fb *flashblocks.Flashblock) {
	n.t.Helper()
	var asked []common.Hash
	if len(n.txs) > 0 {
		asked = []common.Hash{n.txs[len(n.txs)-1], n.txs[n.rng.IntN(len(n.txs))]}
	}
	graph := n.rng.IntN(3) == 0
	var wg sync.WaitGroup
	for _, s := range n.subjects() {
		wg.Go(func() {
			questions := n.world.questions(asked)
			if s == n.sequencer { // its pool holds more
				questions = slices.DeleteFunc(questions, func(q question) bool { return q.kind == ofNonce })
			}
			r := s.record(fb, questions)
			if r == nil {
				return
			}
			if r.txs = len(n.txs); graph {
				r.graph = s.graph("pending")
			}
			n.judge.keep(r)
			if s.filter != nil {
				s.pollFilter(n.t.Context())
			}
		})
	}
	wg.Wait()
	require.False(n.t, n.t.Failed())
}

// record asks a node about everything once it is at a flashblock. It returns nil, and has failed the test,
// if the node never gets there.
func (s *subject) record(fb *flashblocks.Flashblock, questions []question) *recording {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for {
		var at *position
		if err := s.client.CallContext(ctx, &at, "flashblocks_getPosition"); err != nil {
			s.t.Errorf("%s at block %d, index %d: %v", s.name, fb.Metadata.BlockNumber, fb.Index, err)
			return nil
		}
		if at != nil && at.ID == fb.PayloadID && uint64(at.Index) == fb.Index {
			break
		}
		select {
		case <-ctx.Done():
			s.t.Errorf("%s never came to block %d, index %d, id %v: it is at %+v", s.name, fb.Metadata.BlockNumber, fb.Index, fb.PayloadID, at)
			return nil
		case <-tick.C:
		}
	}
	r, err := ask(ctx, s.client, questions)
	if err != nil || r == nil {
		s.t.Errorf("%s moved from block %d, index %d without a flashblock: %v", s.name, fb.Metadata.BlockNumber, fb.Index, err)
		return nil
	}
	r.node = s.name
	return r
}
