// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package health tells whether a node should be sent requests about the pending state, and serves that as
// /healthz and /readyz.
package health
