// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package debugapi is rollup-boost's debug API: JSON-RPC 2.0 over HTTP that reads and changes the
// execution mode while the sidecar runs. It keeps nothing of its own. It has no authentication: whoever
// reaches its port decides whether the builder is used.
package debugapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

const (
	methodSet = "debug_setExecutionMode"
	methodGet = "debug_getExecutionMode"

	// maxBody is room for a large batch of requests of a hundred bytes each.
	maxBody = 64 << 10
)

// Modes holds the execution mode. Both methods may be called from any goroutine.
type Modes interface {
	Mode() params.ExecutionMode
	SetMode(params.ExecutionMode)
}

// Handler serves the API on every path.
type Handler struct{ modes Modes }

// NewHandler returns the API of a holder of the mode.
func NewHandler(modes Modes) *Handler { return &Handler{modes} }

// modeObject is the parameter of methodSet, and the result of both methods.
type modeObject struct {
	Mode string `json:"execution_mode"`
}

// foreign finds requests that a page of another site makes in a browser on the operator's machine.
var foreign = http.NewCrossOriginProtection()

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "the debug API is JSON-RPC: POST a request, for example "+methodGet, http.StatusMethodNotAllowed)
		return
	}
	if err := foreign.Check(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		http.Error(w, fmt.Sprintf("the request is longer than %d bytes", maxBody), http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		http.Error(w, "the request could not be read", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(h.answer(body))
}

// answer returns the body of the answer, empty if there is none to give.
func (h *Handler) answer(body []byte) []byte {
	reqs, batch, err := jsonrpc.ParseBody(body)
	if bad := new(jsonrpc.Error); errors.As(err, &bad) {
		var id json.RawMessage
		if len(reqs) == 1 {
			id = reqs[0].ID
		}
		return jsonrpc.AppendError(nil, id, bad)
	}
	var out []byte
	for i := range reqs {
		result, bad := h.call(&reqs[i])
		if reqs[i].Notification() {
			continue
		}
		if len(out) > 0 {
			out = append(out, ',')
		}
		if bad != nil {
			out = jsonrpc.AppendError(out, reqs[i].ID, bad)
			continue
		}
		out = jsonrpc.AppendResult(out, reqs[i].ID, result)
	}
	if batch && len(out) > 0 {
		out = append(append([]byte{'['}, out...), ']')
	}
	return out
}

// call executes one request.
func (h *Handler) call(req *jsonrpc.Request) (json.RawMessage, *jsonrpc.Error) {
	if req.Err != nil {
		return nil, req.Err
	}
	switch req.Method {
	case methodGet:
		return result(h.modes.Mode()), nil
	case methodSet:
		mode, err := modeParam(req.Params)
		if err != nil {
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: err.Error()}
		}
		h.modes.SetMode(mode)
		return result(mode), nil
	default:
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: "the debug API has no such method: it has " + methodSet + " and " + methodGet}
	}
}

func result(mode params.ExecutionMode) json.RawMessage {
	return json.RawMessage(`{"execution_mode":"` + mode.String() + `"}`)
}

// errParam says what is expected.
var errParam = errors.New(`the parameter is not an object like {"execution_mode":"dry_run"}`)

// modeParam reads the mode from an object in an array, as rollup-boost has it, from a string there, as
// its documentation has it, or from the object alone.
func modeParam(raw json.RawMessage) (params.ExecutionMode, error) {
	var list []json.RawMessage
	switch {
	case len(raw) == 0:
		return 0, errParam
	case raw[0] != '[':
		list = []json.RawMessage{raw}
	default:
		if err := json.Unmarshal(raw, &list); err != nil {
			return 0, errParam
		}
	}
	if len(list) != 1 {
		return 0, fmt.Errorf("%d parameters are given: %w", len(list), errParam)
	}
	var object modeObject
	if json.Unmarshal(list[0], &object.Mode) != nil && json.Unmarshal(list[0], &object) != nil || object.Mode == "" {
		return 0, errParam
	}
	return params.ParseExecutionMode(object.Mode)
}
