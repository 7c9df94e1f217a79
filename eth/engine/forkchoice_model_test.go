// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// Longer runs: FLASHGETH_SEED=random go test ./eth/engine -run ForkchoiceModel -forkchoice.sequences 10000
var forkchoiceSequences = flag.Int("forkchoice.sequences", 120, "random sequences of calls to the Engine API")

// model is what the specification leaves of a node: the blocks that it knows, those it has found invalid, and the
// forkchoice.
type model struct {
	known   map[*treeBlock]bool
	invalid map[*treeBlock]bool
	byHash  map[common.Hash]*treeBlock

	head, safe, final common.Hash
	canonical         *treeBlock // the head
	job               engine.PayloadID
	jobOn             common.Hash
}

// forkchoiceTest sends a node what a consensus client may send, and compares it with the model.
type forkchoiceTest struct {
	*ethtest.Node
	t       testing.TB
	source  *ethtest.Node // makes the blocks
	rng     *rand.Rand
	streams bool
	seq     uint64
	m       *model
	answers map[string]int
	longest time.Duration
}

// remembered is how many invalid blocks op-geth keeps (eth/catalyst, invalidTipsetsCap). Of more it forgets any.
const remembered = 512

// forgotten tells whether an answer is that of a node that has forgotten that a block is invalid.
func (f *forkchoiceTest) forgotten(status string) bool {
	return status == engine.SYNCING && f.answers["newPayload "+engine.INVALID] > remembered
}

// call makes a call and notes how long it took.
func (f *forkchoiceTest) call(method string, params ...any) ethtest.Answer {
	begin := time.Now()
	answer := f.Call(method, params...)
	f.longest = max(f.longest, time.Since(begin))
	return answer
}

// newPayload sends a block.
func (f *forkchoiceTest) newPayload(b *treeBlock) {
	want := engine.VALID
	switch {
	case f.m.known[b]:
	case f.m.invalid[b] || f.m.invalid[b.parent]:
		f.m.invalid[b] = true
		want = engine.INVALID
	case !f.m.known[b.parent]:
		want = engine.SYNCING
	case b.broken:
		f.m.invalid[b] = true
		want = engine.INVALID
	default:
		f.m.known[b] = true
	}
	var status engine.PayloadStatusV1
	answer := f.call("engine_newPayloadV4", b.params...)
	answer.Into(f.t, &status)
	if want == engine.INVALID && f.forgotten(status.Status) {
		delete(f.m.invalid, b)
		return
	}
	require.Equal(f.t, want, status.Status, "newPayload of block %d: %s", b.number, answer.Result)
	f.answers["newPayload "+want]++
}

// hashOf draws a block to name in a forkchoice state.
func (f *forkchoiceTest) hashOf(tree []*treeBlock) common.Hash {
	switch f.rng.IntN(12) {
	case 0:
		return common.Hash{}
	case 1:
		return common.Hash{0xdd, byte(f.rng.IntN(256))}
	default:
		return tree[f.rng.IntN(len(tree))].hash
	}
}

// spoil makes one or two members of good attributes wrong.
func (f *forkchoiceTest) spoil(attrs object, head *treeBlock) object {
	bad := []object{
		{"timestamp": ethtest.HexUint(head.time)},
		{"timestamp": ethtest.HexUint(head.time - uint64(f.rng.IntN(3)))},
		{"gasLimit": nil},
		{"gasLimit": "0x0"},
		{"withdrawals": nil},
		{"withdrawals": []object{{"index": "0x0", "validatorIndex": "0x0", "address": common.Address{}, "amount": "0x1"}}},
		{"parentBeaconBlockRoot": nil},
		{"eip1559Params": nil},
		{"eip1559Params": "0x01"},
		{"eip1559Params": "0x0000000000000006"},
		{"eip1559Params": "0x0000000102000000"},
		{"minBaseFee": nil},
		{"transactions": []string{}},
		{"transactions": []string{"0x00"}},
		{"transactions": []string{"0x7eff"}},
		{"transactions": []string{ethtest.HexBytes(ethtest.Jovian.L1Info(f.seq)), f.foreign()}},
	}
	if f.streams {
		bad = append(bad, object{"flashblocks": 5}, object{"flashblocks": object{"intervalMs": 0}}, object{"flashblocks": object{"interval": 5}})
	}
	for range 1 + f.rng.IntN(2) {
		attrs = attrs.With(bad[f.rng.IntN(len(bad))])
	}
	return attrs
}

// foreign is a transaction whose nonce is wrong.
func (f *forkchoiceTest) foreign() string {
	raw, err := f.Transfer(1 << 20).MarshalBinary()
	require.NoError(f.t, err)
	return ethtest.HexBytes(raw)
}

