// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package eth attaches flashgeth to an op-geth node: the Engine API that drives the builder, the miner
// namespace that configures it, and the life of the stream. Nothing of op-geth is edited; everything
// here stands beside it, and services registered later win per method.
package eth
