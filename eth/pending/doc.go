// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package pending serves everything that RPC can ask at "pending": op-geth's own services on a backend that takes
// the pending block from a snapshot, and services of our own for the methods that would answer wrongly then, or
// see more than one moment.
package pending
