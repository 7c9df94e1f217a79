// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package restart is what a restart of the node must not lose, be it after a crash: the state of the chain, the newest
// head, and the transactions that were submitted to this node.
//
// op-geth keeps the state of the latest blocks, and the tail of what it writes, in the memory of the process. An
// orderly stop brings both to the disk. A process that is killed comes back at a block far behind its
// consensus client, and op-geth then answers VALID for blocks on which it cannot build.
//
// Three things prevent that. The journal holds the newest blocks, the changes that they made to the state, and the
// forkchoice that was acknowledged. [Prepare] runs after an unclean stop, before the node is assembled, and makes
// the states again from the journal or by executing the blocks. The [ConsensusAPI] stands before op-geth's and answers
// SYNCING as long as a state is missing. The [Keeper] holds them together.
//
// Beside them the [HeadKeeper] brings every new head to the disk at once, and the [Restorer] puts the transactions that
// were submitted to this node back into its pool.
package restart
