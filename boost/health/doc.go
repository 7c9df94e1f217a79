// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package health says how the sidecar is, in the words that op-conductor knows: 200, 206 or 503.
//
// There is one writer, the Tracker, which keeps timestamped observations of both backends, and one
// judge, Evaluate, a pure function of these observations and the time. Nothing is ever set to a status,
// so nothing has to be set back: a status ends when what it was concluded from has ended. Polls, engine
// calls and builds are observed; what says nothing about a backend (noTxPool, an unknown payload id, a
// block that is INVALID, an op-node that hangs up) is not.
package health
