// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package subscribe

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
	"github.com/ethereum/go-ethereum/flashgeth/eth/pending"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

func TestMain(m *testing.M) { ethtest.Main(m) }

type object = ethtest.Object

// harness is a network whose follower serves its pending state, and whose changes go to subscribers.
type harness struct {
	*ethtest.Network
	t      testing.TB
	feed   *Feed
	server *rpc.Server
	client *rpc.Client
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	h := &harness{t: t, server: rpc.NewServer()}
	h.Network = ethtest.NewNetwork(t, func(n *ethtest.Node, cfg *ethconfig.Config, source *ethtest.Source) {
		_, err := pending.Register(n.Stack, n.Eth, pending.Config{Source: source, Eth: cfg})
		require.NoError(t, err)
	})
	h.feed = New(Config{Source: h.Processor, Chain: h.Follower.Eth.BlockChain(), Metrics: metrics.NewSet()})
	for _, api := range h.feed.APIs() {
		require.NoError(t, h.server.RegisterName(api.Namespace, api.Service))
	}
	h.client = rpc.DialInProc(h.server)
	t.Cleanup(func() {
		h.client.Close()
		h.server.Stop()
		require.NoError(t, h.feed.Stop())
	})
	return h
}

// subscribe returns what a subscription delivers, as it came.
func (h *harness) subscribe(namespace string, args ...any) <-chan json.RawMessage {
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
func (h *harness) withLog() *types.Transaction { return h.Poke() }

// deliverUntil passes flashblocks on until one has the transaction, and returns them.
func (h *harness) deliverUntil(tx *types.Transaction) []*flashblocks.Flashblock {
	h.t.Helper()
	h.Submit(tx)
	for list := []*flashblocks.Flashblock{}; ; {
		fb := h.Next()
		h.Deliver(fb)
		list = append(list, fb)
		for _, raw := range fb.Diff.Transactions {
			if crypto.Keccak256Hash(raw) == tx.Hash() {
				return list
			}
		}
	}
}

// drain passes on what the builder has published and the follower has not seen.
func (h *harness) drain() { h.drainTo(func(*flashblocks.Flashblock) {}) }

// drainTo passes on what the builder has published and the follower has not seen, and tells of each.
func (h *harness) drainTo(told func(*flashblocks.Flashblock)) {
	h.t.Helper()
	for {
		select {
		case fb := <-h.Stream:
			h.Deliver(fb)
			told(fb)
		default:
			return
		}
	}
}
