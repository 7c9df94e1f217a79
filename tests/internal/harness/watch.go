// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package harness

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// Watchers are those who wait for a flashblock of one stream. The zero value has none. Methods are safe for
// concurrent use.
type Watchers struct {
	mu      sync.Mutex
	waiting []*Watcher
}

// Watcher is one who waits.
type Watcher struct {
	t     testing.TB
	match func(*flashblocks.Flashblock) bool
	found chan *flashblocks.Flashblock // buffered for the one
}

// Add begins to wait for the next flashblock that matches.
func (ws *Watchers) Add(t testing.TB, match func(*flashblocks.Flashblock) bool) *Watcher {
	t.Helper()
	w := &Watcher{t: t, match: match, found: make(chan *flashblocks.Flashblock, 1)}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.waiting = append(ws.waiting, w)
	return w
}

// Offer shows a flashblock that has come to all of them.
func (ws *Watchers) Offer(fb *flashblocks.Flashblock) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	kept := ws.waiting[:0]
	for _, w := range ws.waiting {
		if w.match(fb) {
			w.found <- fb
			continue
		}
		kept = append(kept, w)
	}
	ws.waiting = kept
}

// Get returns the flashblock once it has come.
func (w *Watcher) Get(what string) *flashblocks.Flashblock {
	w.t.Helper()
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	select {
	case fb := <-w.found:
		return fb
	case <-timer.C:
		require.FailNow(w.t, "no flashblock came: "+what)
		return nil
	}
}
