// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package overlay turns flashblocks into pending state: it executes each delta once and publishes an
// immutable snapshot of the block under construction, from which every answer at "pending" is taken.
//
// One goroutine, the processor's, executes and publishes. Readers load the newest snapshot from an
// atomic pointer and never wait for it. What they get is checked against the canonical head at that moment, so
// that it is never behind latest, nor on another branch, however late the processor is.
//
// A block's flashblocks usually begin before its parent is canonical and execute on the node's own pending
// parent. When the parent becomes canonical as it was executed, its layers are dropped and the rest moves
// onto the canonical state without being executed again. If it turns out to be another block, what stood on it
// is withdrawn; if only its last flashblocks were missed, what stood on it is executed again, and withdrawn
// only if the outcome differs.
//
// Everything is bounded: the flashblocks of one block by flashblocks.Sequence, what waits for execution by a
// queue, and pending blocks by a depth of eight above the canonical head. A block whose parent is not known
// waits, and is replaced by the next one.
package overlay
