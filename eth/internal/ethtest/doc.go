// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package ethtest is what the tests of eth and of its rooms share: a real op-geth node in this process, the
// payload attributes that a consensus client sends it, and a sequencer with a follower of its flashblocks. Only
// tests import it.
package ethtest
