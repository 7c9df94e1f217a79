// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// feedHarness is a pending harness whose changes go to subscribers.
type feedHarness struct {
	*pendingHarness
	feed   *feed
	server *rpc.Server
	client *rpc.Client
}

func newFeedHarness(t *testing.T) *feedHarness {
	t.Helper()
	h := &feedHarness{pendingHarness: newPendingHarness(t), server: rpc.NewServer()}
	chain := h.Follower.Eth.BlockChain()
	h.feed = newFeed(h.Processor, chain.Config(), chain, metrics.NewSet())
	require.NoError(t, h.server.RegisterName("eth", &SubscriptionAPI{feed: h.feed}))
	require.NoError(t, h.server.RegisterName("flashblocks", &FlashblocksAPI{feed: h.feed}))
	h.client = rpc.DialInProc(h.server)
	t.Cleanup(func() {
		h.client.Close()
		h.server.Stop()
		require.NoError(t, h.feed.stop())
	})
	return h
}

// subscribe returns what a subscription delivers, as it came.
func (h *feedHarness) subscribe(namespace string, args ...any) <-chan json.RawMessage {
	h.t.Helper()
	items := make(chan json.RawMessage, 1000)
	sub, err := h.client.Subscribe(h.t.Context(), namespace, items, args...)
	require.NoError(h.t, err)
	h.t.Cleanup(sub.Unsubscribe)
	return items
}

func receiveItem[T any](t *testing.T, items <-chan json.RawMessage) (out T) {
	t.Helper()
	select {
	case raw := <-items:
		require.NoError(t, json.Unmarshal(raw, &out), "%s", raw)
	case <-time.After(ethtest.Patience):
		require.FailNow(t, "nothing came")
	}
	return out
}

// withLog returns a transaction whose only log is of the probe.
func (h *feedHarness) withLog() *types.Transaction { return h.Poke() }

// The whole pending block comes once per flashblock, and is what eth_getBlockByNumber answers.
func TestSubscribeNewFlashblocks(t *testing.T) {
	t.Parallel()
	h := newFeedHarness(t)
	items := h.subscribe("eth", "newFlashblocks")
	type block struct {
		Number       hexutil.Uint64      `json:"number"`
		Hash         common.Hash         `json:"hash"`
		Transactions []types.Transaction `json:"transactions"`
	}
	h.Begin()
	first := receiveItem[block](t, items)
	require.Equal(t, uint64(1), uint64(first.Number))
	require.Zero(t, first.Hash)
	require.Len(t, first.Transactions, 1)
	txs := []*types.Transaction{h.withLog(), h.withLog()}
	h.Flashblock(txs...)
	var asked, pushed any
	h.Ask(&asked, "eth_getBlockByNumber", "pending", true)
	for s := h.Processor.Snapshot(); ; {
		raw := receiveItem[json.RawMessage](t, items)
		var got block
		require.NoError(t, json.Unmarshal(raw, &got))
		if len(got.Transactions) == len(s.Txs) {
			require.NoError(t, json.Unmarshal(raw, &pushed))
			break
		}
	}
	require.Equal(t, asked, pushed)
}

