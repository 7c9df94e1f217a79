// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package params holds the configuration of flashgeth's components: structs with defaults and checks,
// and the command line flags that fill them. It is a leaf: it imports no other package of this module.
package params

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// MetadataForm selects what a builder puts into the metadata of its flashblocks.
type MetadataForm string

const (
	// MetadataFull is op-rbuilder's form: block number, balances and receipts.
	MetadataFull MetadataForm = "full"
	// MetadataTrimmed is Base's form since Azul: block number and previous flashblock.
	MetadataTrimmed MetadataForm = "trimmed"
)

// Flashblocks configures the builder and its stream, or the follower of another node's stream, and the
// pending state that either serves.
type Flashblocks struct {
	Enabled bool     // Build flashblocks
	URLs    []string // Streams to follow instead, ws:// or wss://, of which the first to bring a flashblock counts

	Interval   time.Duration // Time between two flashblocks
	EndBuffer  time.Duration // Reserve between the last flashblock and the block's timestamp
	SendOffset time.Duration // Shift of every deadline; negative is earlier
	BlockTime  time.Duration // Time between two blocks, 0 to learn it from the chain

	Metadata        MetadataForm // Form of the metadata on the v1 stream
	PublishRoots    bool         // Publish the real state root at every index instead of zero
	ReuseExecution  bool         // Answer newPayload of an own block from the sealed state
	MaxBlockSize    uint64       // Cap on the block's uncompressed size in bytes, 0 for op-geth's own
	Addr            string       // Listening address of the stream
	Port            int          // Listening port of the stream, 0 for a free one
	SubscriberLimit int          // Most subscribers at a time; more are closed with 1013
	MetricsAddr     string       // host:port of the Prometheus endpoint, port 0 for a free one, empty for none

	Strict          bool          // Withhold pending state whose execution differs from what the stream says
	UpstreamTimeout time.Duration // A followed stream that is silent for this long is given up and dialled again
	StaleAfter      time.Duration // Pending falls back to latest when it stands still for this long; 0 for three blocks, at least 5 s
	ReadyMaxAge     time.Duration // A follower whose newest pending state is older is not ready
}

// DefaultFlashblocks is what the flags default to. Interval and end buffer are design §5's; the
// address, port and subscriber limit are op-rbuilder's.
var DefaultFlashblocks = Flashblocks{
	Interval:        200 * time.Millisecond,
	EndBuffer:       100 * time.Millisecond,
	Metadata:        MetadataFull,
	ReuseExecution:  true,
	Addr:            "127.0.0.1",
	Port:            1111,
	SubscriberLimit: 256,
	UpstreamTimeout: 6 * time.Second,
	ReadyMaxAge:     5 * time.Second,
}

// MinInterval is the shortest interval the builder accepts. Below it the fixed cost of a flashblock
// (receipts root, encoding, one write per subscriber) exceeds the time between two of them.
const MinInterval = 5 * time.Millisecond

// Follows reports whether the node takes its pending state from the streams of others.
func (c *Flashblocks) Follows() bool { return len(c.URLs) > 0 }

// Check reports the first value that the node could not run with, as one sentence.
func (c *Flashblocks) Check() error {
	switch {
	case c.StaleAfter < 0:
		return fmt.Errorf("flashblocks staleness %v must not be negative", c.StaleAfter)
	case c.Enabled && c.Follows():
		return errBoth
	case c.Enabled:
		return c.checkBuilder()
	case c.Follows():
		return c.checkFollower()
	}
	return nil
}

// checkBuilder is Check for a node that builds.
func (c *Flashblocks) checkBuilder() error {
	switch {
	case c.Interval <= 0:
		return errors.New("flashblocks interval must be greater than zero")
	case c.Interval < MinInterval:
		return fmt.Errorf("flashblocks interval %v is below the shortest supported, %v", c.Interval, MinInterval)
	case c.EndBuffer < 0:
		return fmt.Errorf("flashblocks end buffer %v must not be negative", c.EndBuffer)
	case c.Port < 0 || c.Port > 65535:
		return fmt.Errorf("flashblocks port %d is not a TCP port", c.Port)
	case c.SubscriberLimit <= 0:
		return fmt.Errorf("flashblocks subscriber limit %d must be greater than zero", c.SubscriberLimit)
	case c.Metadata != MetadataFull && c.Metadata != MetadataTrimmed:
		return fmt.Errorf("flashblocks metadata form %q is unknown: use %q or %q", c.Metadata, MetadataFull, MetadataTrimmed)
	case c.BlockTime < 0:
		return fmt.Errorf("block time %v must not be negative", c.BlockTime)
	}
	if err := c.checkMetricsAddr(); err != nil {
		return err
	}
	if c.BlockTime == 0 {
		return nil // known to the chain, or only with the first payload attributes of a new one
	}
	return c.CheckBlockTime(c.BlockTime)
}

// checkMetricsAddr reports an address that no listener could be opened on.
func (c *Flashblocks) checkMetricsAddr() error {
	if c.MetricsAddr == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(c.MetricsAddr)
	if err != nil {
		return fmt.Errorf("flashblocks metrics address %q is not host:port: %w", c.MetricsAddr, err)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("flashblocks metrics address %q has no TCP port", c.MetricsAddr)
	}
	return nil
}

// CheckBlockTime reports an interval, buffer or offset that does not fit into a slot of blockTime.
func (c *Flashblocks) CheckBlockTime(blockTime time.Duration) error {
	switch {
	case !c.Enabled:
		return nil
	case c.Interval > blockTime:
		return fmt.Errorf("flashblocks interval %v is longer than the block time %v", c.Interval, blockTime)
	case c.EndBuffer >= blockTime:
		return fmt.Errorf("flashblocks end buffer %v leaves nothing of the block time %v", c.EndBuffer, blockTime)
	case c.SendOffset.Abs() >= blockTime:
		return fmt.Errorf("flashblocks send offset %v moves every flashblock out of the block time %v", c.SendOffset, blockTime)
	}
	return nil
}
