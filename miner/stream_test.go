// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// memoryStream keeps what the builder publishes.
type memoryStream struct {
	mu       sync.Mutex
	messages []stream.Message
	notify   chan struct{} // closed and replaced at every message
	onMsg    func(stream.Message)
}

// Publish implements Publisher.
func (s *memoryStream) Publish(m stream.Message) {
	s.mu.Lock()
	s.messages = append(s.messages, m)
	if s.notify != nil {
		close(s.notify)
		s.notify = nil
	}
	hook := s.onMsg
	s.mu.Unlock()
	if hook != nil {
		hook(m)
	}
}

// flashblocks returns the v1 messages of a payload, decoded from their bytes.
func (s *memoryStream) flashblocks(t testing.TB, id engine.PayloadID) []*flashblocks.Flashblock {
	t.Helper()
	var list []*flashblocks.Flashblock
	for _, m := range s.all() {
		if m.PayloadID != id || m.V1 == nil {
			continue
		}
		fb := decodeFlashblock(t, m.V1)
		list = append(list, fb)
	}
	return list
}

func (s *memoryStream) all() []stream.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]stream.Message(nil), s.messages...)
}

// waitFor blocks until at least n v1 messages of the payload were published.
func (s *memoryStream) waitFor(t testing.TB, id engine.PayloadID, n int) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		count := 0
		for _, m := range s.messages {
			if m.PayloadID == id && m.V1 != nil {
				count++
			}
		}
		if s.notify == nil {
			s.notify = make(chan struct{})
		}
		notify := s.notify
		s.mu.Unlock()
		if count >= n {
			return
		}
		select {
		case <-notify:
		case <-deadline:
			require.FailNow(t, "flashblocks did not come", "have %d, want %d", count, n)
		}
	}
}

func decodeFlashblock(t testing.TB, raw []byte) *flashblocks.Flashblock {
	t.Helper()
	fb, _, err := flashblocks.Decode(raw, flashblocks.Limits{})
	require.NoError(t, err)
	return fb
}

// reset forgets what was published.
func (s *memoryStream) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = nil
}
