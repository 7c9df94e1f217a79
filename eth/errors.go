// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import "errors"

// ErrNotOptimism is returned by Register for a chain without an OP Stack configuration: flashblocks
// need the deposit transactions and the gas limit that only OP Stack attributes carry.
var ErrNotOptimism = errors.New("flashblocks need an OP Stack chain, and the genesis of this node has no optimism section")
