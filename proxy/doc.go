// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package proxy is the public fan-out of flashblocks: it follows one or more upstream streams, merges
// them into one, and serves that to many subscribers. It is a drop-in for Base's websocket-proxy. It
// moves bytes: what a subscriber gets is what the upstream sent, and nothing is executed.
//
// The hub and the subscriber are those of package flashblocks/stream. What stands between them here is
// the relay (deduplication, order, leader), and before the hub are admission, filters and routes.
package proxy
