// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package boost proves flashboost from outside: the real op-node drives it, an unmodified op-geth and
// flashgeth stand behind it, and between all of them there are relays that can make any of them fail in
// any way. Whatever happens, the chain goes on slot by slot, what was published is in the sealed blocks,
// and two payload ids never get one block.
//
// `make test-e2e` builds what the tests need.
package boost
