// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A payload is kept for its answer; what it was built with is not.
func TestFinishedJobLetsGo(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	s.harness.send(s.transfer(0, 0, 5))
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	slot.finish()
	s.harness.send(s.transfer(1, 0, 5)) // announced to nobody
	j := slot.job
	require.Nil(t, j.env)
	require.Nil(t, j.candidates)
	require.Nil(t, j.gate.cancel)
	require.Nil(t, j.roots.state)
	require.Empty(t, j.inbox.txs)
	require.Zero(t, s.builder.sealed.Len())
	again, err := s.builder.GetPayload(slot.id)
	require.NoError(t, err)
	require.Len(t, again.ExecutionPayload.Transactions, 2)
	require.Zero(t, s.builder.sealed.Len(), "the state was given away")
}

// TestBuildEveryFork builds a few blocks of everything on every fork; a plain chain must import them.
func TestBuildEveryFork(t *testing.T) {
	t.Parallel()
	for f := bedrock; f <= jovian; f++ {
		for _, scheme := range []string{"path", "hash"} {
			t.Run(f.String()+"/"+scheme, func(t *testing.T) {
				t.Parallel()
				var h *harness
				h = newHarness(t, harnessConfig{fork: f, scheme: scheme, builder: func(c *Config) {
					c.Clock = new(jumpClock)
					c.Now = func() time.Time { return time.Unix(int64(h.chain.CurrentBlock().Time), 0) }
				}})
				plain := h.newChain()
				for block := range 3 {
					n := uint64(block)
					h.send(
						h.transfer(0, n, 5),
						h.tx(1, n, 9, &storageAddr, 100_000, slots(n, n+1)),
						h.tx(2, n, 3, &loggerAddr, 100_000, nil),
						h.tx(3, n, 2, &reverterAddr, 100_000, nil),
						h.tx(4, n, 1, &suicidalAddr, 100_000, nil),
						h.tx(5, n, 7, &factoryAddr, 200_000, nil),
						h.tx(6, n, 7, nil, 200_000, []byte{0x60, 0x01, 0x60, 0x00, 0x55, 0x00}),
					)
					args := h.attributes(h.chain.CurrentBlock())
					id, err := h.builder.BuildPayload(args, Options{})
					require.NoError(t, err)
					<-h.builder.find(id).finished
					require.Len(t, h.stream.flashblocks(t, id), 11)
					envelope, err := h.builder.GetPayload(id)
					require.NoError(t, err)
					require.Len(t, envelope.ExecutionPayload.Transactions, 8)
					h.requirePublished(id, envelope)
					b := h.insert(envelope, args)
					_, err = plain.InsertBlockWithoutSetHead(context.Background(), b, false)
					require.NoError(t, err)
					_, err = plain.SetCanonical(b)
					require.NoError(t, err)
				}
				require.EqualValues(t, 3, h.builder.metrics.reused.Get())
			})
		}
	}
}
