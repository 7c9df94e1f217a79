// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package devnet boots an OP Stack on loopback: an L1 (op-geth in dev mode, in this process), the real
// op-node as sequencer, flashgeth as builder and execution layer, and the real op-batcher. It also
// generates user transactions, shows the flashblocks as they come, and checks that every sealed block
// is what was published. The command devnet and the end-to-end tests share it.
package devnet
