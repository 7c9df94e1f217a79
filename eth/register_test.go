// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"io"
	"math/big"
	"net"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
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

// Without flashblocks every answer is op-geth's, and nothing runs but the builder.
func TestDisabledIsStock(t *testing.T) {
	t.Parallel()
	n := newNode(t, ethtest.Jovian, func(t testing.TB, n *testNode) {
		t.Helper()
		processor := n.Eth.BlockChain().Processor()
		service, err := Register(n.Stack, n.Eth, Config{})
		require.NoError(t, err)
		n.service = service
		require.Same(t, processor, wrapped(n.Eth.BlockChain().Processor()))
	})
	require.Equal(t, []string{"restart", "heads", "builder"}, n.service.names())
	require.Nil(t, n.service.StreamAddr())
	require.Nil(t, n.service.MetricsAddr())
	require.Nil(t, n.service.Metrics())

	theirs := newNode(t, ethtest.Jovian, stock)
	var ours, stocks []string
	n.Call("engine_exchangeCapabilities", []string{}).Into(t, &ours)
	theirs.Call("engine_exchangeCapabilities", []string{}).Into(t, &stocks)
	require.ElementsMatch(t, stocks, ours)
	for _, method := range []string{"rpc_modules", "testing_buildBlockV1", "miner_setMaxDASize"} {
		require.Equal(t, theirs.Call(method), n.Call(method))
	}
	// Even an override is what it is to op-geth: an unknown member.
	for seq, noTxPool := range []bool{true, false} {
		attrs := ethtest.Jovian.Attributes(ethtest.GenesisTime, uint64(seq)).With(object{"flashblocks": 5, "noTxPool": noTxPool})
		id := n.Build(n.GenesisHash(), attrs)
		require.Equal(t, theirs.Build(theirs.GenesisHash(), attrs), id)
		require.Equal(t, theirs.Call("engine_getPayloadV4", id), n.Call("engine_getPayloadV4", id))
	}
}

// names are the names of a service's stages.
func (s *Service) names() []string {
	names := make([]string, 0, len(s.stages))
	for _, stage := range s.stages {
		names = append(names, stage.name)
	}
	return names
}

// On a chain that is not of the OP Stack everything is op-geth's.
func TestOtherChainIsStock(t *testing.T) {
	t.Parallel()
	genesis := &core.Genesis{Config: gethparams.MergedTestChainConfig, Difficulty: new(big.Int), GasLimit: 30_000_000, BaseFee: big.NewInt(1)}
	n := newUnstarted(t, ethtest.Jovian, genesis)
	validator, processor := n.Eth.BlockChain().Validator(), n.Eth.BlockChain().Processor()
	service, err := Register(n.Stack, n.Eth, Config{})
	require.NoError(t, err)
	require.Empty(t, service.stages)
	require.Same(t, validator, n.Eth.BlockChain().Validator())
	require.Same(t, processor, n.Eth.BlockChain().Processor())
}

