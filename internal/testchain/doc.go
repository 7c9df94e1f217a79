// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package testchain is an OP Stack chain in memory for tests: a genesis of any fork, the payload attributes
// that op-node would send, a pool, funded accounts, transactions that change every kind of state, and a
// clock that jumps over waits.
package testchain
