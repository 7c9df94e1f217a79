// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package jsonrpc takes JSON-RPC 2.0 bodies apart without decoding them: what it returns are slices of
// the bytes that came in, so that whatever is passed on is passed on unchanged, fields of future forks
// included. A body is walked over once, its grammar is checked, and nothing in it makes a reader panic,
// recurse without bound or allocate more than a small multiple of its size.
package jsonrpc

import (
	"encoding/json"
	"errors"

	"github.com/ethereum/go-ethereum/flashgeth/internal/jsonwalk"
)

const (
	// maxBatch bounds what a body of many tiny elements grows to. It is op-geth's own limit.
	maxBatch = 1000

	// maxArgs does the same for parameters. No method of an execution client takes a tenth of it.
	maxArgs = 256
)

// Request is one JSON-RPC request. Its slices point into the body it was parsed from and must not be
// written to.
type Request struct {
	Raw    []byte          // The whole object as it came, nil if Body is set
	Body   *Body           // The object in reused memory, of which only ID and Method are known, nil if Raw is set
	ID     json.RawMessage // Any JSON value as it came, nil if absent
	Params json.RawMessage // Usually an array, nil if absent
	Method string

	// Err tells why an element of a batch is not a request. The answer to the batch carries it in the
	// element's place; the other fields are what could be read.
	Err *Error
}

// Notification reports whether the sender wants no answer.
func (r *Request) Notification() bool { return r.ID == nil && r.Err == nil }

// ParseBody takes the body of an HTTP request apart. Its error is always an *Error ready to be sent:
// CodeParse for what is not JSON (or nests too deep, or is not UTF-8), CodeInvalidRequest for JSON that
// is not a request, which includes an empty batch and a key that occurs twice. With the latter, reqs
// holds the one request as far as it could be read, so that the answer can carry its id. In a batch, an
// element that is not a request has its Err set and err is nil.
func ParseBody(body []byte) (reqs []Request, batch bool, err error) {
	w := jsonwalk.New(body, rules)
	switch w.Peek() {
	case '{':
		reqs = make([]Request, 1)
		err = readRequest(&w, &reqs[0])
		if err == nil {
			err = w.End()
		}
		if err != nil {
			return nil, false, asError(err)
		}
		if reqs[0].Err != nil {
			return reqs, false, reqs[0].Err
		}
		return reqs, false, nil
	case '[':
		reqs, err := readBatch(&w)
		if err != nil {
			return nil, true, asError(err)
		}
		return reqs, true, nil
	default:
		err := w.Skip()
		if err == nil {
			err = w.End()
		}
		if err == nil {
			err = invalidRequest("neither an object nor an array")
		}
		return nil, false, asError(err)
	}
}

func asError(err error) error {
	var rpc *Error
	if errors.As(err, &rpc) {
		return rpc
	}
	return &Error{Code: CodeParse, Message: syntax(err).Error()}
}

func readBatch(w *jsonwalk.Walker) ([]Request, error) {
	var reqs []Request
	err := w.Array(func() (err error) {
		var req Request
		if w.Peek() == '{' {
			err = readRequest(w, &req)
		} else {
			req.Err = invalidRequest("an element of the batch is not an object")
			req.Raw, err = w.Raw()
		}
		if err == nil && len(reqs) == maxBatch {
			err = invalidRequest("too many requests in the batch")
		}
		reqs = append(reqs, req)
		return err
	})
	if err == nil {
		err = w.End()
	}
	if err == nil && len(reqs) == 0 {
		err = invalidRequest("empty batch")
	}
	return reqs, err
}

// requestNames are the members of a request, and the constants their places.
var requestNames = []string{"jsonrpc", "id", "method", "params"}

const (
	requestID = iota + 1
	requestMethod
	requestParams
)

// readRequest reads the object that comes. The error is one of syntax; an object that is no request has its Err set.
func readRequest(w *jsonwalk.Walker, req *Request) error {
	start := w.Pos()
	met := fields{names: requestNames}
	wrong, err := met.read(w)
	if err != nil {
		return err
	}
	req.Raw = w.Since(start)
	req.ID, req.Params = met.values[requestID], met.values[requestParams]
	if wrong != "" {
		req.Err = invalidRequest(wrong)
	} else {
		req.Method, req.Err = methodOf(met.values[requestMethod])
	}
	return nil
}

func methodOf(raw json.RawMessage) (string, *Error) {
	if len(raw) == 0 {
		return "", invalidRequest("no method")
	}
	if raw[0] != '"' {
		return "", invalidRequest("the method is not a string")
	}
	if method := jsonwalk.Unquote(raw); method != "" {
		return method, nil
	}
	return "", invalidRequest("the method is empty")
}

// Args returns the positional parameters, as slices of Params. Its error is an *Error with
// CodeInvalidParams: parameters by name, or more than any method takes.
func (r *Request) Args() ([]json.RawMessage, error) {
	if len(r.Params) == 0 || string(r.Params) == "null" {
		return nil, nil
	}
	if r.Params[0] != '[' {
		return nil, &Error{Code: CodeInvalidParams, Message: "the parameters are not an array"}
	}
	args := make([]json.RawMessage, 0, 4)
	w := jsonwalk.New(r.Params, rules)
	err := w.Array(func() error {
		arg, err := w.Raw()
		if err == nil && len(args) == maxArgs {
			err = errors.New("too many parameters")
		}
		args = append(args, arg)
		return err
	})
	if err != nil {
		return nil, &Error{Code: CodeInvalidParams, Message: syntax(err).Error()}
	}
	return args, nil
}

// NewRequest builds a request. A nil id makes it a notification; id and params must be valid JSON.
func NewRequest(id json.RawMessage, method string, params ...json.RawMessage) Request {
	size := 64 + len(id) + len(method)
	for _, p := range params {
		size += len(p) + 1
	}
	raw := append(make([]byte, 0, size), `{"jsonrpc":"2.0"`...)
	req := Request{Method: method}
	if id != nil {
		raw = append(raw, `,"id":`...)
		req.ID, raw = appendSlice(raw, id)
	}
	raw = append(raw, `,"method":`...)
	raw = appendString(raw, method)
	raw = append(raw, `,"params":`...)
	from := len(raw)
	raw = append(raw, '[')
	for i, p := range params {
		if i > 0 {
			raw = append(raw, ',')
		}
		raw = append(raw, p...)
	}
	raw = append(raw, ']')
	req.Params = json.RawMessage(raw[from:len(raw):len(raw)])
	req.Raw = append(raw, '}')
	return req
}
