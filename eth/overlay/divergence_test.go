// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// requireDivergences asserts what the counters say, by field; fields left out are zero.
func (h *harness) requireDivergences(stream, canonical map[string]uint64) {
	h.t.Helper()
	for _, field := range divergenceFields {
		require.Equal(h.t, stream[field], h.p.metrics.diverged[field].Get(), "stream, %s", field)
		require.Equal(h.t, canonical[field], h.p.metrics.canonicalDiverged[field].Get(), "canonical, %s", field)
	}
}

// In strict mode a snapshot that differs from what the stream says is not shown.
func TestDivergence(t *testing.T) {
	t.Parallel()
	for _, strict := range []bool{false, true} {
		h := newHarness(t, harnessConfig{chain: testchain.Config{Fork: testchain.Jovian}, processor: func(c *Config) { c.Strict = strict }})
		s := h.slots(2)
		lie := *s[0].fbs[1]
		lie.Diff.ReceiptsRoot[0] ^= 1
		snapshot := h.deliver(s[0].fbs[0], &lie)
		h.requireDivergences(map[string]uint64{fieldReceiptsRoot: 1}, nil)
		if strict {
			h.requirePrefix(h.BlockChain(), snapshot, s[0], 0)
			require.True(t, snapshot.Incomplete)
			require.Same(t, snapshot, h.deliver(s[0].fbs[2:]...))
		} else {
			h.requirePrefix(h.BlockChain(), snapshot, s[0], 1)
			h.requirePrefix(h.BlockChain(), h.deliver(s[0].fbs[2:]...), s[0], 4)
		}
		h.land(s[0].block)
		h.requirePrefix(h.BlockChain(), h.deliver(s[1].fbs...), s[1], 4)
		require.Zero(t, h.p.metrics.reorged.Get())
		h.requireDivergences(map[string]uint64{fieldReceiptsRoot: 1}, nil)
	}
}

// With roots on the wire the hashes of blocks are known, and right, under every fork.
func TestHashesAgree(t *testing.T) {
	t.Parallel()
	for _, fork := range []testchain.Fork{testchain.Regolith, testchain.Canyon, testchain.Ecotone, testchain.Isthmus, testchain.Jovian} {
		t.Run(fork.String(), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, harnessConfig{chain: testchain.Config{Fork: fork}, roots: true})
			mix, deploy := testchain.NewMix(h.Chain, int64(fork))
			h.Send(deploy...)
			var before *slot
			for range 6 {
				h.Send(mix.Txs(12)...)
				s := h.slot(mix.Deposits()...)
				h.deliver(s.fbs...)
				require.Equal(t, s.block.Hash(), h.p.Snapshot().Block().Hash())
				if before != nil {
					h.land(before.block)
				}
				before = &s
			}
			require.Nil(t, h.land(before.block))
			h.requireDivergences(nil, nil)
			require.Zero(t, h.p.metrics.reorged.Get())
		})
	}
}

// A root on the wire that does not give the hash by which the next block names the block is seen there, and
// when the block is canonical. Nothing that was executed is wrong for it; in strict mode nothing more stands on it.
func TestWrongRoot(t *testing.T) {
	t.Parallel()
	for _, strict := range []bool{false, true} {
		h := newHarness(t, harnessConfig{
			chain: testchain.Config{Fork: testchain.Jovian}, roots: true, processor: func(c *Config) { c.Strict = strict },
		})
		s := h.slots(2)
		lie := *s[0].fbs[4]
		lie.Diff.StateRoot[0] ^= 1
		h.deliver(s[0].fbs[:4]...)
		require.False(t, h.deliver(&lie).Incomplete)
		h.requireDivergences(nil, nil)
		sub := h.p.Subscribe()
		snapshot := h.deliver(s[1].fbs...)
		h.requireDivergences(map[string]uint64{fieldBlockHash: 1}, nil)
		if strict {
			require.EqualValues(t, 1, snapshot.Number())
			require.True(t, snapshot.Incomplete)
		} else {
			h.requirePrefix(h.BlockChain(), snapshot, s[1], 4)
		}
		h.requirePrefix(h.BlockChain(), h.land(s[0].block), s[1], 4)
		h.requireDivergences(map[string]uint64{fieldBlockHash: 1}, map[string]uint64{fieldBlockHash: 1})
		require.Empty(t, withdrawn(drain(sub)))
		require.Nil(t, h.land(s[1].block))
		require.Zero(t, h.p.metrics.reorged.Get())
	}
}

// A canonical block of the same transactions with another outcome is no reorganisation: this node, or the stream,
// has executed them otherwise. What was told is withdrawn all the same.
func TestCanonicalDivergence(t *testing.T) {
	t.Parallel()
	lie := func(common.Hash) (common.Hash, error) { return common.Hash{9}, nil }
	t.Run("whole block", func(t *testing.T) {
		t.Parallel()
		h, s := newDamaged(t, lie)
		sub := h.p.Subscribe()
		require.Len(t, h.deliver(s[1].fbs...).Txs, 2)
		require.Nil(t, h.land(s[1].block))
		require.Equal(t, []uint64{2}, withdrawn(drain(sub)))
		require.Zero(t, h.p.metrics.reorged.Get())
		h.requireDivergences(map[string]uint64{fieldGasUsed: 4}, map[string]uint64{fieldGasUsed: 1})
	})
	t.Run("its beginning", func(t *testing.T) {
		t.Parallel()
		h, s := newDamaged(t, lie)
		h.logs(2)
		longer := h.fork(s[1], 3)
		require.Len(t, longer.block.Transactions(), 3)
		first := *longer.fbs[1]
		raw, err := longer.block.Transactions()[1].MarshalBinary()
		require.NoError(t, err)
		first.Diff.Transactions = [][]byte{raw}
		require.Len(t, h.deliver(longer.fbs[0], &first).Txs, 2)
		require.Nil(t, h.land(longer.block))
		require.Zero(t, h.p.metrics.reorged.Get()+h.p.metrics.partial.Get())
		h.requireDivergences(map[string]uint64{fieldGasUsed: 1}, map[string]uint64{fieldReceiptsRoot: 1})
	})
	t.Run("another block", func(t *testing.T) {
		t.Parallel()
		h := newJovian(t)
		s := h.slots(1)
		h.deliver(s[0].fbs...)
		require.Nil(t, h.land(h.fork(s[0], 7).block))
		require.EqualValues(t, 1, h.p.metrics.reorged.Get())
		h.requireDivergences(nil, nil)
	})
	t.Run("executed on a parent whose end was missed", func(t *testing.T) {
		t.Parallel()
		h := newJovian(t)
		h.Send(h.Tx(1, 0, 100, &testchain.StorageAddr, 60_000, testchain.Words(1, 1)))
		first := h.slot()
		h.Send(h.Tx(2, 0, 100, &testchain.StorageAddr, 60_000, testchain.Words(1, 0)))
		second := h.slot()
		h.deliver(append([]*flashblocks.Flashblock{first.fbs[0]}, unlink(second.fbs)...)...)
		require.Nil(t, h.land(first.block, second.block), "both at once")
		require.EqualValues(t, 1, h.p.metrics.reorged.Get())
		stream := uint64(0)
		for _, field := range divergenceFields {
			stream += h.p.metrics.diverged[field].Get()
			require.Zero(t, h.p.metrics.canonicalDiverged[field].Get())
		}
		require.NotZero(t, stream)
	})
}
