// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

//go:build race

package miner

// raceEnabled says that the tests run under the race detector, which makes them several times slower.
const raceEnabled = true
