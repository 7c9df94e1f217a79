// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package engine drives the builder: the Engine API that a consensus client calls, and the miner namespace that
// an operator and op-batcher call. What it does not concern itself with is op-geth's own code.
package engine
