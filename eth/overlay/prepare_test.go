// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// Whoever prepares a transaction, it is the same one for everybody, with its sender known, and what does
// not decode is told to whoever comes to it.
func TestDelta(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	raws := make([][]byte, 300)
	for i := range raws {
		var err error
		raws[i], err = h.Transfer(i%3, uint64(i), 5).MarshalBinary()
		require.NoError(t, err)
	}
	raws[123] = []byte{0x02, 0xff}
	for _, count := range []int{0, 1, 3} {
		p := &preparers{count: count, deltas: make(chan *delta, prepareQueue)}
		p.signer.Store(&h.Signer)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for range count {
			running.Go(func() { p.run(ctx) })
		}
		d := newDelta(raws)
		p.take(d)
		for i := range raws {
			tx, err := d.get(i, h.Signer)
			if i == 123 {
				require.ErrorIs(t, err, errBadTransaction)
				require.Nil(t, tx)
				continue
			}
			require.NoError(t, err)
			from, err := types.Sender(h.Signer, tx)
			require.NoError(t, err)
			require.Equal(t, h.Addrs[i%3], from)
			again, err := d.get(i, h.Signer)
			require.NoError(t, err)
			require.Same(t, tx, again)
		}
		cancel()
		running.Wait()
	}
}

// Nothing that arrives waits for the preparers, and what they do not get to costs only time.
func TestPreparersAreBounded(t *testing.T) {
	t.Parallel()
	p := &preparers{count: 4, deltas: make(chan *delta, prepareQueue)}
	for range 3 * prepareQueue { // nobody prepares
		p.take(newDelta([][]byte{{1}, {2}, {3}}))
	}
	require.Len(t, p.deltas, prepareQueue)
}

// Bytes on which decoding panics make a bad transaction, wherever they are decoded.
func TestDeltaPanic(t *testing.T) {
	t.Parallel()
	h := newHarness(t, harnessConfig{chain: testchain.Config{Fork: testchain.Jovian}})
	raw, err := h.Transfer(0, 0, 5).MarshalBinary()
	require.NoError(t, err)
	d := newDelta([][]byte{raw})
	_, err = d.get(0, nil) // a signer that panics
	require.ErrorIs(t, err, errPanic)
}
