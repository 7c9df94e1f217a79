// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import "errors"

var (
	// ErrStarted is returned by a second Start.
	ErrStarted = errors.New("proxy: already started")

	// ErrStopped is returned by Start after Stop.
	ErrStopped = errors.New("proxy: already stopped")

	// ErrNoUpstream is returned by New without any upstream.
	ErrNoUpstream = errors.New("a flashblocks proxy needs at least one upstream")

	// errNotNotice is what a v0 upstream answers with that serves v1 on every path.
	errNotNotice = errors.New("the upstream does not serve v0 notices on this path")

	// errNoReceipts ends a client whose filter needs logs. It fits into a close frame.
	errNoReceipts = errors.New("the topics filter cannot be satisfied: this stream carries no receipts")
)