// update sends a forkchoice state, with good attributes, bad ones or none.
func (f *forkchoiceTest) update(tree []*treeBlock) {
	f.seq++
	state := engine.ForkchoiceStateV1{HeadBlockHash: f.hashOf(tree), SafeBlockHash: f.hashOf(tree), FinalizedBlockHash: f.hashOf(tree)}
	if f.rng.IntN(2) == 0 { // else few would agree with each other
		state.SafeBlockHash, state.FinalizedBlockHash = f.m.safe, f.m.final
	}
	m, head := f.m, f.m.byHash[state.HeadBlockHash]
	parent := tree[0] // for the attributes of a head that is not known
	if head != nil {
		parent = head
	}
	params := []any{state}
	kind := f.rng.IntN(3)
	if kind > 0 {
		attrs := ethtest.Jovian.Attributes(parent.time, f.seq).With(object{"noTxPool": f.rng.IntN(3) == 0})
		if kind == 2 {
			attrs = f.spoil(attrs, parent)
		}
		params = append(params, attrs)
	}
	answer := f.call("engine_forkchoiceUpdatedV3", params...)
	describe := fmt.Sprintf("%v, kind %d, answer %+v", params, kind, answer)

	status := ""
	switch {
	case head == nil && state.HeadBlockHash == (common.Hash{}) || m.invalid[head]:
		status = engine.INVALID
	case head == nil || !m.known[head]:
		status = engine.SYNCING
	}
	if status != "" {
		var res engine.ForkChoiceResponse
		answer.Into(f.t, &res)
		if status == engine.INVALID && head != nil && f.forgotten(res.PayloadStatus.Status) {
			delete(m.invalid, head)
			return
		}
		require.Equal(f.t, status, res.PayloadStatus.Status, describe)
		require.Nil(f.t, res.PayloadID, describe)
		f.answers[status]++
		return
	}
	for _, named := range []common.Hash{state.FinalizedBlockHash, state.SafeBlockHash} {
		if b := m.byHash[named]; named != (common.Hash{}) && (b == nil || !m.known[b] || !head.from(b)) {
			require.Equal(f.t, engine.InvalidForkChoiceState.ErrorCode(), answer.Code, describe)
			f.answers["bad state"]++
			return
		}
	}
	if !m.canonical.from(head) { // else nothing moves
		m.canonical, m.head = head, head.hash
		if m.jobOn != head.hash {
			m.job = engine.PayloadID{}
		}
	}
	if state.SafeBlockHash != (common.Hash{}) {
		m.safe = state.SafeBlockHash
	}
	if state.FinalizedBlockHash != (common.Hash{}) {
		m.final = state.FinalizedBlockHash
	}
	if kind == 2 {
		require.Equal(f.t, engine.InvalidPayloadAttributes.ErrorCode(), answer.Code, describe)
		f.answers["bad attributes"]++
		return
	}
	var res engine.ForkChoiceResponse
	answer.Into(f.t, &res)
	require.Equal(f.t, engine.VALID, res.PayloadStatus.Status, describe)
	require.Equal(f.t, kind == 1, res.PayloadID != nil, describe)
	f.answers[engine.VALID]++
	if kind == 1 {
		f.answers["payload"]++
		if attrs, ok := params[1].(object); ok && attrs["noTxPool"] == true {
			m.jobOn = common.Hash{} // it is complete, and whatever was under construction has ended
		} else {
			m.jobOn = head.hash
		}
		m.job = *res.PayloadID
	}
}

// fetch asks for the payload under construction: nothing that was refused, and nothing that moved nothing, has ended
// it.
func (f *forkchoiceTest) fetch() {
	if f.m.job == (engine.PayloadID{}) {
		return
	}
	answer := f.call("engine_getPayloadV4", f.m.job)
	require.Empty(f.t, answer.Error)
	f.answers["fetched"]++
	f.m.job = engine.PayloadID{}
}

// compare looks at all that the node says of its forkchoice.
func (f *forkchoiceTest) compare() {
	chain := f.Eth.BlockChain()
	require.Equal(f.t, f.m.head, chain.CurrentBlock().Hash(), "head")
	safe, final := common.Hash{}, common.Hash{}
	if header := chain.CurrentSafeBlock(); header != nil {
		safe = header.Hash()
	}
	if header := chain.CurrentFinalBlock(); header != nil {
		final = header.Hash()
	}
	require.Equal(f.t, f.m.safe, safe, "safe")
	require.Equal(f.t, f.m.final, final, "finalized")
}

