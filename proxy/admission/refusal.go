// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"encoding/json"
	"net/http"
)

// Reason names the rule that refused a request.
type Reason string

// The rules, in the order in which they are checked.
const (
	ReasonUnauthorized Reason = "unauthorized"   // no API key, or an unknown one
	ReasonInstance     Reason = "instance_limit" // this process is full
	ReasonGlobal       Reason = "global_limit"   // all instances together are full
	ReasonPerIP        Reason = "per_ip_limit"   // the client's address has all the connections it may have
	ReasonPerApp       Reason = "per_app_limit"  // the application of the key has
)

// messages are what a refused client reads. The first is the wire text of Base's proxy; none of them
// says anything about the key or about other clients.
var messages = map[Reason]string{
	ReasonUnauthorized: "Invalid API key",
	ReasonInstance:     "This server has no free connection; try another one or come back later",
	ReasonGlobal:       "The service has no free connection; come back later",
	ReasonPerIP:        "Too many connections from this address",
	ReasonPerApp:       "Too many connections with this API key",
}

// Refusal is the answer to a request that was not admitted. It never contains the key. It is no error
// on purpose: a nil *Refusal in an error variable would not be nil.
type Refusal struct {
	Reason  Reason // Which rule fired
	Status  int    // HTTP status: 401 for keys, 429 for limits
	Message string // What to tell the client
}

func newRefusal(reason Reason) *Refusal {
	status := http.StatusTooManyRequests
	if reason == ReasonUnauthorized {
		status = http.StatusUnauthorized
	}
	return &Refusal{Reason: reason, Status: status, Message: messages[reason]}
}

// String returns the rule and the message, for logs.
func (r *Refusal) String() string { return string(r.Reason) + ": " + r.Message }

// Write sends the refusal as Base's proxy does: the status and {"message": …}.
func (r *Refusal) Write(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.Status)
	return json.NewEncoder(w).Encode(struct {
		Message string `json:"message"`
	}{r.Message})
}
