// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package compare

import (
	"context"
	"math/big"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/devnet"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

const (
	// devnetBlocks is how many blocks are compared unless blocksVariable says otherwise, as `make compare`
	// does: it compares 200 and takes minutes.
	devnetBlocks   = 25
	blocksVariable = "COMPARE_BLOCKS"

	devnetLoad   = 60 // transactions per second
	judgedBehind = 3  // blocks between the head and what is judged: nobody asks about it any more

	// slowBlock is how long a block may take to be built and compared before the test gives up.
	slowBlock = 10 * time.Second

	// portion is how many questions are asked at once. All of them would take longer than a flashblock.
	portion = 14
)

// blocksToCompare is how many blocks the test on the devnet compares.
func blocksToCompare(t *testing.T) int {
	t.Helper()
	text, ok := os.LookupEnv(blocksVariable)
	if !ok {
		return devnetBlocks
	}
	blocks, err := strconv.Atoi(text)
	require.NoError(t, err, blocksVariable)
	require.Positive(t, blocks, blocksVariable)
	return blocks
}

// live is a devnet that is asked while it runs.
type live struct {
	t        *testing.T
	ends     devnet.Endpoints
	eth      *ethclient.Client
	listener listener
	judge    *judge
	follower *subject // in this process, behind the cutter
	cutter   *teststream.Cutter
	world    world

	mu      sync.Mutex
	unknown []*recording // whose position the stream has not told of yet
}

// The same on the real devnet, where nothing waits for anybody: on the sequencer, on its follower with an
// op-node of its own, and on a follower whose connection is cut at random.
func TestCompareDevnet(t *testing.T) {
	blocks := blocksToCompare(t)
	l := newLive(t)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	stop := func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	for name, client := range map[string]*rpc.Client{
		"builder":      dial(t, l.ends.SequencerRPC),
		"follower":     dial(t, l.ends.FollowerRPC),
		"cut follower": l.follower.client,
	} {
		wg.Go(func() { l.askAll(ctx, name, client) })
	}
	wg.Go(func() { l.cutAtRandom(ctx) })

	head, err := l.eth.BlockNumber(ctx)
	require.NoError(t, err)
	deadline := time.Now().Add(2*patience + time.Duration(blocks)*slowBlock)
	for next := l.head() + 1; l.judge.blocks < blocks; next++ {
		require.True(t, time.Now().Before(deadline), "only %d of %d blocks were compared", l.judge.blocks, blocks)
		l.follow(next)
		if next > head+judgedBehind+1 {
			l.settle(next - judgedBehind)
		}
	}
	stop()
	t.Logf("the connection of the cut follower was cut %d times; %d positions came to nothing", l.cutter.Cuts(), len(l.unknown))
	l.judge.report("builder", "follower", "cut follower")
	require.NotZero(t, l.cutter.Cuts())
}

// newLive starts everything and waits for the first blocks with transactions.
func newLive(t *testing.T) *live {
	t.Helper()
	net := bootDevnet(t)
	l := &live{t: t, ends: net.Endpoints()}
	l.eth = ethclient.NewClient(dial(t, l.ends.SequencerWS))
	l.listener = listen(t, l.ends.FlashblocksWS)
	l.judge = newJudge(t, net.Genesis())
	l.cutter = teststream.NewCutter(t, l.ends.FlashblocksWS)
	l.follower = newFollower(t, "cut follower", net.Genesis(), l.cutter.URL())
	harness.StartLoad(t, l.ends.SequencerRPC, devnetLoad)
	for next := uint64(1); ; next++ {
		if block := l.follow(next); len(block.Transactions()) > 10 {
			l.world = l.loadWorld(block)
			return l
		}
	}
}

// bootDevnet starts a devnet that ends with the test.
func bootDevnet(t *testing.T) *devnet.Devnet {
	t.Helper()
	cfg := devnet.DefaultConfig
	cfg.BlockTime, cfg.L1BlockTime = time.Second, 2*time.Second
	cfg.Follower, cfg.Proxy, cfg.Batcher = true, false, false
	return harness.Boot(t, cfg)
}

func dial(t testing.TB, url string) *rpc.Client {
	t.Helper()
	client, err := rpc.DialContext(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// loadWorld is what the devnet's load changes, found in a block of it.
func (l *live) loadWorld(block *types.Block) world {
	l.t.Helper()
	var (
		token  = common.HexToAddress("0xf1a5000000000000000000000000000000000004")
		weth   = common.HexToAddress("0x4200000000000000000000000000000000000006")
		vault  = common.HexToAddress("0x4200000000000000000000000000000000000011")
		l1Fees = common.HexToAddress("0x420000000000000000000000000000000000001a")
		w      = world{codes: []common.Address{token, weth}, slots: make(map[common.Address][]common.Hash), logger: token}
		signer = types.LatestSignerForChainID(new(big.Int).SetUint64(l.ends.ChainID))
		word   = func(addr common.Address) string { return common.BytesToHash(addr[:]).Hex()[2:] }
	)
	key, err := crypto.HexToECDSA(l.ends.Keys[0][2:])
	require.NoError(l.t, err)
	idle := crypto.PubkeyToAddress(key.PublicKey)
	w.idle = []common.Address{idle, vault, l1Fees, token, weth}
	for _, tx := range block.Transactions() {
		if from, err := types.Sender(signer, tx); err == nil && len(w.busy) < 4 && !tx.IsDepositTx() {
			w.busy = append(w.busy, from)
			w.slots[token] = append(w.slots[token], common.BytesToHash(from[:]))
			w.reads = append(w.reads,
				object{"from": idle, "to": token, "data": "0x70a08231" + word(from)}, // balanceOf
				object{"from": idle, "to": weth, "data": "0x70a08231" + word(from)},
			)
		}
	}
	require.NotEmpty(l.t, w.busy)
	transfer := func(amount common.Hash) object {
		return object{"from": idle, "to": token, "data": "0xa9059cbb" + word(w.busy[0]) + amount.Hex()[2:]}
	}
	w.writes = []object{transfer(common.Hash{}), {"from": w.busy[0], "to": weth, "value": "0x1", "data": "0xd0e30db0"}} // deposit
	w.failing = []object{transfer(common.Hash{1})}
	return w
}

// head is the newest block of the judge.
func (l *live) head() uint64 { return l.judge.eth.BlockChain().CurrentBlock().Number.Uint64() }

// follow waits for a canonical block and gives it to those that have no op-node.
func (l *live) follow(number uint64) *types.Block {
	l.t.Helper()
	var block *types.Block
	require.Eventually(l.t, func() bool {
		var err error
		block, err = l.eth.BlockByNumber(l.t.Context(), new(big.Int).SetUint64(number))
		return err == nil
	}, patience, 5*time.Millisecond, "block %d", number)
	env := engine.BlockToExecutableData(block, nil, nil, [][]byte{})
	env.ParentBeaconBlockRoot = block.BeaconRoot()
	l.follower.insert(env)
	l.judge.insert(env)
	return block
}

// settle judges a block.
func (l *live) settle(number uint64) {
	l.t.Helper()
	block := l.judge.eth.BlockChain().GetBlockByNumber(number)
	id, ok := l.listener.payload(block)
	require.True(l.t, ok, "block %d was not published as it is", number)
	l.mu.Lock()
	list := l.unknown
	l.unknown = nil
	l.mu.Unlock()
	for _, r := range list {
		if r.txs, ok = l.count(r.at); ok {
			l.judge.keep(r)
		}
	}
	l.judge.canonical(number, id)
}

// count returns how many transactions the stream told of at a position.
func (l *live) count(at position) (int, bool) {
	txs, ok := l.listener.until(uint64(at.BlockNumber), at.ID, uint64(at.Index))
	return len(txs), ok
}

// askAll asks a node questions in random portions, again and again.
func (l *live) askAll(ctx context.Context, name string, client *rpc.Client) {
	random := rand.New(rand.NewPCG(uint64(len(name)), 1))
	pause := time.NewTicker(20 * time.Millisecond) // there are other things to do on a small machine
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		var at *position
		if err := client.CallContext(ctx, &at, "flashblocks_getPosition"); err != nil || at == nil {
			continue
		}
		questions := l.world.questions(l.listener.newest(uint64(at.BlockNumber), at.ID, uint64(at.Index)))
		random.Shuffle(len(questions), func(i, j int) { questions[i], questions[j] = questions[j], questions[i] })
		var some []question
		for _, q := range questions {
			if len(some) < portion && (q.kind != ofNonce || name != "builder") { // its pool holds more
				some = append(some, q)
			}
		}
		r, err := ask(ctx, client, some)
		if err != nil && ctx.Err() == nil {
			l.t.Errorf("ask the %s: %v", name, err)
			return
		}
		if r == nil {
			continue
		}
		r.node = name
		l.mu.Lock()
		l.unknown = append(l.unknown, r)
		l.mu.Unlock()
	}
}

// cutAtRandom cuts the connection of a follower some twice in three slots.
func (l *live) cutAtRandom(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(200+rand.IntN(2500)) * time.Millisecond):
			l.cutter.Cut()
		}
	}
}
