// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/ethereum/go-ethereum/flashgeth/devnet"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// load is how many transactions are sent per second: enough for every flashblock to have some, few enough
// for a busy machine.
const load = 25

// usual are arguments of flashboost in every test. A busy machine may keep the local execution layer from
// answering within the default of 1 s, and the tests are not about that.
var usual = []string{"--l2-timeout", "10000"}

// options are what a test changes about the devnet.
type options struct {
	external bool     // external state root mode
	rooted   bool     // the builder streams real roots
	follower bool     // and the proxy before it
	boost    []string // further arguments of flashboost
}

// network is a devnet of the second topology, with relays between its parts.
type network struct {
	*devnet.Devnet

	t        *testing.T
	ends     devnet.Endpoints
	eth      *ethclient.Client // of the local execution layer
	front    *front            // between op-node and boost
	local    *link             // between boost and the local execution layer
	builder  *link             // between boost and the builder
	stream   *relay            // between the builder's stream and boost
	recorder *recorder         // of what boost publishes
	excused  map[uint64]bool   // numbers under construction while boost was down
}

// boot starts a devnet, follows boost's streams from the first flashblock on and sends load through boost.
// All of it ends with the test.
func boot(t *testing.T, o options) *network {
	t.Helper()
	n := &network{t: t, front: newFront(t), local: newLink(t), builder: newLink(t), stream: newRelay(t), excused: make(map[uint64]bool)}
	cfg := devnet.DefaultConfig
	cfg.BlockTime, cfg.L1BlockTime = time.Second, 2*time.Second
	cfg.Boost, cfg.Follower, cfg.Proxy, cfg.Batcher = true, o.follower, o.follower, false
	cfg.External, cfg.BoostArgs = o.external, append(o.boost, usual...)
	cfg.Between = func(links devnet.Links) devnet.Links {
		return devnet.Links{
			Boost: n.front.to(links.Boost), Local: n.local.to(links.Local),
			Builder: n.builder.to(links.Builder), Stream: n.stream.to(links.Stream),
		}
	}
	if o.rooted {
		cfg.NodeArgs = []string{"--flashblocks.disable-state-root=false"}
	}
	n.Devnet = harness.Boot(t, cfg)
	n.ends = n.Endpoints()
	t.Cleanup(n.lift)

	var err error
	n.eth, err = ethclient.DialContext(t.Context(), n.ends.SequencerRPC)
	require.NoError(t, err)
	t.Cleanup(n.eth.Close)
	n.recorder = record(t, n.ends.BoostFlashblocksWS)
	harness.StartLoad(t, n.ends.BoostRPC, load)
	t.Cleanup(func() { n.front.excuse(true) }) // op-node may be cut off in a call
	return n
}

// lift removes every fault.
func (n *network) lift() {
	n.front.alter(nil)
	n.front.onAnswer(nil)
	n.local.set(nil)
	n.builder.set(nil)
	n.stream.set(nil)
}

// await waits until a condition holds and fails the test, naming it, if it never does.
func (n *network) await(what string, condition func() bool) {
	n.t.Helper()
	harness.Eventually(n.t, what, condition)
}

// head returns the number of the latest block, 0 while the node does not answer.
func (n *network) head() uint64 {
	number, err := n.eth.BlockNumber(n.t.Context())
	if err != nil {
		return 0
	}
	return number
}

// awaitBlocks waits until the chain is so many blocks longer.
func (n *network) awaitBlocks(count uint64) {
	n.t.Helper()
	want := n.head() + count
	n.await("the head is at "+strconv.FormatUint(want, 10), func() bool { return n.head() >= want })
}

// awaitKept waits until so many blocks, counting from the next, are flashblocks of the builder with more
// than deposits in them.
func (n *network) awaitKept(count int) {
	n.t.Helper()
	from := n.head() + 1
	n.await("the builder's blocks are sealed", func() bool { return n.recorder.sealed(from, 2) >= count })
}

// created returns how many blocks op-node has got of a source, "builder" or "l2", since flashboost's start.
func (n *network) created(source string) int {
	value := 0.0
	for name, v := range n.scrape() {
		if strings.HasPrefix(name, "rollup_boost_rpc_blocks_created") && strings.Contains(name, `source="`+source+`"`) {
			value += v
		}
	}
	return int(value)
}

// scrape reads the metrics of flashboost.
func (n *network) scrape() harness.Samples {
	n.t.Helper()
	return harness.Scrape(n.t.Context(), n.t, n.ends.BoostMetrics)
}

// health returns the status code of /healthz.
func (n *network) health() int {
	n.t.Helper()
	resp := n.get(n.ends.BoostRPC + "/healthz")
	_ = resp.Body.Close()
	return resp.StatusCode
}

// get asks one of flashboost's own pages.
func (n *network) get(url string) *http.Response {
	n.t.Helper()
	req, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(n.t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(n.t, err)
	return resp
}

// restart runs flashboost again with other settings. What was under construction is lost with it.
func (n *network) restart(external bool, args ...string) {
	n.t.Helper()
	n.front.excuse(true)
	require.NoError(n.t, n.StopBoost())
	for number := n.head(); number <= n.head()+1; number++ {
		n.excused[number] = true
	}
	n.recorder.abandon()
	require.NoError(n.t, n.StartBoost(n.t.Context(), external, append(args, usual...)...))
	n.front.excuse(false)
}

// users counts the transactions of a block that are no deposits.
func users(block *types.Block) int {
	count := 0
	for _, tx := range block.Transactions() {
		if !tx.IsDepositTx() {
			count++
		}
	}
	return count
}
