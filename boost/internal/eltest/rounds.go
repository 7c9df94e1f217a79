// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eltest

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// Rounds is a store of rounds that remembers what it has published.
type Rounds struct {
	*round.Store

	mu  sync.Mutex
	out []stream.Message
}

// NewRounds returns a store that publishes while publishing says so.
func NewRounds(set *metrics.Set, publishing func() bool) *Rounds {
	r := new(Rounds)
	r.Store = round.NewStore(round.Config{Metrics: set, Publishing: publishing, Publish: func(m stream.Message) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.out = append(r.out, m)
	}})
	return r
}

// Deliver gives the store flashblocks.
func (r *Rounds) Deliver(t testing.TB, list []*flashblocks.Flashblock) {
	t.Helper()
	for _, fb := range list {
		header, text, err := flashblocks.DecodeHeader(fb.AppendJSON(nil), flashblocks.Limits{})
		require.NoError(t, err)
		r.Add(stream.Delivery{Header: header, JSON: text, Arrived: time.Unix(BlockTime, 0)})
	}
}

// Messages returns what was published.
func (r *Rounds) Messages() []stream.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]stream.Message(nil), r.out...)
}

// Published counts the flashblocks that went out; notices are the texts of the v0-only messages.
func (r *Rounds) Published() (count int, notices []string) {
	for _, m := range r.Messages() {
		if m.V1 == nil {
			notices = append(notices, string(m.V0()))
			continue
		}
		count++
	}
	return count, notices
}

// Reorged reports whether subscribers were told that what they saw is void.
func (r *Rounds) Reorged() bool { return r.told(`"reorg":true`) }

// Sealed reports whether subscribers were told that what they saw is in a block.
func (r *Rounds) Sealed() bool { return r.told(`"sealed":true`) }

func (r *Rounds) told(what string) bool {
	_, notices := r.Published()
	return strings.Contains(strings.Join(notices, "\n"), what)
}
