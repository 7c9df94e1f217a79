// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package restart keeps what a restart of the node must not lose, be it a crash: the newest head, and the
// transactions that were submitted to this node.
package restart
