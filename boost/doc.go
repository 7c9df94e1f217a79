// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package boost is the sidecar between op-node and two execution layers: the operator's own, whose word is
// final, and an external builder, whose block is returned if the former finds it valid.
//
// Bodies travel as they came: what op-node sends reaches the local execution layer byte for byte, and so
// does the answer. Only engine_getPayload is answered by the sidecar itself, from the rounds that package
// round keeps. The builder is told everything in the background and never makes op-node wait, except that
// engine_getPayload may wait for the builder's block, for at most the time limits of its own calls.
package boost
