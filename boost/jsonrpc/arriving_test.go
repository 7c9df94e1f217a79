// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonrpc

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// line is a source whose bytes come in pieces, and whose deadline passes when a test says so.
type line struct {
	pieces [][]byte
	end    error // after the last piece

	mu        sync.Mutex
	expire    int // the number of pieces after which the first deadline passes, -1 for never
	deadlines []time.Time
}

func (l *line) SetDeadline(at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadlines = append(l.deadlines, at)
	return nil
}

func (l *line) Read(out []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.expire == 0 {
		l.expire = -1
		return 0, os.ErrDeadlineExceeded
	}
	l.expire--
	if len(l.pieces) == 0 {
		return 0, l.end
	}
	n := copy(out, l.pieces[0])
	if l.pieces[0] = l.pieces[0][n:]; len(l.pieces[0]) == 0 {
		l.pieces = l.pieces[1:]
	}
	return n, nil
}

func (l *line) source() Source {
	return Source{Reader: l, SetDeadline: l.SetDeadline, Passing: time.Second, Whole: time.Minute}
}

func pieces(body []byte, rng *rand.Rand) (list [][]byte) {
	for len(body) > 0 {
		n := 1 + rng.IntN(min(len(body), 700))
		list = append(list, body[:n])
		body = body[n:]
	}
	return list
}

// Several who read at the same time, each for himself, and one who waits for all of it, get the same bytes.
func TestArrivingReaders(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		body := make([]byte, 1+rng.IntN(20_000))
		for i := range body {
			body[i] = byte(rng.Uint32())
		}
		head := rng.IntN(len(body) + 1)
		l := &line{pieces: pieces(body[head:], rng), end: io.EOF, expire: -1}
		a := NewArriving(bytes.Clone(body[:head]), len(body), l.source())
		require.Equal(t, len(body), a.Len())
		var wg sync.WaitGroup
		got := make([][]byte, 4)
		errs := make([]error, 4)
		for i := range 3 {
			wg.Go(func() { got[i], errs[i] = io.ReadAll(a.Open()) })
		}
		errs[3] = a.All()
		wg.Wait()
		<-a.Came()
		got[3], _ = io.ReadAll(a.Open())
		for i := range got {
			require.NoError(t, errs[i])
			require.Equal(t, body, got[i])
		}
		again, err := io.ReadAll(a.Open())
		require.NoError(t, err)
		require.Equal(t, body, again)
		if head < len(body) {
			require.Len(t, l.deadlines, 2)
			require.Zero(t, l.deadlines[1], "nothing that comes later is timed")
		}
	}
}

// A body that comes too slowly is no longer passed on, but it is waited for.
func TestArrivingLate(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	body := bytes.Repeat([]byte("0123456789"), 500)
	l := &line{pieces: pieces(body, rng), end: io.EOF, expire: 3}
	a := NewArriving(nil, len(body), l.source())
	_, err := io.ReadAll(a.Open())
	require.ErrorIs(t, err, ErrIncomplete)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	<-a.Came()
	require.NoError(t, a.All())
	require.Len(t, l.deadlines, 3)
	require.Greater(t, l.deadlines[1].Sub(l.deadlines[0]), 30*time.Second)
	require.Zero(t, l.deadlines[2])
	all, err := io.ReadAll(a.Open())
	require.NoError(t, err)
	require.Equal(t, body, all)
}

// A body that ends early is nobody's.
func TestArrivingCutShort(t *testing.T) {
	t.Parallel()
	reset := errors.New("connection reset")
	for name, tc := range map[string]struct{ end, want error }{
		"end of the stream": {io.EOF, io.ErrUnexpectedEOF},
		"reset":             {reset, reset},
	} {
		for _, expire := range []int{-1, 1} {
			l := &line{pieces: [][]byte{[]byte("abc"), []byte("def")}, end: tc.end, expire: expire}
			a := NewArriving([]byte("#"), 10, l.source())
			err := a.All()
			require.ErrorIs(t, err, ErrIncomplete, name)
			require.ErrorIs(t, err, tc.want, name)
			passed, err := io.ReadAll(a.Open())
			require.ErrorIs(t, err, ErrIncomplete, name)
			require.NotEmpty(t, passed, name)
		}
	}
}

// The memory of a body is another's once everybody has released it, and not before.
func TestArrivingIsReleased(t *testing.T) {
	t.Parallel()
	body := bytes.Repeat([]byte("block"), 20_000)
	l := &line{end: io.EOF, expire: -1}
	a := NewArriving(body, len(body), l.source())
	open, left := a.Open(), a.Open()
	require.True(t, a.Hold())
	require.NoError(t, left.Close())
	require.NoError(t, left.Close(), "closing again releases nothing")
	_, err := left.Read(make([]byte, 8))
	require.ErrorIs(t, err, ErrIncomplete)
	a.Release()
	a.Release()
	got := make([]byte, 1000)
	_, err = io.ReadFull(open, got)
	require.NoError(t, err)
	require.Equal(t, body[:1000], got)
	require.NoError(t, open.Close())
	require.False(t, a.Hold())
	_, err = a.Open().Read(got)
	require.ErrorIs(t, err, ErrIncomplete)
}

// Bodies that share memory one after another never see each other's bytes, even if a reader is closed by one goroutine
// while another reads.
func TestArrivingSharesNoBytes(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for round := range 200 {
				body := bytes.Repeat([]byte{byte(worker*50 + round%50)}, 40_000)
				l := &line{pieces: pieces(body[100:], rand.New(rand.NewPCG(uint64(worker), uint64(round)))), end: io.EOF, expire: -1}
				a := NewArriving(body[:100], len(body), l.source())
				reader, cut := a.Open(), a.Open()
				var inner sync.WaitGroup
				inner.Go(func() {
					defer reader.Close()
					got, err := io.ReadAll(reader)
					if err != nil || !bytes.Equal(got, body) {
						t.Errorf("worker %d round %d: %d bytes, %v", worker, round, len(got), err)
					}
				})
				inner.Go(func() {
					got, _ := io.ReadAll(cut)
					if !bytes.Equal(got, body[:len(got)]) {
						t.Errorf("worker %d round %d: another's bytes", worker, round)
					}
				})
				_ = cut.Close()
				a.Release()
				inner.Wait()
			}
		})
	}
	wg.Wait()
}
