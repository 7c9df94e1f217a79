// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package e2e proves flashgeth from outside: the binaries of bin/, driven by the real op-node and
// op-batcher on loopback, watched through the same endpoints that users have. Every scenario ends with
// an audit that compares each sealed block with what was published for it, and imports it into an
// unmodified op-geth.
//
// The tests that look at moments in a slot run one after another; the others run side by side after
// them. `make test-e2e` builds what they need.
package e2e
