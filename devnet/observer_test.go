// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testhub"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

const patience = teststream.Patience

// fakeChain answers eth_getBlockByNumber.
type fakeChain struct {
	mu     sync.Mutex
	blocks []map[string]any // by number
}

// GetBlockByNumber is eth_getBlockByNumber.
func (c *fakeChain) GetBlockByNumber(number string, _ bool) (map[string]any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	index := len(c.blocks) - 1
	if number != "latest" {
		n, err := hexutil.DecodeUint64(number)
		if err != nil {
			return nil, err
		}
		index = int(n)
	}
	if index >= len(c.blocks) {
		return nil, nil
	}
	return c.blocks[index], nil
}

// seal makes the chain end with a block of the given number, the sum of a sealedWith.
func (c *fakeChain) seal(number uint64, hash byte, sealed *sealedBlock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	txs := make([]map[string]any, len(sealed.Txs))
	for i, tx := range sealed.Txs {
		txs[i] = map[string]any{"hash": tx, "type": "0x2"}
	}
	c.blocks = append(c.blocks[:number], map[string]any{
		"number": hexutil.Uint64(number), "hash": common.Hash{hash}, "receiptsRoot": sealed.ReceiptsRoot,
		"gasUsed": hexutil.Uint64(sealed.GasUsed), "transactions": txs,
	})
}

// recorder is a Sink that remembers.
type recorder struct {
	mu      sync.Mutex
	seen    []Flashblock
	settled []Flashblock
	blocks  []Block
}

func (r *recorder) Flashblock(fb Flashblock) { r.with(func() { r.seen = append(r.seen, fb) }) }
func (r *recorder) Settled(fb Flashblock)    { r.with(func() { r.settled = append(r.settled, fb) }) }

func (r *recorder) Block(block Block) { r.with(func() { r.blocks = append(r.blocks, block) }) }

func (r *recorder) with(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// observed is an observer of a fake chain and a real stream.
type observed struct {
	t        *testing.T
	chain    *fakeChain
	stream   *testhub.Builder
	observer *Observer
	sink     *recorder
	summary  func() Summary // stops the observer
}

// newObserved runs an observer until the test ends.
func newObserved(t *testing.T) *observed {
	t.Helper()
	o := &observed{t: t, chain: new(fakeChain), stream: testhub.New(t, stream.HubConfig{}), sink: new(recorder)}
	o.chain.seal(0, 1, new(sealedBlock))

	server := rpc.NewServer()
	require.NoError(t, server.RegisterName("eth", o.chain))
	node := httptest.NewServer(server)

	o.observer = NewObserver(ObserverConfig{
		Stream: o.stream.URL(""), RPC: node.URL,
		BlockTime: 2 * time.Second, Interval: 200 * ms, Sink: o.sink,
	})
	require.NoError(t, o.observer.Start(t.Context()))
	o.summary = sync.OnceValue(func() Summary {
		summary, err := o.observer.Stop()
		require.NoError(t, err)
		return summary
	})
	t.Cleanup(func() {
		o.summary()
		node.Close()
		server.Stop()
	})
	return o
}

// publish sends a flashblock of publish as one of the given block, and waits until it was seen.
func (o *observed) publish(number uint64, fb *flashblocks.Flashblock) {
	o.t.Helper()
	fb.Metadata.BlockNumber = number
	if fb.Base != nil {
		fb.Base.BlockNumber = number
	}
	o.sink.mu.Lock()
	want := len(o.sink.seen) + 1
	o.sink.mu.Unlock()
	o.stream.Publish(fb)
	o.await(strconv.Itoa(want)+" flashblocks seen", func(r *recorder) bool { return len(r.seen) >= want })
}

// await waits for a condition on what was recorded.
func (o *observed) await(what string, condition func(*recorder) bool) {
	o.t.Helper()
	require.Eventually(o.t, func() bool {
		o.sink.mu.Lock()
		defer o.sink.mu.Unlock()
		return condition(o.sink)
	}, patience, 5*ms, what)
}

func (o *observed) awaitBlocks(count int) {
	o.t.Helper()
	o.await(strconv.Itoa(count)+" blocks judged", func(r *recorder) bool { return len(r.blocks) >= count })
}

func TestObserverMatches(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	for number := uint64(1); number <= 3; number++ {
		o.publish(number, publish(byte(number), 0, 'd'))
		o.publish(number, publish(byte(number), 1, 'a', 'b'))
		o.chain.seal(number, byte(number+1), sealedWith(1, 'd', 'a', 'b'))
	}
	o.awaitBlocks(3)
	require.Equal(t, Summary{Blocks: 3, Flashblocks: 6, Txs: 9, Matching: 3}, o.summary())
	for _, fb := range o.sink.settled {
		require.True(t, fb.Sealed)
	}
	require.Len(t, o.sink.settled, 6)
}

func TestObserverFindsADifference(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	o.publish(1, publish(1, 0, 'd'))
	o.chain.seal(1, 2, sealedWith(0, 'd', 'x'))
	o.awaitBlocks(1)
	summary := o.summary()
	require.Equal(t, 1, summary.Differing)
	require.Contains(t, summary.Difference, "1 transactions were published and 2 sealed")
	require.False(t, o.sink.settled[0].Sealed)
}

func TestObserverFollowsAReorganisation(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	o.publish(1, publish(1, 0, 'd'))
	o.chain.seal(1, 2, sealedWith(0, 'd'))
	o.publish(2, publish(2, 0, 'd'))
	o.chain.seal(2, 3, sealedWith(0, 'd'))
	o.awaitBlocks(2)

	// Block 2 is replaced, and then the first one comes back, which is no news.
	o.publish(2, publish(3, 0, 'd'))
	o.publish(2, publish(3, 1, 'z'))
	o.chain.seal(2, 4, sealedWith(1, 'd', 'z'))
	o.awaitBlocks(3)
	o.chain.seal(2, 3, sealedWith(0, 'd'))
	o.publish(3, publish(4, 0, 'd'))
	o.chain.seal(3, 5, sealedWith(0, 'd'))
	o.awaitBlocks(4)
	require.Equal(t, Summary{Blocks: 4, Flashblocks: 5, Txs: 5, Matching: 4}, o.summary())
}

func TestObserverFinishesTheBlockInProgress(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	o.publish(1, publish(1, 0, 'd'))

	finished := make(chan struct{})
	go func() {
		defer close(finished)
		o.observer.Finish(t.Context())
	}()
	require.Eventually(t, func() bool {
		o.observer.mu.Lock()
		defer o.observer.mu.Unlock()
		return o.observer.finishing
	}, patience, ms)
	// Block 2 begins after the decision to finish: it is not waited for, and not reported.
	second := publish(2, 0, 'd')
	second.Metadata.BlockNumber, second.Base.BlockNumber = 2, 2
	o.stream.Publish(second)
	o.chain.seal(1, 2, sealedWith(0, 'd'))
	<-finished
	require.Equal(t, Summary{Blocks: 1, Flashblocks: 1, Txs: 1, Matching: 1}, o.summary())
}
