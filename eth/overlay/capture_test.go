// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// capture takes what the builder publishes.
type capture struct {
	mu     sync.Mutex
	raws   [][]byte
	built  []miner.Built
	notify chan struct{}
}

// Publish implements miner.Publisher.
func (c *capture) Publish(m stream.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.V1 != nil {
		c.raws = append(c.raws, m.V1)
	}
}

// add is called after Publish.
func (c *capture) add(b miner.Built) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.built = append(c.built, b)
	if c.notify != nil {
		close(c.notify)
		c.notify = nil
	}
}

func (c *capture) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raws, c.built = nil, nil
}

func (c *capture) waitFor(t testing.TB, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	for {
		c.mu.Lock()
		have := len(c.built)
		if c.notify == nil {
			c.notify = make(chan struct{})
		}
		notify := c.notify
		c.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-notify:
		case <-ctx.Done():
			require.FailNow(t, "flashblocks did not come", "have %d, want %d", have, n)
		}
	}
}

func (c *capture) all(t testing.TB) ([]*flashblocks.Flashblock, []miner.Built) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]*flashblocks.Flashblock, len(c.raws))
	for i, raw := range c.raws {
		fb, _, err := flashblocks.Decode(raw, flashblocks.Limits{})
		require.NoError(t, err)
		list[i] = fb
	}
	return list, c.built
}
