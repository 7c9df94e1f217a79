// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonrpc

import (
	"bytes"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func newBody(content []byte) *Body {
	b := NewBody(len(content))
	copy(b.Bytes(), content)
	return b
}

// Several who read at the same time, each for himself, and one who reads again, get the same bytes.
func TestBodyReaders(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		content := make([]byte, 1+rng.IntN(20_000))
		for i := range content {
			content[i] = byte(rng.Uint32())
		}
		b := newBody(content)
		require.Len(t, b.Bytes(), len(content))
		var wg sync.WaitGroup
		got := make([][]byte, 4)
		errs := make([]error, 4)
		for i := range 3 {
			wg.Go(func() { got[i], errs[i] = io.ReadAll(b.Open()) })
		}
		wg.Wait()
		got[3], errs[3] = io.ReadAll(b.Open())
		for i := range got {
			require.NoError(t, errs[i])
			require.Equal(t, content, got[i])
		}
	}
}

// The memory of a body is another's once everybody has released it, and not before.
func TestBodyIsReleased(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("block"), 20_000)
	b := newBody(content)
	open, left := b.Open(), b.Open()
	require.True(t, b.Hold())
	require.NoError(t, left.Close())
	require.NoError(t, left.Close(), "closing again releases nothing")
	_, err := left.Read(make([]byte, 8))
	require.ErrorIs(t, err, errReleased)
	b.Release()
	b.Release()
	got := make([]byte, 1000)
	_, err = io.ReadFull(open, got)
	require.NoError(t, err)
	require.Equal(t, content[:1000], got)
	require.NoError(t, open.Close())
	require.False(t, b.Hold())
	_, err = b.Open().Read(got)
	require.ErrorIs(t, err, errReleased)
}

// Bodies that share memory one after another never see each other's bytes, even if a reader is closed by one goroutine
// while another reads.
func TestBodySharesNoBytes(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for round := range 200 {
				content := bytes.Repeat([]byte{byte(worker*50 + round%50)}, 40_000)
				b := newBody(content)
				reader, cut := b.Open(), b.Open()
				var inner sync.WaitGroup
				inner.Go(func() {
					defer reader.Close()
					got, err := io.ReadAll(reader)
					if err != nil || !bytes.Equal(got, content) {
						t.Errorf("worker %d round %d: %d bytes, %v", worker, round, len(got), err)
					}
				})
				inner.Go(func() {
					got, _ := io.ReadAll(cut)
					if !bytes.Equal(got, content[:len(got)]) {
						t.Errorf("worker %d round %d: another's bytes", worker, round)
					}
				})
				_ = cut.Close()
				b.Release()
				inner.Wait()
			}
		})
	}
	wg.Wait()
}
