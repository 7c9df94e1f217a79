// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import "errors"

var (
	errBlockMissing = errors.New("a block between the state on the disk and the head is missing")
	errNoFreezer    = errors.New("op-geth's database cannot be told to freeze")
	errTooFar       = errors.New("no state within reach below the block")
	errStopped      = errors.New("the node stops")
)
