// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package teststream is both ends of a stream of flashblocks for tests: clients that read one frame by frame, an
// upstream that does what a test tells it to, a network that can be cut, and flashblocks to send. It is for tests
// only. It knows the wire and not the package flashblocks/stream, so that the tests of that package use it too; a
// hub of that package to subscribe to is in internal/testhub.
package teststream

import "time"

// Patience is how long a test waits for something that must happen. It decides nothing else.
const Patience = time.Minute
