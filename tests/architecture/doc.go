// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package architecture compares what the packages of this module import with the picture of docs/architecture.md,
// section "Rooms and arrows". Neither may have an arrow that the other lacks. What only tests import is not
// looked at.
package architecture
