// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package load

import (
	"hash/maphash"
	"io"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// ledger numbers the messages in the order in which the first connection got each, and remembers when
// that was. It decodes a message once, however many connections bring it.
type ledger struct {
	seed maphash.Seed

	mu      sync.Mutex
	numbers map[uint64]int // by hash of the frame
	byKey   map[ledgerKey]int
	first   []time.Time
	spread  *histogram
	holes   int // flashblocks that no connection got
	lastKey ledgerKey
}

type ledgerKey struct {
	payload engine.PayloadID
	index   uint64
}

func newLedger() *ledger {
	return &ledger{
		seed:    maphash.MakeSeed(),
		numbers: make(map[uint64]int),
		byKey:   make(map[ledgerKey]int),
		spread:  new(histogram),
	}
}

// arrived records the arrival of a frame on one connection and returns the number of the message; ok is
// false for a frame that is no flashblock.
func (l *ledger) arrived(frame []byte, now time.Time) (number int, ok bool) {
	sum := maphash.Bytes(l.seed, frame)
	l.mu.Lock()
	defer l.mu.Unlock()
	number, known := l.numbers[sum]
	if !known {
		if len(l.first) == maxMessages {
			return 0, false
		}
		number = l.enter(frame, now)
		l.numbers[sum] = number
	}
	if number < 0 {
		return 0, false
	}
	l.spread.add(now.Sub(l.first[number]))
	return number, true
}

// enter numbers a frame not seen before. Frames of one flashblock in other bytes get the same number;
// what is no flashblock gets a negative one.
func (l *ledger) enter(frame []byte, now time.Time) int {
	header, _, err := flashblocks.DecodeHeader(frame, flashblocks.Limits{})
	if err != nil {
		return -1
	}
	k := ledgerKey{header.PayloadID, header.Index}
	if number, ok := l.byKey[k]; ok {
		return number
	}
	if len(l.first) > 0 && k.payload == l.lastKey.payload && k.index > l.lastKey.index+1 {
		l.holes += int(k.index - l.lastKey.index - 1)
	}
	l.lastKey = k
	number := len(l.first)
	l.byKey[k] = number
	l.first = append(l.first, now)
	return number
}

// appendAll reads to the end of one message.
func appendAll(buf []byte, r io.Reader) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

// histogram counts durations in steps of about four percent, so that any number of deliveries takes
// the same memory.
type histogram struct {
	counts [512]uint64
	total  uint64
	max    time.Duration
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucket(d)]++
	h.total++
	h.max = max(h.max, d)
}

// bucket is the step of a duration: sixteen steps to the doubling of microseconds.
func bucket(d time.Duration) int {
	us := uint64(max(d, 0) / time.Microsecond)
	if us < 16 {
		return int(us)
	}
	shift := 0
	for us >= 32 {
		us >>= 1
		shift++
	}
	return min(16*(shift+1)+int(us-16), 511)
}

// upper is the end of a step.
func upper(i int) time.Duration {
	if i < 16 {
		return time.Duration(i) * time.Microsecond
	}
	return time.Duration(uint64(i%16+16)<<(i/16-1)) * time.Microsecond
}

// quantile returns the duration below which the given share of all lies.
func (h *histogram) quantile(q float64) time.Duration {
	rank := uint64(q * float64(h.total))
	seen := uint64(0)
	for i, n := range h.counts {
		if seen += n; n > 0 && seen > rank {
			return upper(i)
		}
	}
	return h.max
}