// Transactions come as hashes, as whole objects with their outcome, or filtered by their logs.
func TestSubscribeTransactions(t *testing.T) {
	t.Parallel()
	h := newFeedHarness(t)
	var (
		absent   = h.subscribe("eth", "newFlashblockTransactions")
		hashes   = h.subscribe("eth", "newFlashblockTransactions", false)
		full     = h.subscribe("eth", "newFlashblockTransactions", true)
		filtered = h.subscribe("eth", "newFlashblockTransactions", object{"address": ethtest.Probe})
	)
	h.Begin()
	tx := h.withLog()
	h.Flashblock(tx)
	s := h.Processor.Snapshot()
	require.Len(t, s.Txs, 2)
	for i := range s.Txs {
		require.Equal(t, s.Txs[i].Hash(), receiveItem[common.Hash](t, absent))
		require.Equal(t, s.Txs[i].Hash(), receiveItem[common.Hash](t, hashes))
	}
	type outcome struct {
		Hash    common.Hash    `json:"hash"`
		Number  *hexutil.Big   `json:"blockNumber"`
		Index   hexutil.Uint64 `json:"transactionIndex"`
		Block   *common.Hash   `json:"blockHash"`
		GasUsed hexutil.Uint64 `json:"gasUsed"`
		Status  hexutil.Uint64 `json:"status"`
		Logs    []types.Log    `json:"logs"`
	}
	deposit := receiveItem[outcome](t, full)
	require.Equal(t, s.Txs[0].Hash(), deposit.Hash)
	require.Empty(t, deposit.Logs)
	require.NotNil(t, deposit.Logs, "null where clients expect an array")
	for _, items := range []<-chan json.RawMessage{full, filtered} {
		got := receiveItem[outcome](t, items)
		require.Equal(t, tx.Hash(), got.Hash)
		require.Equal(t, uint64(1), got.Number.ToInt().Uint64())
		require.Nil(t, got.Block)
		require.Equal(t, hexutil.Uint64(1), got.Index)
		require.Equal(t, s.Receipts[1].GasUsed, uint64(got.GasUsed))
		require.Equal(t, s.Receipts[1].Status, uint64(got.Status))
		require.Len(t, got.Logs, len(s.Receipts[1].Logs))
		require.NotEmpty(t, got.Logs)
	}
	require.Empty(t, filtered, "a transaction without a matching log")
	var failed error
	_, failed = h.client.EthSubscribe(t.Context(), make(chan any), "newFlashblockTransactions", "yes")
	require.ErrorContains(t, failed, "a boolean or a filter object")
}

// Logs come once, match the filter, and come again as removed if their block is replaced. Who subscribed
// later hears nothing of what it was not told.
func TestSubscribePendingLogs(t *testing.T) {
	t.Parallel()
	h := newFeedHarness(t)
	all, other := h.subscribe("eth", "pendingLogs"), h.subscribe("eth", "pendingLogs", object{"address": common.Address{1}})
	h.Begin()
	h.Flashblock(h.withLog())
	s := h.Processor.Snapshot()
	want := s.Logs()
	require.NotEmpty(t, want)
	for _, l := range want {
		got := receiveItem[types.Log](t, all)
		require.Equal(t, l.TxHash, got.TxHash)
		require.Equal(t, l.Index, got.Index)
		require.False(t, got.Removed)
	}
	late := h.subscribe("eth", "pendingLogs", nil)

	h.Deliver(h.Build(h.Sequencer.Eth.BlockChain().CurrentBlock(), 1)) // another attempt, without the transaction yet
	for _, l := range want {
		got := receiveItem[types.Log](t, all)
		require.Equal(t, l.TxHash, got.TxHash)
		require.True(t, got.Removed)
	}
	h.Flashblock(h.withLog())
	require.False(t, receiveItem[types.Log](t, late).Removed, "what it was never told of")
	require.Empty(t, other)
	_, err := h.client.EthSubscribe(t.Context(), make(chan any), "pendingLogs", object{"blockHash": common.Hash{1}})
	require.ErrorContains(t, err, "takes no blockHash")
}

// v0Params is what flashblocks_subscribe delivers.
type v0Params struct {
	Index        uint64          `json:"index"`
	BlockNumber  hexutil.Uint64  `json:"blockNumber"`
	ParentHash   common.Hash     `json:"parentHash"`
	Transactions []hexutil.Bytes `json:"transactions"`
	Receipts     []struct {
		TransactionHash common.Hash `json:"transactionHash"`
	} `json:"receipts"`
	StateRoot    common.Hash    `json:"stateRoot"`
	GasUsed      hexutil.Uint64 `json:"gasUsed"`
	Sealed       bool           `json:"sealed"`
	Reorg        bool           `json:"reorg"`
	Disconnected bool           `json:"disconnected"`
}

