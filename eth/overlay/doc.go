// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package overlay turns flashblocks into pending state: it executes each delta once and publishes an
// immutable snapshot of the block under construction, from which every answer at "pending" is taken.
//
// One goroutine, the processor's, executes and publishes. Readers load the newest snapshot from an
// atomic pointer and never wait for it.
package overlay
