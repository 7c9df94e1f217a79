// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonrpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
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

// ParseResponse takes the body of an answer to a single request apart. Its errors wrap ErrResponse.
func ParseResponse(body []byte) (*Response, error) {
	s := scanner{body}
	start := s.space(0)
	if s.at(start) != '{' {
		return nil, fmt.Errorf("%w: it starts with %s", ErrResponse, Excerpt(body))
	}
	res := new(Response)
	var failure json.RawMessage
	names := fields{
		{name: "jsonrpc"},
		{name: "id", value: &res.ID},
		{name: "result", value: &res.Result},
		{name: "error", value: &failure},
	}
	end, err := s.object(start, 0, func(key []byte, from, to int) error {
		if wrong := names.take(key, s.data[from:to:to]); wrong != "" {
			return fmt.Errorf("%w: %s", ErrResponse, wrong)
		}
		if names[1].seen && res.idAt == 0 {
			res.idAt = from - start
		}
		return nil
	})
	if err == nil {
		err = s.end(end)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResponse, err)
	}
	res.Raw = body[start:end:end]
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
	var code, message json.RawMessage
	out := new(Error)
	names := fields{
		{name: "code", value: &code},
		{name: "message", value: &message},
		{name: "data", value: &out.Data},
	}
	_, err := scanner{raw}.object(0, 0, func(key []byte, from, to int) error {
		if wrong := names.take(key, raw[from:to:to]); wrong != "" {
			return fmt.Errorf("%w: in the error: %s", ErrResponse, wrong)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if out.Code, err = strconv.Atoi(string(code)); err != nil {
		return nil, fmt.Errorf("%w: the error has no integer code", ErrResponse)
	}
	if len(message) == 0 || message[0] != '"' {
		return nil, fmt.Errorf("%w: the error has no message", ErrResponse)
	}
	out.Message = unquote(message)
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
