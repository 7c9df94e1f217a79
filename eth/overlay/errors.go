// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import "errors"

var (
	errBadTransaction = errors.New("flashblock holds a transaction that does not decode")
	errExecution      = errors.New("flashblock holds a transaction that is not valid here")
	errNoParent       = errors.New("parent of the flashblock is not available")
	errNotOptimism    = errors.New("flashblocks need an OP Stack chain")
)
