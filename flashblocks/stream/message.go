// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package stream moves flashblocks over websockets: one hub that fans messages out to subscribers,
// one server that accepts them, and one subscriber that follows a hub. Builder, sidecar and proxy
// all use these three and differ only in what stands before and behind them.
//
// The hub keeps the last messages in one shared ring. A client is a cursor into that ring and a
// connection, so publishing costs the same for one client as for ten thousand, and a client that
// reads slowly only falls out of the ring itself.
package stream

import (
	"github.com/ethereum/go-ethereum/beacon/engine"
)

// Message is one publication. It must not be changed once it has been published: the hub keeps it in
// its ring and reads it from many goroutines.
type Message struct {
	PayloadID   engine.PayloadID
	BlockNumber uint64
	Index       uint64

	// V1 is the JSON text of the v1 stream, nil for a message that exists on v0 only (block sealed,
	// reorg, upstream lost). Such a message takes no position of its own: resuming never starts from it.
	V1 []byte

	// V0 encodes the v0 notification. It is called at most once, from a goroutine of the hub, and only
	// if a v0 client gets to this message; it may be called long after Publish, so it must capture
	// nothing that changes. Nil, an empty result or a panic leaves the message out of the v0 stream.
	V0 func() []byte

	// Aux belongs to the publisher: whatever its Filter needs to know of the message. The hub only
	// keeps it for as long as the message.
	Aux any
}
