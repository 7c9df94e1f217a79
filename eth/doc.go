// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package eth attaches flashgeth to an op-geth node: it makes the parts that a builder or a follower of
// flashblocks consists of, registers what they serve, and ties their life to the node's. The parts are the
// packages below. Nothing of op-geth is edited; everything here stands beside it, and services registered later
// win per method.
package eth
