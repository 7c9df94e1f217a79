// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package subscribe pushes the pending state as it changes, to subscribers over RPC: what they get is what the
// methods of package pending would answer at that moment.
package subscribe