// sequence is one random tree, sent in a random order between random forkchoice states.
func (f *forkchoiceTest) sequence() {
	tree := f.tree(2 + f.rng.IntN(7))
	f.m.known, f.m.invalid = map[*treeBlock]bool{tree[0]: true}, make(map[*treeBlock]bool)
	f.m.byHash = make(map[common.Hash]*treeBlock)
	for _, b := range tree {
		f.m.byHash[b.hash] = b
	}
	f.m.canonical, f.m.head = tree[0], tree[0].hash
	f.m.safe, f.m.final = tree[0].hash, tree[0].hash
	f.compare()
	for range 12 + f.rng.IntN(12) {
		switch f.rng.IntN(8) {
		case 0, 1, 2:
			f.newPayload(tree[1+f.rng.IntN(len(tree)-1)])
		case 3:
			f.fetch()
		default:
			f.update(tree)
		}
		f.compare()
	}
	f.settle(tree)
}

// settle makes the last block of the tree that can be one the head, safe and final block of both nodes.
func (f *forkchoiceTest) settle(tree []*treeBlock) {
	last := tree[0]
	for _, b := range tree[1:] {
		if !b.broken && b.parent == last {
			last = b
		}
	}
	for _, b := range tree[1:] {
		if last.from(b) && !f.m.known[b] {
			f.newPayload(b)
		}
	}
	state := engine.ForkchoiceStateV1{HeadBlockHash: last.hash, SafeBlockHash: last.hash, FinalizedBlockHash: last.hash}
	for _, n := range []*ethtest.Node{f.source, f.Node} {
		if n == f.Node && f.m.canonical != last && f.m.canonical.from(last) {
			// op-geth goes back on its own chain for no update. A block on top of the older one makes it.
			side := f.block(last, false)
			f.newPayloadOf(side)
			last = side
			state = engine.ForkchoiceStateV1{HeadBlockHash: last.hash, SafeBlockHash: last.hash, FinalizedBlockHash: last.hash}
		}
		for _, to := range []*ethtest.Node{f.source, n} {
			var res engine.ForkChoiceResponse
			to.Call("engine_forkchoiceUpdatedV3", state).Into(f.t, &res)
			require.Equal(f.t, engine.VALID, res.PayloadStatus.Status)
		}
	}
	require.Equal(f.t, f.source.Eth.BlockChain().CurrentBlock().Hash(), f.Eth.BlockChain().CurrentBlock().Hash())
}

// newPayloadOf sends a block that must be valid.
func (f *forkchoiceTest) newPayloadOf(b *treeBlock) {
	var status engine.PayloadStatusV1
	f.call("engine_newPayloadV4", b.params...).Into(f.t, &status)
	require.Equal(f.t, engine.VALID, status.Status)
}

// TestForkchoiceModel sends random trees of blocks in random orders, between forkchoice states with every relation of
// head, safe and finalized block, with good attributes, bad ones or none, to nodes with and without a stream. Each
// answer, and what has moved, is what a small model of the specification says.
func TestForkchoiceModel(t *testing.T) {
	t.Parallel()
	seed := testseed.New(t)
	for i, streams := range []bool{true, false} {
		t.Run(fmt.Sprintf("streams %v", streams), func(t *testing.T) {
			t.Parallel()
			f := &forkchoiceTest{
				t: t, rng: rand.New(rand.NewPCG(seed, uint64(i))), streams: streams, m: new(model), answers: make(map[string]int),
				source: newNode(t, ethtest.Jovian, withMiner),
				Node: newNode(t, ethtest.Jovian, func(t testing.TB, n *ethtest.Node) {
					t.Helper()
					b := newMiner(t, n)
					require.NoError(t, b.Start(t.Context()))
					serveAs(t, n, b, streams)
				}),
			}
			genesis := engine.ForkchoiceStateV1{HeadBlockHash: f.GenesisHash(), SafeBlockHash: f.GenesisHash(), FinalizedBlockHash: f.GenesisHash()}
			f.Call("engine_forkchoiceUpdatedV3", genesis)
			count := *forkchoiceSequences / 2
			for range count {
				f.sequence()
			}
			var told []string
			for kind, n := range f.answers {
				told = append(told, fmt.Sprintf("%s %d", kind, n))
			}
			for _, kind := range []string{"newPayload VALID", "newPayload SYNCING", "newPayload INVALID", engine.VALID, engine.SYNCING, engine.INVALID, "bad state", "bad attributes", "payload", "fetched"} {
				require.Positive(t, f.answers[kind], kind)
			}
			fmt.Fprintf(os.Stderr, "==> %s: %d sequences, 0 differences, longest call %v; %s\n", t.Name(), count, f.longest.Round(time.Millisecond), strings.Join(told, ", "))
		})
	}
}
