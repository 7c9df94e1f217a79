// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package follower follows the flashblocks of others: it subscribes to their streams, merges them into one, in
// order and each flashblock once, and hands that to whoever executes it.
package follower
