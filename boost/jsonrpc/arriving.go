// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonrpc

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// ErrIncomplete is what a body's readers get if it does not come, or not in time.
var ErrIncomplete = errors.New("the body of the request did not come")

// Source is where the rest of an Arriving comes from.
type Source struct {
	io.Reader

	// SetDeadline makes reads fail with os.ErrDeadlineExceeded from a moment on. The zero time ends that.
	SetDeadline func(time.Time) error

	// Passing is how long the body may take if it is to be passed on while it comes: whoever it is passed to waits
	// with it. Whole is how long it may take after that.
	Passing, Whole time.Duration
}

// Arriving is a body that is passed on while it still comes in. Whoever reads it first fetches the bytes; they are
// kept for those who come later, and for a second attempt, until the last who holds the body has released it. Then
// their memory is the next body's, since to clear half a megabyte for each block takes as long as to pass it on.
type Arriving struct {
	length int
	src    Source
	refs   atomic.Int32 // who holds it; at zero it is nobody's for ever

	came chan struct{} // closed when more has nothing to wait for any more

	mu    sync.Mutex
	begun bool
	ended bool
	buf   []byte // what has come; there is room for all of it
	err   error  // why no more comes for those who read on the way
}

// NewArriving returns a body of a known length of which head has come. The caller holds it.
func NewArriving(head []byte, length int, src Source) *Arriving {
	a := &Arriving{length: length, src: src, buf: append(takeBuffer(length), head...), came: make(chan struct{})}
	a.refs.Store(1)
	return a
}

// Hold keeps the body until one more Release. It returns false if it is gone.
func (a *Arriving) Hold() bool {
	for {
		switch n := a.refs.Load(); {
		case n == 0:
			return false
		case a.refs.CompareAndSwap(n, n+1):
			return true
		}
	}
}

// Release gives up what New and every Hold gave. Nothing of the body may be used any more.
func (a *Arriving) Release() {
	if a.refs.Add(-1) == 0 {
		returnBuffer(a.buf)
	}
}

// Len is the length of the whole body in bytes.
func (a *Arriving) Len() int { return a.length }

// Passing is how long the body may take if it is to be passed on while it comes.
func (a *Arriving) Passing() time.Duration { return a.src.Passing }

// Open returns a reader of the whole body, from its first byte. Its error wraps ErrIncomplete. The reader holds the
// body until it is closed.
func (a *Arriving) Open() io.ReadCloser {
	p := &passing{body: a}
	p.closed.Store(!a.Hold())
	return p
}

// Came is closed once the body has come to those whom it is passed on to, or they have been told that it will not.
// Nothing comes to nobody.
func (a *Arriving) Came() <-chan struct{} { return a.came }

// All waits until the whole body has come, even if it comes too slowly to be passed on. Its error wraps ErrIncomplete.
// One goroutine may call it, once.
func (a *Arriving) All() error {
	known := 0
	for known < a.length {
		have, err := a.more(known, a.length)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return a.late(have)
		}
		if err != nil {
			return err
		}
		known = len(have)
	}
	return nil
}

// late reads what is missing of a body that was not passed on in time. The others have been told: nobody else touches
// the source or the room behind what had come.
func (a *Arriving) late(have []byte) error {
	err := a.src.SetDeadline(time.Now().Add(a.src.Whole))
	if err == nil {
		_, err = io.ReadFull(a.src, have[len(have):a.length])
	}
	if err == nil {
		err = a.src.SetDeadline(time.Time{})
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	a.mu.Lock()
	a.buf, a.err = have[:a.length], nil
	a.mu.Unlock()
	return nil
}

// more returns what has come once that is more than known bytes. It fetches at most so many at a time.
func (a *Arriving) more(known, most int) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.buf) > known {
		return a.buf, nil
	}
	if !a.begun {
		a.begun = true
		a.err = a.src.SetDeadline(time.Now().Add(a.src.Passing))
	}
	for a.err == nil && len(a.buf) == known {
		var n int
		n, a.err = a.src.Read(a.buf[known:min(known+most, a.length)])
		a.buf = a.buf[:known+n]
	}
	switch {
	case len(a.buf) == a.length:
		a.err = a.src.SetDeadline(time.Time{})
	case errors.Is(a.err, io.EOF):
		a.err = io.ErrUnexpectedEOF
	}
	if (a.err != nil || len(a.buf) == a.length) && !a.ended {
		a.ended = true
		close(a.came)
	}
	if a.err != nil {
		return a.buf, fmt.Errorf("%w: %w", ErrIncomplete, a.err)
	}
	return a.buf, nil
}

// passing is a reader of an Arriving.
type passing struct {
	body   *Arriving
	at     int
	closed atomic.Bool
}

// Read implements io.Reader. Close may be called meanwhile.
func (p *passing) Read(out []byte) (int, error) {
	if p.at == p.body.length {
		return 0, io.EOF
	}
	if p.closed.Load() || !p.body.Hold() {
		return 0, fmt.Errorf("%w: nobody waits for it any more", ErrIncomplete)
	}
	defer p.body.Release()
	have, err := p.body.more(p.at, len(out)) // no more than is passed on at once, while the cache has it
	if len(have) <= p.at {
		return 0, err
	}
	n := copy(out, have[p.at:])
	p.at += n
	return n, nil
}

// Close implements io.Closer.
func (p *passing) Close() error {
	if p.closed.CompareAndSwap(false, true) {
		p.body.Release()
	}
	return nil
}

const (
	// smallestBuffer and largestBuffer bound the buffers that are kept: half of the mean block at Base in 2025, and twice
	// the largest.
	smallestBuffer = 32 << 10
	largestBuffer  = 1 << 20
)

// buffers holds *[]byte, whose capacities are powers of two.
var buffers sync.Pool

// takeBuffer returns an empty buffer with room for size bytes.
func takeBuffer(size int) []byte {
	if kept, ok := buffers.Get().(*[]byte); ok && cap(*kept) >= size {
		return (*kept)[:0]
	}
	return make([]byte, 0, max(smallestBuffer, 1<<bits.Len(uint(size-1))))
}

func returnBuffer(buf []byte) {
	if smallestBuffer <= cap(buf) && cap(buf) <= largestBuffer {
		buffers.Put(&buf)
	}
}
