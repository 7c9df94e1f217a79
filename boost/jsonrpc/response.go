// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonrpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/ethereum/go-ethereum/flashgeth/internal/jsonwalk"
)

// Response is one JSON-RPC response. Its slices point into the body it was parsed from and must not be
// written to.
type Response struct {
	Raw    []byte          // The object as the backend sent it
	ID     json.RawMessage // nil if absent
	Result json.RawMessage // nil if Error is set
	Error  *Error

	idAt int // Where ID lies in Raw, 0 if unknown
}

// responseNames and errorNames are the members of a response and of its error, and the constants their places.
var (
	responseNames = []string{"jsonrpc", "id", "result", "error"}
	errorNames    = []string{"code", "message", "data"}
)

const (
	responseID = iota + 1
	responseResult
	responseError
)

const (
	errorCode = iota
	errorMessage
	errorData
)

// ParseResponse takes the body of an answer to a single request apart. Its errors wrap ErrResponse.
func ParseResponse(body []byte) (*Response, error) {
	w := jsonwalk.New(body, rules)
	if w.Peek() != '{' {
		return nil, fmt.Errorf("%w: it starts with %s", ErrResponse, Excerpt(body))
	}
	start := w.Pos()
	met := fields{names: responseNames}
	wrong, err := met.read(&w)
	raw := w.Since(start)
	if err == nil && wrong != "" {
		err = errors.New(wrong)
	}
	if err == nil {
		err = w.End()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResponse, syntax(err))
	}
	res := &Response{Raw: raw, ID: met.values[responseID], Result: met.values[responseResult]}
	if res.ID != nil {
		res.idAt = met.at[responseID] - start
	}
	failure := met.values[responseError]
	switch {
	case failure != nil && string(failure) != "null":
		if res.Error, err = parseError(failure); err != nil {
			return nil, err
		}
		res.Result = nil
	case res.Result == nil:
		return nil, fmt.Errorf("%w: neither a result nor an error", ErrResponse)
	}
	return res, nil
}

func parseError(raw json.RawMessage) (*Error, error) {
	if raw[0] != '{' {
		return nil, fmt.Errorf("%w: the error is not an object", ErrResponse)
	}
	w := jsonwalk.New(raw, rules)
	met := fields{names: errorNames}
	wrong, err := met.read(&w)
	switch {
	case err != nil:
		return nil, syntax(err)
	case wrong != "":
		return nil, fmt.Errorf("%w: in the error: %s", ErrResponse, wrong)
	}
	code, message := met.values[errorCode], met.values[errorMessage]
	out := &Error{Data: met.values[errorData]}
	if out.Code, err = strconv.Atoi(string(code)); err != nil {
		return nil, fmt.Errorf("%w: the error has no integer code", ErrResponse)
	}
	if len(message) == 0 || message[0] != '"' {
		return nil, fmt.Errorf("%w: the error has no message", ErrResponse)
	}
	out.Message = jsonwalk.Unquote(message)
	return out, nil
}

// For returns the response as an answer to the request with that id: Raw if the id already matches,
// otherwise a copy with the id replaced and every other byte kept.
func (r *Response) For(id json.RawMessage) []byte {
	if r.Raw != nil && bytes.Equal(r.ID, id) {
		return r.Raw
	}
	if len(id) == 0 {
		id = json.RawMessage("null") // An answer must have one
	}
	if r.Raw != nil && r.idAt > 0 {
		out := make([]byte, 0, len(r.Raw)-len(r.ID)+len(id))
		out = append(out, r.Raw[:r.idAt]...)
		out = append(out, id...)
		return append(out, r.Raw[r.idAt+len(r.ID):]...)
	}
	if r.Error != nil {
		return AppendError(nil, id, r.Error)
	}
	return AppendResult(make([]byte, 0, 40+len(id)+len(r.Result)), id, r.Result)
}

// AppendResult appends a response that holds a result. A nil id or result becomes null.
func AppendResult(buf []byte, id, result json.RawMessage) []byte {
	buf = appendHead(buf, id)
	buf = append(buf, `,"result":`...)
	buf = appendRaw(buf, result)
	return append(buf, '}')
}

// AppendError appends a response that holds an error. A nil id becomes null.
func AppendError(buf []byte, id json.RawMessage, e *Error) []byte {
	buf = appendHead(buf, id)
	buf = append(buf, `,"error":{"code":`...)
	buf = strconv.AppendInt(buf, int64(e.Code), 10)
	buf = append(buf, `,"message":`...)
	buf = appendString(buf, e.Message)
	if len(e.Data) > 0 {
		buf = append(buf, `,"data":`...)
		buf = append(buf, e.Data...)
	}
	return append(buf, "}}"...)
}

func appendHead(buf []byte, id json.RawMessage) []byte {
	buf = append(buf, `{"jsonrpc":"2.0","id":`...)
	return appendRaw(buf, id)
}

func appendRaw(buf []byte, v json.RawMessage) []byte {
	if len(v) == 0 {
		return append(buf, "null"...)
	}
	return append(buf, v...)
}

// Excerpt returns the beginning of a body, quoted, for logs and errors.
func Excerpt(body []byte) string {
	const most = 120
	if len(body) > most {
		return strconv.Quote(string(body[:most])) + " (shortened)"
	}
	return strconv.Quote(string(body))
}
