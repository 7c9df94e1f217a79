// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"io"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// listen takes a free loopback port until the test ends.
func listen(t *testing.T) *net.TCPAddr {
	t.Helper()
	var lc net.ListenConfig
	lis, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, lis.Close()) })
	addr, ok := lis.Addr().(*net.TCPAddr)
	require.True(t, ok)
	return addr
}

// Without flashblocks everything is op-geth's: same methods, same answers, nothing started.
func TestDisabledIsStock(t *testing.T) {
	t.Parallel()
	n := newNode(t, jovian, func(t testing.TB, n *testNode) {
		t.Helper()
		processor := n.eth.BlockChain().Processor()
		service, err := Register(n.stack, n.eth, Config{})
		require.NoError(t, err)
		n.service = service
		require.Same(t, processor, n.eth.BlockChain().Processor())
	})
	require.Empty(t, n.service.stages)
	require.Nil(t, n.service.StreamAddr())
	require.Nil(t, n.service.MetricsAddr())
	require.Nil(t, n.service.Metrics())

	theirs := newNode(t, jovian, stock)
	for _, method := range []string{"engine_exchangeCapabilities", "rpc_modules", "testing_buildBlockV1", "miner_setMaxDASize"} {
		require.Equal(t, theirs.call(method), n.call(method))
	}
	// Even an override is what it is to op-geth: an unknown member.
	attrs := jovian.attributes(genesisTime, 0).with(object{"flashblocks": 5, "noTxPool": true})
	id := n.fcu(n.genesisHash(), attrs)
	require.Equal(t, theirs.fcu(theirs.genesisHash(), attrs), id)
	require.Equal(t, theirs.call("engine_getPayloadV4", id), n.call("engine_getPayloadV4", id))
}

func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	t.Run("chain that is not of the OP Stack", func(t *testing.T) {
		t.Parallel()
		genesis := &core.Genesis{Config: gethparams.MergedTestChainConfig, Difficulty: new(big.Int), GasLimit: 30_000_000, BaseFee: big.NewInt(1)}
		n := newUnstarted(t, jovian, genesis)
		_, err := Register(n.stack, n.eth, testConfig())
		require.ErrorIs(t, err, ErrNotOptimism)
	})
	t.Run("bad flags", func(t *testing.T) {
		t.Parallel()
		n := newUnstarted(t, jovian, jovian.genesis())
		cfg := testConfig()
		cfg.Interval = 0
		_, err := Register(n.stack, n.eth, cfg)
		require.EqualError(t, err, "flashblocks interval must be greater than zero")
	})
}

// A port that is taken stops the start of the node with one sentence that names it, and what was
// started before is stopped again.
func TestTakenPort(t *testing.T) {
	t.Parallel()
	addr := listen(t)
	for name, tt := range map[string]struct {
		take func(*Config)
		want string
	}{
		"stream":  {func(c *Config) { c.Port = addr.Port }, "flashblocks stream cannot listen on " + addr.String()},
		"metrics": {func(c *Config) { c.MetricsAddr = addr.String() }, "the flashblocks metrics endpoint cannot listen on " + addr.String()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newUnstarted(t, jovian, jovian.genesis())
			cfg := testConfig()
			tt.take(&cfg)
			service, err := Register(n.stack, n.eth, cfg)
			require.NoError(t, err)
			err = n.stack.Start()
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, "address already in use")
			if name == "metrics" {
				var dialer net.Dialer
				_, err = dialer.DialContext(t.Context(), "tcp", service.StreamAddr().String())
				require.Error(t, err, "the stream kept listening")
			}
		})
	}
}

// What publishes starts after, and stops before, what it publishes to.
func TestStageOrder(t *testing.T) {
	t.Parallel()
	n := newUnstarted(t, jovian, jovian.genesis())
	service, err := Register(n.stack, n.eth, testConfig())
	require.NoError(t, err)
	names := make([]string, 0, len(service.stages))
	for _, s := range service.stages {
		names = append(names, s.name)
	}
	require.Equal(t, []string{"heads", "overlay", "subscriptions", "hub", "stream", "health", "metrics", "builder", "engine"}, names)
}

// The node takes stages in the order of their registration and back.
func TestNodeKeepsStageOrder(t *testing.T) {
	t.Parallel()
	n := newUnstarted(t, jovian, jovian.genesis())
	var events []string
	service := new(Service)
	for _, name := range []string{"a", "b", "c"} {
		service.add(name,
			func(context.Context) error { events = append(events, "start "+name); return nil },
			func() error { events = append(events, "stop "+name); return nil })
	}
	service.register(n.stack)
	require.NoError(t, n.stack.Start())
	require.NoError(t, n.stack.Close())
	require.Equal(t, []string{"start a", "start b", "start c", "stop c", "stop b", "stop a"}, events)
}

// Services registered later win per method: ours are served, and what ours lack stays op-geth's.
func TestRegistrationOrder(t *testing.T) {
	t.Parallel()
	fake := new(fakeBuilder)
	n := newNode(t, jovian, func(t testing.TB, n *testNode) {
		t.Helper()
		stock(t, n) // as if someone had registered op-geth's before
		withBuilder(fake)(t, n)
	})
	n.fcu(n.genesisHash(), jovian.attributes(genesisTime, 0))
	require.Len(t, fake.jobs, 1, "op-geth's engine API was served")

	require.Equal(t, "true", n.call("miner_setGasLimit", "0x5").Result)
	require.Len(t, fake.limits, 1, "op-geth's miner API was served")
	require.Equal(t, "true", n.call("miner_setExtra", "x").Result, "a method of op-geth's miner API is lost")
}

