// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package fanout measures ways of writing one message to thousands of websocket connections against
// each other and against the least there can be: a bare loop of writes. Every way runs in a process of
// its own, with its clients in another, so that memory and CPU are its own. It is for benchmarks.
package fanout
