// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// followerConfigOf is what a follower registers with.
func followerConfigOf(urls ...string) Config {
	cfg := Config{Flashblocks: params.DefaultFlashblocks}
	cfg.URLs = urls
	cfg.MetricsAddr = "127.0.0.1:0"
	return cfg
}

// following registers this package on a node that follows streams.
func following(cfg Config) setup {
	return func(t testing.TB, n *testNode) {
		t.Helper()
		service, err := Register(n.Stack, n.Eth, cfg)
		require.NoError(t, err)
		n.service = service
	}
}

// pair is a builder and a follower of its stream.
type pair struct {
	t                 *testing.T
	builder, follower *testNode
	parent            common.Hash
	time, seq         uint64
}

// newPair starts both on a chain whose slots are now.
func newPair(t *testing.T, change func(*Config)) *pair {
	t.Helper()
	genesis := ethtest.Jovian.Genesis()
	genesis.Timestamp = uint64(time.Now().Unix()) - ethtest.BlockTime
	start := func(genesis *core.Genesis, register setup) *testNode {
		n := newUnstarted(t, ethtest.Jovian, genesis)
		register(t, n)
		n.Start()
		return n
	}
	p := &pair{t: t, builder: start(genesis, enabled), time: genesis.Timestamp}
	cfg := followerConfigOf("ws://" + p.builder.service.StreamAddr().String())
	if change != nil {
		change(&cfg)
	}
	p.follower = start(genesis, following(cfg))
	p.parent = p.builder.GenesisHash()
	require.Equal(t, p.parent, p.follower.GenesisHash())
	return p
}

// build starts a block at the builder with a transaction and returns how to fetch it.
func (p *pair) build(tx *types.Transaction) (seal func()) {
	p.t.Helper()
	require.NoError(p.t, p.builder.Eth.TxPool().Add([]*types.Transaction{tx}, true)[0])
	require.NoError(p.t, p.builder.Eth.TxPool().Sync())
	id := p.builder.Build(p.parent, ethtest.Jovian.Attributes(p.time, p.seq).With(object{"flashblocks": object{"intervalMs": 50}}))
	return func() {
		p.t.Helper()
		env := p.builder.Payload(id)
		p.builder.Insert(env)
		p.follower.Insert(env)
		p.parent = env.ExecutionPayload.BlockHash
		p.time += ethtest.BlockTime
		p.seq++
	}
}

// count returns the transactions of the pending block.
func count(t *testing.T, n *testNode) uint64 {
	t.Helper()
	var count hexutil.Uint64
	n.Call("eth_getBlockTransactionCountByNumber", "pending").Into(t, &count)
	return uint64(count)
}

// readiness is the answer of /readyz.
type readiness struct {
	Ready       bool
	Reason      string
	Syncing     bool
	Upstreams   *int   `json:"upstreams_connected"`
	AgeMS       *int64 `json:"newest_snapshot_age_ms"`
	BlockNumber uint64 `json:"block_number"`
	Pending     *struct {
		BlockNumber uint64 `json:"block_number"`
		Index       uint64
	}
}

// ready asks the readiness endpoint at a base URL.
func ready(t *testing.T, base string) (status int, r readiness) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/readyz", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(body, &r), "%s", body)
	return res.StatusCode, r
}

