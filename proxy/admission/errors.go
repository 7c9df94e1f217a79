// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import "errors"

var (
	// ErrStarted is returned by a second Start.
	ErrStarted = errors.New("admission: already started")

	// ErrStopped is returned by Start after Stop.
	ErrStopped = errors.New("admission: already stopped")

	// errStale is the store's answer when it does not hold this instance's counts under the current
	// epoch: Redis was restarted, the counts expired, or the call belongs to an earlier registration.
	errStale = errors.New("the counts of this instance are gone from the store")
)
