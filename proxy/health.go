// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"encoding/json"
	"net/http"
	"time"
)

// readiness is the body of /readyz.
type readiness struct {
	Ready     bool   `json:"ready"`
	Reason    string `json:"reason,omitempty"`
	Upstreams int    `json:"upstreams_connected"`
	AgeMS     *int64 `json:"newest_message_age_ms"` // null before the first message
}

// ready judges the proxy at a moment: it is ready while an upstream is connected and the newest message
// is young.
func ready(now, newest time.Time, connected int, maxAge time.Duration) readiness {
	out := readiness{Upstreams: connected}
	if !newest.IsZero() {
		age := now.Sub(newest).Milliseconds()
		out.AgeMS = &age
	}
	switch {
	case connected == 0:
		out.Reason = "no upstream is connected"
	case newest.IsZero():
		out.Reason = "no message has arrived yet"
	case now.Sub(newest) > maxAge:
		out.Reason = "the newest message is older than " + maxAge.String()
	default:
		out.Ready = true
	}
	return out
}

// readyz answers 200 when ready and 503 when not.
func (p *Proxy) readyz(w http.ResponseWriter, _ *http.Request) {
	connected, newest := p.relay.freshness()
	state := ready(time.Now(), newest, connected, p.cfg.ReadyMaxAge)
	body, err := json.Marshal(state)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if !state.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(body)
}