// A builder and its follower serve the same pending block while it is built, and latest once it is
// canonical; the follower is ready, and red with a reason when its stream is gone.
func TestFollowerNode(t *testing.T) {
	t.Parallel()
	p := newPair(t, nil)
	heads := make(chan *types.Header, 10)
	sub, err := p.follower.Client.EthSubscribe(t.Context(), heads, "newHeads")
	require.NoError(t, err)
	defer sub.Unsubscribe()
	blocks := make(chan json.RawMessage, 100)
	flash, err := p.follower.Client.EthSubscribe(t.Context(), blocks, "newFlashblocks")
	require.NoError(t, err)
	defer flash.Unsubscribe()
	base := p.follower.Stack.HTTPEndpoint()
	status, r := ready(t, base)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.NotEmpty(t, r.Reason)

	for nonce := range uint64(2) {
		tx := p.builder.Transfer(nonce)
		seal := p.build(tx)
		for _, n := range []*testNode{p.builder, p.follower} {
			// The count alone would not tell: the block before has as many transactions.
			eventually(t, "both transactions are pending", func() bool {
				var pending struct{ Number hexutil.Uint64 }
				n.Call("eth_getBlockByNumber", "pending", false).Into(t, &pending)
				return uint64(pending.Number) == nonce+1 && count(t, n) == 2
			})
			var receipt *struct {
				BlockNumber hexutil.Uint64
				Status      hexutil.Uint64
			}
			n.Call("eth_getTransactionReceipt", tx.Hash()).Into(t, &receipt)
			require.NotNil(t, receipt)
			require.Equal(t, nonce+1, uint64(receipt.BlockNumber))
		}
		seal()
		require.Equal(t, p.parent, (<-heads).Hash(), "newHeads is disturbed")
		var latest, pending struct{ Hash common.Hash }
		p.follower.Call("eth_getBlockByNumber", "latest", false).Into(t, &latest)
		p.follower.Call("eth_getBlockByNumber", "pending", false).Into(t, &pending)
		require.Equal(t, latest, pending, "pending is not latest between two blocks")
	}
	require.NotEmpty(t, blocks)
	for _, url := range []string{base, "http://" + p.follower.service.MetricsAddr().String()} {
		status, r = ready(t, url)
		require.Equal(t, http.StatusOK, status, "%+v", r)
		require.Equal(t, uint64(2), r.BlockNumber)
	}
	body := scrape(t, "http://"+p.follower.service.MetricsAddr().String()+"/metrics")
	for _, line := range []string{
		"flashblocks_ready 1", "follower_upstreams_connected 1", "follower_block_number 2", "follower_blocks_behind 0",
		"flashblocks_newest_snapshot_age_seconds", "follower_upstream_lost_total 0", "flashblocks_rpc_subscriptions 1",
	} {
		require.Contains(t, body, line)
	}

	require.NoError(t, p.builder.Stack.Close())
	eventually(t, "the loss is seen", func() bool {
		status, r = ready(t, base)
		return status == http.StatusServiceUnavailable
	})
	require.Equal(t, "no flashblocks stream is connected", r.Reason)
	require.NotNil(t, r.Upstreams)
	require.Zero(t, *r.Upstreams)
}

// A stream that is lost in the middle of a block leaves the prefix until the block is canonical, and then
// pending is latest. When the stream is back, so is pending.
func TestFollowerNodeLosesItsStream(t *testing.T) {
	t.Parallel()
	proxy := newSwitch(t)
	p := newPair(t, func(c *Config) {
		proxy.lead(c.URLs[0])
		c.URLs = []string{proxy.url()}
	})
	seal := p.build(p.builder.Transfer(0))
	eventually(t, "the transaction is pending", func() bool { return count(t, p.follower) == 2 })
	proxy.off()
	eventually(t, "the loss is seen", func() bool { s, _ := ready(t, p.follower.Stack.HTTPEndpoint()); return s != http.StatusOK })
	require.Equal(t, uint64(2), count(t, p.follower), "the prefix is gone before the block is canonical")
	seal()
	var latest, pending struct{ Hash common.Hash }
	p.follower.Call("eth_getBlockByNumber", "latest", false).Into(t, &latest)
	p.follower.Call("eth_getBlockByNumber", "pending", false).Into(t, &pending)
	require.Equal(t, latest, pending)

	proxy.on()
	seal = p.build(p.builder.Transfer(1))
	eventually(t, "pending is back", func() bool {
		_, r := ready(t, p.follower.Stack.HTTPEndpoint())
		return r.Pending != nil && count(t, p.follower) == 2
	})
	seal()
}

// The parts of a follower start before, and stop after, what delivers to them.
func TestFollowerStageOrder(t *testing.T) {
	t.Parallel()
	n := newUnstarted(t, ethtest.Jovian, ethtest.Jovian.Genesis())
	service, err := Register(n.Stack, n.Eth, followerConfigOf("ws://127.0.0.1:1"))
	require.NoError(t, err)
	require.Equal(t, []string{"restart", "heads", "overlay", "subscriptions", "health", "metrics", "builder", "follower"}, service.names())
	require.Nil(t, service.StreamAddr())
}

// A follower leaves nothing behind when it stops, subscriptions included. Not parallel: it counts
// goroutines.
func TestFollowerNodeStopsCleanly(t *testing.T) {
	run := func() {
		n := newNode(t, ethtest.Jovian, following(followerConfigOf("ws://127.0.0.1:1")))
		sub, err := n.Client.EthSubscribe(t.Context(), make(chan any, 1), "pendingLogs")
		require.NoError(t, err)
		ready(t, n.Stack.HTTPEndpoint())
		http.DefaultClient.CloseIdleConnections()
		sub.Unsubscribe()
		n.Client.Close()
		require.NoError(t, n.Stack.Close())
	}
	run()
	ignore := goleak.IgnoreCurrent()
	run()
	goleak.VerifyNone(t, ignore, goleak.IgnoreTopFunction("github.com/syndtr/goleveldb/leveldb.(*DB).mpoolDrain"))
}

func eventually(t *testing.T, name string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, ethtest.Patience, 2*time.Millisecond, name)
}
