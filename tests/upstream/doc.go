// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package upstream holds the canaries of an op-geth bump: what flashgeth relies on without owning it.
// Each list under testdata is a reviewed file; run
//
//	go test ./tests/upstream -update
//
// to rewrite them after a bump or after a new import, and read the difference before you commit it.
package upstream
