// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package boost is the sidecar between op-node and two execution layers: the operator's own, whose word is
// final, and an external builder, whose block is returned if the former finds it valid.
//
// Bodies travel as they came: what op-node sends reaches the local execution layer byte for byte, and so
// does the answer. Only engine_getPayload is answered by the sidecar itself, from the rounds that package
// round keeps.
//
// # Parts
//
// A Sidecar puts the parts together, starts and stops them. Each is a package, and calls go down only:
//
//	front      HTTP, who may call, bodies and batches
//	route      which call goes where; passing on, so many at a time
//	chain      engine_forkchoiceUpdated and engine_newPayload: the local answer, telling the builder, beginning rounds
//	decision   engine_getPayload: flights, the builder's candidate, rebuild and rescue, validation ahead
//	copies     transactions and limits for the builder
//	local      the order of the calls to the local execution layer, and the head that op-node gave last
//	round      builds and what came of them
//	backend    calls in lanes, queues
//	engineapi  what is known of the Engine API
//	jsonrpc    bodies as slices
//
// One engine_getPayload passes front, route, decision, and from there round for what was streamed, local for a rebuild
// and backend for everything that is asked.
//
// # Time
//
// The answer to every call but engine_getPayload is the local execution layer's and waits for nothing else:
// the builder is told in the background. engine_getPayload asks both sides at once and is answered
//
//   - with the builder's block as soon as the local execution layer has called it VALID (or has rebuilt it),
//     whether or not the local block has come,
//   - otherwise with the local block as soon as it is there and no block of the builder's can come any more.
//     That is at once if the builder is known to build nothing (an error, a refused connection, a build that
//     timed out), and Config.Budget after the call at the latest, if builder or local execution layer hang:
//     the builder has its own time limit of engine_getPayload (1 s by default), the rest (1 s) is for
//     the local execution layer's judgement.
//
// So the builder delays an answer by no more than Config.Budget beyond the local execution layer's own,
// and a builder that was silent in the slot's forkchoice update by nothing. A builder that falls silent only
// after it has published costs Config.RescueAfter and one rebuild of what it published.
package boost
