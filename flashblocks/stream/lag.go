// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"fmt"
	"time"
)

// lagPatience is how long a client may be more than HubConfig.MaxLag messages behind. What an upstream
// replays after an outage comes at once, and is more than any socket has room for: who reads it as fast
// as its network can is not slow.
const lagPatience = time.Second

// lag is how a client keeps up, if HubConfig.MaxLag is set. It belongs to whoever the client belongs to.
type lag struct {
	live  bool      // it has had everything: who replays the ring is behind by its own wish
	since time.Time // since when it holds things up, zero while it does not
}

// level records that a client has everything.
func (l *lag) level() { l.live, l.since = true, time.Time{} }

// full records that a client's socket has no room, or may have none.
func (l *lag) full(c *client) {
	if c.hub.cfg.MaxLag > 0 && l.live && l.since.IsZero() {
		l.since = c.hub.cfg.now()
	}
}

// excess is how many messages a client is behind if that is too many, or else 0.
func (l *lag) excess(c *client) uint64 {
	if l.since.IsZero() {
		return 0
	}
	behind := c.hub.ring.head.Load() - c.cursor
	if behind <= uint64(c.hub.cfg.MaxLag) || c.hub.cfg.now().Sub(l.since) < lagPatience {
		return 0
	}
	return behind
}

// lagReason is what a client is told that is cut for its lag.
func lagReason(behind uint64) string {
	return fmt.Sprintf("too slow: %d messages behind; connect again and resume after the last one received", behind)
}