func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	t.Run("chain that is not of the OP Stack", func(t *testing.T) {
		t.Parallel()
		genesis := &core.Genesis{Config: gethparams.MergedTestChainConfig, Difficulty: new(big.Int), GasLimit: 30_000_000, BaseFee: big.NewInt(1)}
		n := newUnstarted(t, ethtest.Jovian, genesis)
		_, err := Register(n.Stack, n.Eth, testConfig())
		require.ErrorIs(t, err, ErrNotOptimism)
	})
	t.Run("bad flags", func(t *testing.T) {
		t.Parallel()
		n := newUnstarted(t, ethtest.Jovian, ethtest.Jovian.Genesis())
		cfg := testConfig()
		cfg.Interval = 0
		_, err := Register(n.Stack, n.Eth, cfg)
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
			n := newUnstarted(t, ethtest.Jovian, ethtest.Jovian.Genesis())
			cfg := testConfig()
			tt.take(&cfg)
			service, err := Register(n.Stack, n.Eth, cfg)
			require.NoError(t, err)
			err = n.Stack.Start()
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
	n := newUnstarted(t, ethtest.Jovian, ethtest.Jovian.Genesis())
	service, err := Register(n.Stack, n.Eth, testConfig())
	require.NoError(t, err)
	require.Equal(t, []string{"restart", "heads", "overlay", "subscriptions", "hub", "stream", "health", "metrics", "builder"}, service.names())
}

// The node takes stages in the order of their registration and back.
func TestNodeKeepsStageOrder(t *testing.T) {
	t.Parallel()
	n := newUnstarted(t, ethtest.Jovian, ethtest.Jovian.Genesis())
	var events []string
	service := new(Service)
	for _, name := range []string{"a", "b", "c"} {
		service.add(name,
			func(context.Context) error { events = append(events, "start "+name); return nil },
			func() error { events = append(events, "stop "+name); return nil })
	}
	service.register(n.Stack)
	require.NoError(t, n.Stack.Start())
	require.NoError(t, n.Stack.Close())
	require.Equal(t, []string{"start a", "start b", "start c", "stop c", "stop b", "stop a"}, events)
}

// The Engine API is for the consensus client alone: without a token it is not there.
func TestEngineNeedsAuthentication(t *testing.T) {
	t.Parallel()
	for name, register := range map[string]setup{"ours": enabled, "stock": stock} {
		n := newNode(t, ethtest.Jovian, register)
		open, err := rpc.DialContext(t.Context(), n.Stack.HTTPEndpoint())
		require.NoError(t, err)
		defer open.Close()
		var caps []string
		err = open.CallContext(t.Context(), &caps, "engine_exchangeCapabilities", []string{})
		var coded rpc.Error
		require.ErrorAs(t, err, &coded, name)
		require.Equal(t, ethtest.CodeNotFound, coded.ErrorCode(), name)
		require.NoError(t, open.CallContext(t.Context(), new(bool), "miner_setGasLimit", "0x5"), name)

		locked, err := rpc.DialContext(t.Context(), n.Stack.HTTPAuthEndpoint())
		require.NoError(t, err)
		defer locked.Close()
		var status rpc.HTTPError
		require.ErrorAs(t, locked.CallContext(t.Context(), &caps, "engine_exchangeCapabilities", []string{}), &status, name)
		require.Equal(t, http.StatusUnauthorized, status.StatusCode, name)
	}
}

// The reuse of execution is installed in the chain.
func TestReuseExecutionIsInstalled(t *testing.T) {
	t.Parallel()
	for _, reuse := range []bool{true, false} {
		n := newUnstarted(t, ethtest.Jovian, ethtest.Jovian.Genesis())
		chain := n.Eth.BlockChain()
		processor := chain.Processor()
		cfg := testConfig()
		cfg.ReuseExecution = reuse
		_, err := Register(n.Stack, n.Eth, cfg)
		require.NoError(t, err)
		require.Equal(t, reuse, processor != wrapped(chain.Processor()))
	}
}

// wrapped is the processor behind the one that makes no state twice, which every node has.
func wrapped(p core.Processor) core.Processor {
	inner, _ := reflect.ValueOf(p).Elem().FieldByName("Processor").Interface().(core.Processor)
	return inner
}

// A running node serves its stream and its metrics: what is streamed is what is sealed, and scraped.
func TestStreamAndMetrics(t *testing.T) {
	t.Parallel()
	genesis := ethtest.Jovian.Genesis()
	genesis.Timestamp = uint64(time.Now().Unix())
	n := newUnstarted(t, ethtest.Jovian, genesis)
	enabled(t, n)
	n.Start()

	url := "ws://" + n.service.StreamAddr().String()
	conn, res, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	defer func() { require.NoError(t, conn.Close()) }()

	require.NoError(t, n.Eth.TxPool().Add([]*types.Transaction{n.Transfer(0)}, true)[0])
	require.NoError(t, n.Eth.TxPool().Sync())
	id := n.Build(n.GenesisHash(), ethtest.Jovian.Attributes(genesis.Timestamp, 0).With(object{"flashblocks": object{"intervalMs": 50}}))

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
	env := n.Payload(id)
	require.Equal(t, published, env.ExecutionPayload.Transactions)
	n.Insert(env)

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
		n := newNode(t, ethtest.Jovian, enabled)
		env := n.Payload(n.Build(n.GenesisHash(), ethtest.Jovian.Attributes(ethtest.GenesisTime, 0)))
		n.Insert(env)
		n.Build(env.ExecutionPayload.BlockHash, ethtest.Jovian.Attributes(ethtest.GenesisTime+ethtest.BlockTime, 1)) // still under construction
		scrape(t, "http://"+n.service.MetricsAddr().String()+"/metrics")
		http.DefaultClient.CloseIdleConnections()
		n.Client.Close()
		require.NoError(t, n.Stack.Close())
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
	service, err := Register(n.Stack, n.Eth, testConfig())
	require.NoError(t, err)
	n.service = service
}
