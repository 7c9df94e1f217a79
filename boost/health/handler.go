// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import (
	"encoding/json"
	"net/http"
	"time"
)

// Paths of the probes, on the port of the Engine API. Any method is answered, as rollup-boost does.
const (
	PathHealth     = "/healthz"      // 200, 206 or 503; with HandlerConfig.JSON as PathHealthJSON
	PathHealthJSON = "/healthz/json" // 200 and the status in JSON
	PathReady      = "/readyz"       // 200 while the process serves
	PathLive       = "/livez"        // likewise
)

// HandlerConfig configures the probes.
type HandlerConfig struct {
	Tracker *Tracker
	Version string // For the JSON form
	JSON    bool   // Answer PathHealth with the JSON form, too

	// StartWait bounds how long a question about the health waits for the first poll of every backend:
	// the polls' own limit. Who asks a process that has just started is told what was measured, not
	// what was assumed.
	StartWait time.Duration
}

// Handler answers the probes, and everything else with 404.
type Handler struct {
	cfg HandlerConfig
	mux *http.ServeMux
}

// NewHandler returns the handler of the probes.
func NewHandler(cfg HandlerConfig) *Handler {
	h := &Handler{cfg: cfg, mux: http.NewServeMux()}
	plain := h.plain
	if cfg.JSON {
		plain = h.json
	}
	h.mux.HandleFunc(PathHealth, plain)
	h.mux.HandleFunc(PathHealthJSON, h.json)
	h.mux.HandleFunc(PathReady, alive)
	h.mux.HandleFunc(PathLive, alive)
	return h
}

// Serves reports whether a path is one of the probes'.
func Serves(path string) bool {
	switch path {
	case PathHealth, PathHealthJSON, PathReady, PathLive:
		return true
	}
	return false
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// plain answers op-conductor's rollup-boost client, which reads the status code. The bodies are rollup-boost's.
func (h *Handler) plain(w http.ResponseWriter, r *http.Request) {
	code := h.status(r).Code()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(http.StatusText(code)))
}

// json answers op-conductor's next client, which takes any other code than 200 for a lost connection.
func (h *Handler) json(w http.ResponseWriter, r *http.Request) {
	status := h.status(r)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(struct {
		Version string `json:"version"`
		Health  string `json:"rollup_boost_health"`
	}{h.cfg.Version, status.String()})
}

// status waits for the first poll to end, then judges.
func (h *Handler) status(r *http.Request) Status {
	select {
	case <-h.cfg.Tracker.asked:
	default:
		timer := time.NewTimer(h.cfg.StartWait)
		defer timer.Stop()
		select {
		case <-h.cfg.Tracker.asked:
		case <-timer.C:
		case <-r.Context().Done():
		}
	}
	status, _ := h.cfg.Tracker.Status()
	return status
}

func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("OK"))
}
