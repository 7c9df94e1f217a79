// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// long is far beyond what anything here takes on the busiest machine.
const long = time.Minute

var secret = bytes.Repeat([]byte{7}, secretSize)

// seen is a request as the backend got it.
type seen struct {
	remote string
	header http.Header
	host   string
	method string
	body   string
}

// el is an execution client that answers as told and remembers what it was asked.
type el struct {
	*httptest.Server
	mu   sync.Mutex
	seen []seen
}

// newEL starts an EL. Without a handler it answers every call with its method.
func newEL(tb testing.TB, handler http.HandlerFunc) *el {
	tb.Helper()
	e := new(el)
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // The client has left
		}
		method := ""
		if reqs, _, err := jsonrpc.ParseBody(body); err == nil {
			method = reqs[0].Method
		}
		e.mu.Lock()
		e.seen = append(e.seen, seen{r.RemoteAddr, r.Header.Clone(), r.Host, method, string(body)})
		e.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		if handler != nil {
			handler(w, r)
			return
		}
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":1,"result":%q}`, method)
	}))
	tb.Cleanup(e.Close)
	return e
}

func (e *el) requests() []seen {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]seen(nil), e.seen...)
}

func (e *el) methods() []string {
	var out []string
	for _, s := range e.requests() {
		out = append(out, s.method)
	}
	return out
}

// newClient returns a client for the URL that fails no call by being slow, unless change says so.
func newClient(tb testing.TB, url string, change func(*Config)) *Client {
	tb.Helper()
	cfg := Config{
		Name:    "builder",
		URL:     url,
		Secret:  secret,
		Timeout: long,
		Metrics: metrics.NewSet(),
		Log:     log.NewLogger(log.DiscardHandler()),
	}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	require.NoError(tb, err)
	tb.Cleanup(c.Close)
	return c
}

func request(method string, params ...string) *jsonrpc.Request {
	raw := make([]json.RawMessage, 0, len(params))
	for _, p := range params {
		raw = append(raw, json.RawMessage(p))
	}
	r := jsonrpc.NewRequest(json.RawMessage("1"), method, raw...)
	return &r
}

func body(tb testing.TB, r *http.Request) string {
	tb.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(tb, err)
	return string(b)
}

// requireBytes wants the same bytes, not only the same JSON.
func requireBytes(t *testing.T, want, got string) {
	t.Helper()
	require.Equal(t, want, got)
}

func exposition(set *metrics.Set) string {
	var out strings.Builder
	set.WritePrometheus(&out)
	return out.String()
}

// script is a Caller under the test's control: it records each call and answers when told.
type script struct {
	mu      sync.Mutex
	calls   []string
	handler func(ctx context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error)
}

// Call implements Caller.
func (s *script) Call(ctx context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error) {
	s.mu.Lock()
	s.calls = append(s.calls, name(req))
	handler := s.handler
	s.mu.Unlock()
	if handler == nil {
		return answerTo(req), nil
	}
	return handler(ctx, req)
}

func (s *script) made() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

func answerTo(req *jsonrpc.Request) *jsonrpc.Response {
	return &jsonrpc.Response{ID: req.ID, Result: json.RawMessage(fmt.Sprintf("%q", name(req)))}
}

// name is the first parameter of a test's call.
func name(req *jsonrpc.Request) string {
	return strings.Trim(string(req.Params), `[]"`)
}

// job is a call with a name, which also is its outcome in log.
func job(kind Kind, name string, done func(*jsonrpc.Response, error)) Job {
	return Job{Kind: kind, Req: request(kind.String(), fmt.Sprintf("%q", name)), Done: done}
}
