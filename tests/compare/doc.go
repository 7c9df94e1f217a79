// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package compare proves that what is answered at "pending" is what the canonical block says later. Nodes
// are asked everything at every flashblock: the builder, a follower, and a follower whose connection is cut
// at random. Once the block is canonical, an unmodified op-geth is asked the same: about the block itself
// for its last flashblock, and about a re-execution of its first transactions for those before. Only
// the hashes that nobody can know before a block is sealed are left out of the comparison.
package compare
