// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package proxy tests flashproxy from outside: the binary with its flags and environment, a real Redis,
// and a soak with thousands of clients.
package proxy