// The Engine API is for the consensus client alone: without a token it is not there.
func TestEngineNeedsAuthentication(t *testing.T) {
	t.Parallel()
	for name, register := range map[string]setup{"ours": enabled, "stock": stock} {
		n := newNode(t, jovian, register)
		open, err := rpc.DialContext(t.Context(), n.stack.HTTPEndpoint())
		require.NoError(t, err)
		defer open.Close()
		var caps []string
		err = open.CallContext(t.Context(), &caps, "engine_exchangeCapabilities", []string{})
		var coded rpc.Error
		require.ErrorAs(t, err, &coded, name)
		require.Equal(t, codeNotFound, coded.ErrorCode(), name)
		require.NoError(t, open.CallContext(t.Context(), new(bool), "miner_setGasLimit", "0x5"), name)

		locked, err := rpc.DialContext(t.Context(), n.stack.HTTPAuthEndpoint())
		require.NoError(t, err)
		defer locked.Close()
		var status rpc.HTTPError
		require.ErrorAs(t, locked.CallContext(t.Context(), &caps, "engine_exchangeCapabilities", []string{}), &status, name)
		require.Equal(t, http.StatusUnauthorized, status.StatusCode, name)
	}
}

// The reuse of execution is installed in the chain, and leaves op-geth's validator where it is.
func TestReuseExecutionIsInstalled(t *testing.T) {
	t.Parallel()
	for _, reuse := range []bool{true, false} {
		n := newUnstarted(t, jovian, jovian.genesis())
		chain := n.eth.BlockChain()
		validator, processor := chain.Validator(), chain.Processor()
		cfg := testConfig()
		cfg.ReuseExecution = reuse
		_, err := Register(n.stack, n.eth, cfg)
		require.NoError(t, err)
		require.Same(t, validator, chain.Validator())
		require.Equal(t, reuse, processor != chain.Processor())
	}
}

// A running node serves its stream and its metrics: what is streamed is what is sealed, and scraped.
func TestStreamAndMetrics(t *testing.T) {
	t.Parallel()
	genesis := jovian.genesis()
	genesis.Timestamp = uint64(time.Now().Unix())
	n := newUnstarted(t, jovian, genesis)
	enabled(t, n)
	n.start()

	url := "ws://" + n.service.StreamAddr().String()
	conn, res, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	defer func() { require.NoError(t, conn.Close()) }()

	require.NoError(t, n.eth.TxPool().Add([]*types.Transaction{n.transfer(0)}, true)[0])
	require.NoError(t, n.eth.TxPool().Sync())
	id := n.fcu(n.genesisHash(), jovian.attributes(genesis.Timestamp, 0).with(object{"flashblocks": object{"intervalMs": 50}}))

	var published [][]byte
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	for len(published) < 2 {
		_, raw, err := conn.ReadMessage()
		require.NoError(t, err)
		fb, _, err := flashblocks.Decode(raw, flashblocks.Limits{})
		require.NoError(t, err)
		require.Equal(t, id, fb.PayloadID)
		published = append(published, fb.Diff.Transactions...)
	}
	env := n.payload(id)
	require.Equal(t, published, env.ExecutionPayload.Transactions)
	n.insert(env)

	body := scrape(t, "http://"+n.service.MetricsAddr().String()+"/metrics")
	for _, name := range []string{"builder_flashblock_count", "builder_block_tx_count", "flashblocks_stream_accept_total", "process_cpu_seconds_total"} {
		require.Contains(t, body, name)
	}
}

func scrape(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	require.Equal(t, http.StatusOK, res.StatusCode)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(body)
}

// A node that has built payloads leaves nothing behind when it stops. Not parallel: it counts goroutines.
func TestNodeStopsCleanly(t *testing.T) {
	run := func() {
		n := newNode(t, jovian, enabled)
		env := n.payload(n.fcu(n.genesisHash(), jovian.attributes(genesisTime, 0)))
		n.insert(env)
		n.fcu(env.ExecutionPayload.BlockHash, jovian.attributes(genesisTime+blockTime, 1)) // still under construction
		scrape(t, "http://"+n.service.MetricsAddr().String()+"/metrics")
		http.DefaultClient.CloseIdleConnections()
		n.client.Close()
		require.NoError(t, n.stack.Close())
	}
	run() // starts what lives as long as the process: sender recovery, metrics
	ignore := goleak.IgnoreCurrent()
	run()
	goleak.VerifyNone(t, ignore,
		// The node database's buffer pool, which ends by itself within 30 s of its closing.
		goleak.IgnoreTopFunction("github.com/syndtr/goleveldb/leveldb.(*DB).mpoolDrain"))
}

// testConfig is what flashblocks registers with: free ports on loopback.
func testConfig() Config {
	cfg := Config{Flashblocks: params.DefaultFlashblocks}
	cfg.Enabled = true
	cfg.Port = 0
	cfg.MetricsAddr = "127.0.0.1:0"
	return cfg
}

// enabled registers this package as a node does, with the real builder.
func enabled(t testing.TB, n *testNode) {
	t.Helper()
	service, err := Register(n.stack, n.eth, testConfig())
	require.NoError(t, err)
	n.service = service
}
