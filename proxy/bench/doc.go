// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package bench measures flashproxy's fan-out beside other websocket libraries, in one run.
package bench
