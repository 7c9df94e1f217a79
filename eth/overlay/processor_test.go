// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// Over many blocks of random transactions, every snapshot equals what the canonical block begins with,
// whether its parent is canonical when it comes or not; nothing is executed twice.
func TestSnapshotsEqualBlocks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fork   testchain.Fork
		blocks int
	}{{testchain.Regolith, 40}, {testchain.Ecotone, 40}, {testchain.Isthmus, 60}, {testchain.Jovian, 220}} {
		t.Run(test.fork.String(), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, harnessConfig{chain: testchain.Config{Fork: test.fork}})
			mix, deploy := testchain.NewMix(h.Chain, int64(test.fork))
			h.Send(deploy...)
			var before *slot
			for n := range test.blocks {
				h.Send(mix.Txs(12)...)
				s := h.slot(mix.Deposits()...)
				for i, fb := range s.fbs {
					h.requirePrefix(h.BlockChain(), h.deliver(fb), s, i)
					if i == n%len(s.fbs) && before != nil {
						h.requirePrefix(h.BlockChain(), h.land(before.block), s, i) // behind the pending block, as in reality
						require.Nil(t, h.p.Snapshot().Parent)
					}
				}
				h.requireState(h.p.Snapshot(), s)
				before = &s
			}
			require.Nil(t, h.land(before.block), "everything is canonical")
			m := h.p.metrics
			require.EqualValues(t, test.blocks-1, m.rebased.Get())
			require.Zero(t, m.failures.Get()+m.reorged.Get()+m.partial.Get()+m.interrupted.Get()+m.parked.Get())
			for field, c := range m.diverged {
				require.Zero(t, c.Get(), field)
			}
		})
	}
}
