// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package miner is the builder: it executes the best transactions of the pool under per-index
// ceilings on one running state, publishes every index as a flashblock, and seals exactly what it
// published when the consensus client asks for the payload.
//
// A job owns three things that never share a lock: the execution state, written by the job's
// goroutine only; the root state, written by the hasher's goroutine only, which receives the diff of
// every published flashblock; and the published prefix, guarded by the gate. Work that was executed
// but not published exists in the execution state alone, so leaving it out of the block costs nothing.
package miner