// A v0 subscription tells of flashblocks, of the loss of an attempt, of the seal and of the upstream.
func TestSubscribeV0(t *testing.T) {
	t.Parallel()
	h := newFeedHarness(t)
	items := h.subscribe("flashblocks", "flashblocks")
	h.Begin()
	first := receiveItem[v0Params](t, items)
	require.Equal(t, []uint64{0, 1}, []uint64{first.Index, uint64(first.BlockNumber)})
	require.Equal(t, h.Sequencer.GenesisHash(), first.ParentHash)
	require.Len(t, first.Transactions, 1)

	h.Deliver(h.Build(h.Sequencer.Eth.BlockChain().CurrentBlock(), 1))
	lost := receiveItem[v0Params](t, items)
	require.True(t, lost.Reorg)
	require.Equal(t, uint64(1), uint64(lost.BlockNumber))
	require.Zero(t, receiveItem[v0Params](t, items).Index)

	tx := h.withLog()
	h.Flashblock(tx)
	var got v0Params
	for len(got.Transactions) == 0 {
		got = receiveItem[v0Params](t, items)
	}
	require.Len(t, got.Receipts, 1)
	require.Equal(t, tx.Hash(), got.Receipts[0].TransactionHash)
	require.Zero(t, got.StateRoot)

	env := h.Seal()
	h.drain()
	h.Settle(env)
	for !got.Sealed {
		got = receiveItem[v0Params](t, items)
		require.False(t, got.Reorg)
	}
	require.Equal(t, env.ExecutionPayload.StateRoot, got.StateRoot)
	require.Equal(t, env.ExecutionPayload.GasUsed, uint64(got.GasUsed))

	h.feed.lost(flashblocks.FlashblockID{BlockNumber: 1, Index: 2})
	require.True(t, receiveItem[v0Params](t, items).Disconnected)
}

// drain passes on what the builder has published and the follower has not seen.
func (h *feedHarness) drain() {
	h.t.Helper()
	for {
		select {
		case fb := <-h.Stream:
			h.Deliver(fb)
		default:
			return
		}
	}
}

// patientConn is a connection on which a write may take any time, so that a busy machine does not end it.
type patientConn struct{ net.Conn }

// SetWriteDeadline implements net.Conn.
func (patientConn) SetWriteDeadline(time.Time) error { return nil }

// A reader that does not read loses its own subscription and is told why; others miss nothing.
func TestSubscribeSlowReader(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct{ namespace, name string }{{"eth", "newFlashblocks"}, {"flashblocks", "position"}} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			h := newFeedHarness(t)
			ours, theirs := net.Pipe()
			go h.server.ServeCodec(rpc.NewCodec(patientConn{theirs}), 0)
			t.Cleanup(func() { require.NoError(t, ours.Close()) })
			_, err := fmt.Fprintf(ours, `{"jsonrpc":"2.0","id":1,"method":"%s_subscribe","params":["%s"]}`, kind.namespace, kind.name)
			require.NoError(t, err)
			dec := json.NewDecoder(ours)
			var reply struct{ Result string }
			require.NoError(t, dec.Decode(&reply))
			require.NotEmpty(t, reply.Result)

			const changes = 100
			quick := h.subscribe(kind.namespace, kind.name)
			head := h.Sequencer.Eth.BlockChain().CurrentBlock()
			for seed := range changes {
				h.Deliver(h.Build(head, byte(seed)))
				receiveItem[any](t, quick)
			}
			for h.readOne(dec) {
				continue
			}
			require.Equal(t, uint64(1), h.feed.lagged.Get())
			h.Deliver(h.Build(head, changes))
			receiveItem[any](t, quick)
		})
	}
}

// readOne reads one notification and reports whether another may follow.
func (h *feedHarness) readOne(dec *json.Decoder) bool {
	var note struct {
		Params struct {
			Result struct {
				Error *struct {
					Code    int
					Message string
				}
			}
		}
	}
	require.NoError(h.t, dec.Decode(&note))
	if e := note.Params.Result.Error; e != nil {
		require.Equal(h.t, codeLagged, e.Code)
		require.Contains(h.t, e.Message, "too far behind")
		return false
	}
	return true
}

// A stopped feed takes nobody any more, and has let go of everyone.
func TestFeedStops(t *testing.T) {
	t.Parallel()
	h := newFeedHarness(t)
	h.subscribe("eth", "newFlashblocks")
	require.InDelta(t, 1, h.feed.open.Get(), 0)
	require.NoError(t, h.feed.stop())
	require.InDelta(t, 0, h.feed.open.Get(), 0)
	_, err := h.client.EthSubscribe(context.Background(), make(chan any), "newFlashblocks")
	require.ErrorContains(t, err, "shutting down")
}
