// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import "time"

// observation is what readiness is judged from.
type observation struct {
	Now     time.Time
	Syncing bool // the node has not caught up with the chain yet

	// Of a follower only.
	Follows   bool
	Connected int           // streams connected
	Newest    time.Time     // when the newest pending state came, zero if none has yet
	MaxAge    time.Duration // bound on its age
}

// readiness is the body of /readyz.
type readiness struct {
	Ready       bool   `json:"ready"`
	Reason      string `json:"reason,omitempty"`
	Syncing     bool   `json:"syncing"`
	Upstreams   *int   `json:"upstreams_connected,omitempty"`    // of a follower
	AgeMS       *int64 `json:"newest_snapshot_age_ms,omitempty"` // absent before the first
	BlockNumber uint64 `json:"block_number"`                     // of the canonical head
	Pending     *place `json:"pending,omitempty"`                // absent while pending is latest
}

// place names a flashblock.
type place struct {
	BlockNumber uint64 `json:"block_number"`
	Index       uint64 `json:"index"`
}

// judge tells whether a node should be sent requests about the pending state. A builder is not judged by the
// age of its pending state: one that is not asked to build has none, and is right to answer with latest.
func judge(o observation) readiness {
	r := readiness{Syncing: o.Syncing}
	if !o.Newest.IsZero() {
		age := o.Now.Sub(o.Newest).Milliseconds()
		r.AgeMS = &age
	}
	if o.Follows {
		r.Upstreams = &o.Connected
	}
	switch {
	case o.Syncing:
		r.Reason = "the node is syncing"
	case o.Follows && o.Connected == 0:
		r.Reason = "no flashblocks stream is connected"
	case o.Follows && o.Newest.IsZero():
		r.Reason = "no flashblock has been executed yet"
	case o.Follows && o.Now.Sub(o.Newest) > o.MaxAge:
		r.Reason = "the newest pending state is older than " + o.MaxAge.String()
	default:
		r.Ready = true
	}
	return r
}
