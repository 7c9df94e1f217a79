// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testhub"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// fakeConductor answers conductor_leader as op-conductor's RPC does.
func fakeConductor(t testing.TB, leads *atomic.Bool) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
		}
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil || call.Method != "conductor_leader" {
			http.Error(w, "unexpected call", http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": call.ID, "result": leads.Load()})
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestFollowsTheLeader: two sequencers stream different blocks, as in a split brain; clients get those of
// the leader, and after the leadership moves those of the other one, from where it began.
func TestFollowsTheLeader(t *testing.T) {
	t.Parallel()
	a, b := newUpstream(t), newUpstream(t)
	var aLeads, bLeads atomic.Bool
	aLeads.Store(true)
	h := newHarness(t, Config{
		ConductorPoll: 10 * time.Millisecond,
		Upstreams: []Upstream{
			{URL: a.URL("/"), Conductor: fakeConductor(t, &aLeads)},
			{URL: b.URL("/"), Conductor: fakeConductor(t, &bLeads)},
		},
	})
	h.connected(2)
	leads := func(u *testhub.Builder) func() bool {
		return func() bool { return h.figure(`websocket_proxy_upstream_leading{upstream="`+u.Addr+`"}`) == 1 }
	}
	h.eventually("a leads", leads(a))
	ws := h.dial("/ws")
	h.clients(1)
	b.PublishBlock(20, 0, 3)
	h.eventually("b is held back", func() bool { return h.figure("websocket_proxy_follower_messages") == 4 })
	a.PublishBlock(19, 0, 2)
	teststream.Expect(t, ws, 19, 0, 2)

	aLeads.Store(false)
	bLeads.Store(true)
	h.eventually("b leads", leads(b))
	b.PublishBlock(20, 4, 5)
	teststream.Expect(t, ws, 20, 0, 5)
}

func TestConductorAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		body   string
		want   leadership
		fails  bool
	}{
		"leads":         {200, `{"jsonrpc":"2.0","id":1,"result":true}`, leaderYes, false},
		"does not lead": {200, `{"jsonrpc":"2.0","id":1,"result":false}`, leaderNo, false},
		"error":         {200, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}`, leaderUnknown, true},
		"no result":     {200, `{"jsonrpc":"2.0","id":1}`, leaderUnknown, true},
		"not JSON":      {200, `<html>`, leaderUnknown, true},
		"not a boolean": {200, `{"result":"yes"}`, leaderUnknown, true},
		"status":        {502, `{"result":true}`, leaderUnknown, true},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			_, _ = w.Write([]byte(tc.body))
		}))
		c := conductor{url: server.URL, every: time.Second, client: server.Client()}
		got, err := c.ask(context.Background())
		server.Close()
		require.Equal(t, tc.want, got, name)
		require.Equal(t, tc.fails, err != nil, name)
	}
}

// TestASilentConductorLosesItsSay: one failed poll changes nothing, several do.
func TestASilentConductorLosesItsSay(t *testing.T) {
	t.Parallel()
	var failures atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if failures.Load() > 0 {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte(`{"result":true}`))
	}))
	defer server.Close()
	told, failed := make(chan leadership, 16), make(chan struct{}, 16)
	ctx, cancel := context.WithCancel(context.Background())
	c := conductor{
		url: server.URL, every: time.Millisecond, client: server.Client(),
		tell:   func(l leadership) { told <- l },
		failed: func(error) { failed <- struct{}{} },
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(ctx)
	}()
	require.Equal(t, leaderYes, <-told)
	failures.Store(1)
	for range conductorPatience {
		<-failed
	}
	for lead := range told {
		if lead == leaderUnknown {
			break
		}
	}
	cancel()
	for {
		select {
		case <-told:
		case <-failed:
		case <-done:
			return
		}
	}
}
