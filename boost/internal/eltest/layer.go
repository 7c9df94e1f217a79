// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eltest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// ErrInjected is an error that a test makes a call end with.
var ErrInjected = errors.New("injected")

// Handler answers a call of a fake execution layer.
type Handler func(ctx context.Context, req *jsonrpc.Request) (any, error)

// Layer is an execution layer that answers as it is told and remembers what it was asked.
type Layer struct {
	mu       sync.Mutex
	handlers map[string]Handler
	calls    []jsonrpc.Request
	limits   []string // methods whose limits held for what was forwarded
	timeout  time.Duration
}

// NewLayer returns an execution layer that knows no method.
func NewLayer() *Layer { return &Layer{handlers: make(map[string]Handler), timeout: Patience} }

// On sets the answer to a method or to all that begin with it: a value, an error, or a Handler.
func (l *Layer) On(method string, reply any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch reply := reply.(type) {
	case Handler:
		l.handlers[method] = reply
	case error:
		l.handlers[method] = func(context.Context, *jsonrpc.Request) (any, error) { return nil, reply }
	default:
		l.handlers[method] = func(context.Context, *jsonrpc.Request) (any, error) { return reply, nil }
	}
}

// Hang makes a method accept calls and never answer.
func (l *Layer) Hang(method string) {
	l.On(method, Handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}))
}

// SetTimeout sets how long a call may take.
func (l *Layer) SetTimeout(timeout time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timeout = timeout
}

// Asked returns the calls of a method or of all that begin with it.
func (l *Layer) Asked(method string) (list []jsonrpc.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, call := range l.calls {
		if strings.HasPrefix(call.Method, method) {
			list = append(list, call)
		}
	}
	return list
}

// Limits returns the methods whose time limits held for what was forwarded.
func (l *Layer) Limits() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.limits)
}

// Handler returns how a method is answered.
func (l *Layer) Handler(method string) Handler {
	l.mu.Lock()
	defer l.mu.Unlock()
	best, found := "", false
	for name := range l.handlers {
		if strings.HasPrefix(method, name) && len(name) >= len(best) {
			best, found = name, true
		}
	}
	if !found {
		return func(context.Context, *jsonrpc.Request) (any, error) {
			return nil, &jsonrpc.Error{Code: -32601, Message: "the method " + method + " does not exist/is not available"}
		}
	}
	return l.handlers[best]
}

// Call answers a call.
func (l *Layer) Call(ctx context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error) {
	l.mu.Lock()
	l.calls = append(l.calls, *req)
	timeout := l.timeout
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	result, err := l.Handler(req.Method)(ctx, req)
	if rejected, ok := err.(*jsonrpc.Error); ok { //nolint:errorlint // what a test gave, unwrapped
		return jsonrpc.ParseResponse(jsonrpc.AppendError(nil, req.ID, rejected))
	}
	if err != nil {
		return nil, err
	}
	raw, ok := result.(json.RawMessage)
	if !ok {
		if raw, err = json.Marshal(result); err != nil {
			return nil, err
		}
	}
	return jsonrpc.ParseResponse(jsonrpc.AppendResult(nil, req.ID, raw))
}

// Forward answers a body. The header X-Sent comes back as X-Seen.
func (l *Layer) Forward(ctx context.Context, header http.Header, body []byte) (*backend.Reply, error) {
	reqs, batch, err := jsonrpc.ParseBody(body)
	if err != nil {
		return nil, err
	}
	var list [][]byte
	for i := range reqs {
		resp, err := l.Call(ctx, &reqs[i])
		if err != nil {
			return nil, err
		}
		if !batch {
			return &backend.Reply{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}, "X-Seen": header["X-Sent"]}, Body: resp.Raw}, nil
		}
		list = append(list, resp.Raw)
	}
	return &backend.Reply{Status: http.StatusOK, Header: http.Header{}, Body: slices.Concat([]byte("["), bytes.Join(list, []byte(",")), []byte("]"))}, nil
}

// ForwardMethod answers a body with the time limit of a method.
func (l *Layer) ForwardMethod(ctx context.Context, method string, header http.Header, body []byte) (*backend.Reply, error) {
	l.mu.Lock()
	l.limits = append(l.limits, method)
	l.mu.Unlock()
	return l.Forward(ctx, header, body)
}

// Timeout is how long a call may take.
func (l *Layer) Timeout(string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.timeout
}
