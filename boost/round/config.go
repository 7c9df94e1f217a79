// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

const (
	// defaultKeep is how many rounds are remembered, resolved ones included: op-node asks for a block once
	// or twice, and late flashblocks of a block come within the next one.
	defaultKeep = 8

	// defaultMaxEarly is for builds whose answer is still on its way, of which there are one or two. The
	// rest is for a builder that works for somebody else as well.
	defaultMaxEarly = 16

	// defaultEarlyBytes holds a full block of 10 MiB of transactions and as many bytes of logs in hex,
	// should the answer come as late as that.
	defaultEarlyBytes = 64 << 20

	// defaultRoundBytes is the same for one block.
	defaultRoundBytes = 64 << 20

	// maxPieces bounds the flashblocks of one block: 12 s, the longest block time, at 5 ms each, and some.
	maxPieces = 4096

	// staleAfter is how many builds may begin before flashblocks that no round has taken are dropped. The
	// one before the last may still be answered late.
	staleAfter = 2

	// gapPause is the least time between two attempts to have missing flashblocks sent again.
	gapPause = time.Second

	// complaintPause is the least time between two warnings of flashblocks that are no part of a block. The
	// counters count all of them.
	complaintPause = time.Second

	// maxTransactions bounds what a list of tiny strings grows to when it is read. A block of so many would
	// need 22 Ggas.
	maxTransactions = 1 << 20

	// maxWithdrawals is what a block has on L1 (MAX_WITHDRAWALS_PER_PAYLOAD, consensus specifications, Capella);
	// on the OP Stack it has none. Empty objects would grow fortyfold.
	maxWithdrawals = 16

	// maxMembers is many times what an execution payload will have in any fork.
	maxMembers = 256

	// briefValue is as much as an error repeats of a value.
	briefValue = 80
)

// Config configures a Store. Every zero value means its default. The functions are called with the store
// locked: they must not block, and must not call the store or its rounds.
type Config struct {
	Publish    func(stream.Message) // Takes what is published; nil for nobody
	Publishing func() bool          // Whether the mode allows publishing now; nil for always
	Gap        func()               // Called, at most once per payload id and second, when flashblocks are missing; nil for nobody

	Keep       int // Rounds kept, default 8
	MaxEarly   int // Payload ids whose flashblocks are kept before a round has them, default 16
	EarlyBytes int // Bytes of those, default 64 MiB
	RoundBytes int // Bytes of one block's flashblocks, default 64 MiB

	Metrics *metrics.Set     // Nil for a private set
	Log     log.Logger       // Nil for the root logger
	Now     func() time.Time // Nil for time.Now
}

func (c Config) withDefaults() Config {
	for v, def := range map[*int]int{
		&c.Keep: defaultKeep, &c.MaxEarly: defaultMaxEarly, &c.EarlyBytes: defaultEarlyBytes, &c.RoundBytes: defaultRoundBytes,
	} {
		if *v <= 0 {
			*v = def
		}
	}
	if c.Publish == nil {
		c.Publish = func(stream.Message) {}
	}
	if c.Publishing == nil {
		c.Publishing = func() bool { return true }
	}
	if c.Gap == nil {
		c.Gap = func() {}
	}
	if c.Metrics == nil {
		c.Metrics = metrics.NewSet()
	}
	if c.Log == nil {
		c.Log = log.Root()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}
