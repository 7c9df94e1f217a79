// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package load is a client that loads a flashblocks websocket with many subscribers and reports what
// they saw: the spread of delivery, gaps, repetitions, bytes, and what a server process needs for it.
// It works against any server of the v1 stream.
package load
