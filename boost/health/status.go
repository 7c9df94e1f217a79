// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import "net/http"

// Status is what op-conductor is told.
type Status uint8

const (
	// ServiceUnavailable means that no blocks can be expected, or nothing is known yet.
	ServiceUnavailable Status = iota
	// PartialContent means that the local execution layer works, the builder does not.
	PartialContent
	// Healthy means that both work, or the one that is used.
	Healthy
)

// Code is the HTTP status of the plain form.
func (s Status) Code() int {
	switch s {
	case Healthy:
		return http.StatusOK
	case PartialContent:
		return http.StatusPartialContent
	default:
		return http.StatusServiceUnavailable
	}
}

// String is the name in the JSON form.
func (s Status) String() string {
	switch s {
	case Healthy:
		return "Healthy"
	case PartialContent:
		return "PartialContent"
	default:
		return "ServiceUnavailable"
	}
}
