// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import (
	"encoding/json"
	"net/http"

	"github.com/ethereum/go-ethereum/log"
)

// Healthz answers 200 as long as the process serves requests.
func (m *Monitor) Healthz(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

// Readyz answers 200 when ready and 503 when not, with the readiness as JSON.
func (m *Monitor) Readyz(w http.ResponseWriter, _ *http.Request) {
	r := m.now()
	m.report(r.Reason)
	body, err := json.Marshal(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !r.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(append(body, '\n'))
}

// report logs a change of what was answered.
func (m *Monitor) report(reason string) {
	m.mu.Lock()
	before := m.red
	m.red = reason
	m.mu.Unlock()
	switch {
	case reason == before:
	case reason == "":
		log.Info("Pending state is ready again")
	default:
		log.Warn("Pending state is not ready", "reason", reason)
	}
}
