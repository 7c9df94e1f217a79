// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// killsVariable says how often TestCrashes kills each of its nodes; make robust sets it. Without it some of
// them are killed once.
const killsVariable = "FLASHGETH_KILLS"

const (
	fewKills   = 1
	crashSlot  = 2 * time.Second
	includedIn = 8 // blocks for what was published before a crash to be in one
)

// crashCase is a devnet whose execution layer is killed.
type crashCase struct {
	name   string
	o      options
	opNode bool // is killed together with it
	sample bool // is enough to see what a change has broken
}

func crashCases(blocks int) []crashCase {
	return []crashCase{
		{name: "default", o: options{}, sample: true},
		{name: "path archive", o: options{scheme: "path", gcMode: "archive"}},
		{name: "hash full", o: options{scheme: "hash", gcMode: "full"}},
		{name: "hash archive", o: options{scheme: "hash", gcMode: "archive"}},
		{name: "default, older", o: options{passed: blocks}},
		{name: "hash full, older", o: options{scheme: "hash", gcMode: "full", passed: blocks}, sample: true},
		{name: "default, with op-node", o: options{}, opNode: true, sample: true},
		{name: "default, behind flashboost", o: options{boost: true}, sample: true},
	}
}

// crashFigures are what all crashes of a run come to.
type crashFigures struct {
	mu              sync.Mutex
	up, sealed      []time.Duration // from the kill until the node answers; from then until a new block is the head
	lost, published int             // transactions of users, published in a block that was not sealed
}

// TestCrashes kills the execution layer under the real op-node at random moments, with every way to keep the state. Each time
// it comes back with the head that op-node knows, and op-node goes on by itself.
func TestCrashes(t *testing.T) {
	t.Parallel()
	kills, blocks := fewKills, 300 // more than the path database keeps in memory
	text := os.Getenv(killsVariable)
	if text != "" {
		var err error
		kills, err = strconv.Atoi(text)
		require.NoError(t, err, killsVariable)
		blocks = 1000
	}
	seed := testseed.New(t)
	figures := new(crashFigures)
	t.Cleanup(func() { figures.report(t) })
	for i, c := range crashCases(blocks) {
		if text == "" && !c.sample {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.o.blockTime, c.o.load = crashSlot, 25
			n := boot(t, c.o)
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			n.awaitHeadWithin(uint64(c.o.passed)+3, 10*patience)
			for range kills {
				n.awaitHead(n.head() + 1)
				<-time.After(time.Duration(rng.Int64N(int64(crashSlot))))
				if c.o.boost {
					n.crashBuilder(figures)
				} else {
					n.crash(c.opNode, figures)
				}
			}
		})
	}
}

// crash kills the execution layer, and op-node with it or not, and requires that the chain goes on.
func (n *network) crash(opNode bool, figures *crashFigures) {
	n.t.Helper()
	known, err := n.SyncStatus(n.t.Context())
	require.NoError(n.t, err)
	begin := time.Now()
	n.KillNode()
	n.recorder.AwaitQuiet()
	if opNode {
		n.KillOpNode()
	} else if known, err = n.SyncStatus(n.t.Context()); err != nil { // of now, as it may have been told of a block meanwhile
		require.NoError(n.t, err)
	}
	require.NoError(n.t, n.StartNode(n.t.Context()))
	up := time.Now()
	header, err := n.eth.HeaderByNumber(n.t.Context(), nil)
	require.NoError(n.t, err)
	require.GreaterOrEqual(n.t, header.Number.Uint64(), known.UnsafeL2.Number, "the head is the one that op-node knows")
	kept, err := n.eth.HeaderByHash(n.t.Context(), known.UnsafeL2.Hash)
	require.NoError(n.t, err)
	require.Equal(n.t, known.UnsafeL2.Number, kept.Number.Uint64())
	if opNode {
		require.NoError(n.t, n.StartOpNode(n.t.Context()))
	}
	n.awaitHead(header.Number.Uint64() + 1)
	sealed := time.Now()
	lost, published := n.followUp(header.Number.Uint64())
	n.t.Logf("killed at block %d, back at %d: up after %v, a new block %v later, %d of %d published transactions lost",
		known.UnsafeL2.Number, header.Number, up.Sub(begin).Round(time.Millisecond), sealed.Sub(up).Round(time.Millisecond), lost, published)
	figures.add(up.Sub(begin), sealed.Sub(up), lost, published)
}

// followUp waits for the transactions that were published for blocks above head before the crash, and counts those that no block
// has.
func (n *network) followUp(head uint64) (lost, published int) {
	n.t.Helper()
	var txs []common.Hash
	for number := head + 1; number <= newest(n.recorder); number++ {
		for _, a := range n.recorder.At(number) {
			for _, fb := range a.Flashblocks {
				for _, raw := range fb.Diff.Transactions {
					tx := new(types.Transaction)
					require.NoError(n.t, tx.UnmarshalBinary(raw))
					if !tx.IsDepositTx() {
						txs = append(txs, tx.Hash())
					}
				}
			}
		}
	}
	n.awaitHead(head + includedIn)
	for _, tx := range txs {
		if receipt, err := n.eth.TransactionReceipt(n.t.Context(), tx); err != nil || receipt.BlockHash == (common.Hash{}) {
			lost++
		}
	}
	return lost, len(txs)
}

// crashBuilder kills flashgeth behind flashboost. The chain goes on without it, and with it once it is back.
func (n *network) crashBuilder(figures *crashFigures) {
	n.t.Helper()
	begin := time.Now()
	n.KillNode()
	n.recorder.AwaitQuiet()
	head := n.head()
	n.awaitHead(head + 1)
	require.NoError(n.t, n.StartNode(n.t.Context()))
	up := time.Now()
	builder, err := ethclient.DialContext(n.t.Context(), n.ends.BuilderRPC)
	require.NoError(n.t, err)
	defer builder.Close()
	harness.Eventually(n.t, "the restarted builder streams", n.recorder.Connected)
	before := newest(n.recorder)
	harness.Eventually(n.t, "it publishes", func() bool { return newest(n.recorder) > before })
	published := time.Now()
	n.awaitHead(newest(n.recorder))
	at := n.head()
	harness.Eventually(n.t, "it has the chain's blocks", func() bool {
		number, err := builder.BlockNumber(n.t.Context())
		return err == nil && number >= at
	})
	n.t.Logf("killed at block %d: up after %v, publishes %v later", head, up.Sub(begin).Round(time.Millisecond), published.Sub(up).Round(time.Millisecond))
	figures.add(up.Sub(begin), published.Sub(up), 0, 0)
}

func (f *crashFigures) add(up, sealed time.Duration, lost, published int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.up, f.sealed = append(f.up, up), append(f.sealed, sealed)
	f.lost, f.published = f.lost+lost, f.published+published
}

// report logs the figures.
func (f *crashFigures) report(t *testing.T) {
	t.Helper()
	if len(f.up) == 0 {
		return
	}
	at := func(list []time.Duration, share float64) time.Duration {
		sorted := slices.Sorted(slices.Values(list))
		return sorted[int(share*float64(len(sorted)-1))].Round(time.Millisecond)
	}
	t.Logf("%d kills: up after p50 %v, p99 %v; a new block behind that p50 %v, p99 %v; %d of %d published transactions lost",
		len(f.up), at(f.up, 0.5), at(f.up, 0.99), at(f.sealed, 0.5), at(f.sealed, 0.99), f.lost, f.published)
}
