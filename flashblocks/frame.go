// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
)

const (
	// DefaultMaxDecoded bounds a plain message in bytes. A block that op-node's gossip can carry holds
	// at most 10 MiB of transactions, which is 20 MiB of hex; the rest is for receipts and balances.
	DefaultMaxDecoded = 32 << 20

	// DefaultMaxCompressed bounds a brotli message in bytes. Hex at least halves when compressed, so a
	// larger message could not stay below DefaultMaxDecoded.
	DefaultMaxCompressed = DefaultMaxDecoded / 2
)

// Limits bounds what is read from a peer, in bytes. Zero values stand for the defaults.
type Limits struct {
	MaxCompressed int // brotli message as received
	MaxDecoded    int // JSON, as received or after decompression
}

func (l Limits) withDefaults() Limits {
	if l.MaxCompressed <= 0 {
		l.MaxCompressed = DefaultMaxCompressed
	}
	if l.MaxDecoded <= 0 {
		l.MaxDecoded = DefaultMaxDecoded
	}
	return l
}

// MaxFrame is the largest frame that can still be accepted, in bytes: the read limit of a connection.
func (l Limits) MaxFrame() int64 {
	l = l.withDefaults()
	return int64(max(l.MaxCompressed, l.MaxDecoded))
}

// brotliReaders keeps decompressors, whose windows are worth tens of KiB to MiB each.
var brotliReaders = sync.Pool{New: func() any { return brotli.NewReader(nil) }}

// Plain returns the JSON of a message that is plain or brotli, in a text or a binary frame. Plain
// JSON is returned as it is, sharing memory with frame. The first byte that is not white space decides:
// no brotli stream with content begins with an opening brace. Errors: ErrTooLarge, ErrCompression.
func Plain(frame []byte, lim Limits) ([]byte, error) {
	lim = lim.withDefaults()
	head := newScanner(frame)
	if head.Peek() == '{' {
		if len(frame) > lim.MaxDecoded {
			return nil, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, len(frame), lim.MaxDecoded)
		}
		return frame, nil
	}
	if len(frame) > lim.MaxCompressed {
		return nil, fmt.Errorf("%w: %d bytes compressed, limit %d", ErrTooLarge, len(frame), lim.MaxCompressed)
	}
	return decompress(frame, lim.MaxDecoded)
}

func decompress(frame []byte, limit int) ([]byte, error) {
	reader, ok := brotliReaders.Get().(*brotli.Reader)
	if !ok {
		reader = brotli.NewReader(nil)
	}
	if err := reader.Reset(bytes.NewReader(frame)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCompression, err)
	}
	var out bytes.Buffer
	// Flashblocks shrink to a quarter to a third; start there, but never above the limit, so that a
	// small frame cannot make us reserve much.
	out.Grow(min(4*len(frame)+bytes.MinRead, limit+bytes.MinRead))
	n, err := out.ReadFrom(io.LimitReader(reader, int64(limit)+1))
	switch {
	case n > int64(limit):
		return nil, fmt.Errorf("%w: over %d bytes after decompression", ErrTooLarge, limit)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrCompression, err)
	}
	// Only a reader that came to the end of its stream goes back: Reset keeps input that was not
	// consumed, which would come out in front of the next message. Reset drops the peer's bytes.
	if reader.Reset(bytes.NewReader(nil)) == nil {
		brotliReaders.Put(reader)
	}
	return out.Bytes(), nil
}
