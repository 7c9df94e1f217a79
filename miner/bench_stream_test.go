// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common/mclock"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// handedOver is how many flashblocks wait for the listener of this process, as many as in the node.
const handedOver = 256

// liveStream is what a node streams with: the hub, one websocket client that reads everything, and a listener
// in the process that every flashblock is handed to with what executing it gave. What the node's listener
// does then, which is to make pending state, is not streaming, and is not done here.
type liveStream struct {
	hub    *stream.Hub
	client *streamClient
	built  chan Built

	mu        sync.Mutex
	total     int           // flashblocks published
	published []publication // since the last look
}

// publication is a flashblock that was published.
type publication struct {
	index uint64
	at    mclock.AbsTime // when the hub had it, on the system's clock
}

// goLive has the harness's builder stream to a client and to a listener.
func (h *harness) goLive() *liveStream {
	h.t.Helper()
	s := &liveStream{hub: stream.NewHub(stream.HubConfig{}), built: make(chan Built, handedOver)}
	require.NoError(h.t, s.hub.Start(context.Background()))
	server := httptest.NewServer(s.hub.Handler())
	s.client = startClient(h.t, "ws"+strings.TrimPrefix(server.URL, "http"))
	var listener sync.WaitGroup
	listener.Go(func() {
		for range s.built {
		}
	})
	h.t.Cleanup(func() {
		require.NoError(h.t, h.builder.Stop())
		s.client.stop(h.t)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		require.NoError(h.t, s.hub.Stop(ctx))
		server.Close()
		close(s.built)
		listener.Wait()
	})
	h.builder.stream = s
	h.builder.config.OnFlashblock = func(built Built) {
		select {
		case s.built <- built:
		default:
		}
	}
	return s
}

// Publish implements Publisher.
func (s *liveStream) Publish(m stream.Message) {
	s.hub.Publish(m)
	if m.V1 == nil {
		return // not for this client
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total++
	s.published = append(s.published, publication{m.Index, mclock.Now()})
}

// delivered waits until the client has read everything, and returns what was published since the last call.
func (s *liveStream) delivered(t testing.TB) []publication {
	t.Helper()
	s.mu.Lock()
	list, total := s.published, s.total
	s.published = nil
	s.mu.Unlock()
	s.client.await(t, total)
	return list
}
