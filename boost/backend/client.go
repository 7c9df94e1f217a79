// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// Caller makes JSON-RPC calls. An error object of the backend is a Response with Error set; the error
// is for calls that got no answer.
type Caller interface {
	Call(ctx context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error)
}

// Client makes calls to one backend. Its methods may be used concurrently.
type Client struct {
	cfg      Config
	log      log.Logger
	url      *url.URL
	lanes    [lanes]*lane
	signer   signer
	timeouts []timeout
	metrics  *callMetrics
	closed   atomic.Bool
}

// New returns a client. It connects when the first call is made.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	target, err := cfg.check()
	if err != nil {
		return nil, err
	}
	return &Client{
		cfg:      cfg,
		log:      cfg.Log.New("backend", cfg.Name),
		url:      target,
		lanes:    newLanes(),
		signer:   signer{secret: cfg.Secret, now: cfg.Now},
		timeouts: cfg.timeouts(),
		metrics:  &callMetrics{set: cfg.Metrics, backend: cfg.Name},
	}, nil
}

// Close refuses further calls and closes the connections that no call uses; the others close with
// their calls.
func (c *Client) Close() {
	c.closed.Store(true)
	for _, l := range c.lanes {
		l.transport.CloseIdleConnections()
	}
}

// Timeout returns how long a call of the method may take.
func (c *Client) Timeout(method string) time.Duration {
	for _, t := range c.timeouts {
		if strings.HasPrefix(method, t.prefix) {
			return t.limit
		}
	}
	return c.cfg.Timeout
}

// Call sends a request and returns the answer to it. The error is a *CallError. A notification has an
// empty response.
func (c *Client) Call(ctx context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error) {
	start := time.Now()
	res, err := c.call(ctx, req)
	status := "ok"
	switch {
	case err != nil:
		status = Reason(err)
		err = &CallError{Backend: c.cfg.Name, Method: req.Method, Err: err}
	case res.Error != nil:
		status = "rpc_error"
	}
	c.metrics.observe(req.Method, status, time.Since(start))
	return res, err
}

func (c *Client) call(ctx context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error) {
	header := http.Header{
		"Content-Type": {"application/json"},
		"Accept":       {"application/json"},
	}
	x := exchange{method: req.Method, lane: laneOf(req), header: header, plain: true}
	if req.Body != nil {
		x.length, x.open = len(req.Body.Bytes()), req.Body.Open
	} else {
		x.bytes(req.Raw)
	}
	reply, err := c.exchange(ctx, x)
	if err != nil {
		return nil, err
	}
	if req.Notification() && len(bytes.TrimSpace(reply.Body)) == 0 {
		return new(jsonrpc.Response), nil
	}
	res, err := jsonrpc.ParseResponse(reply.Body)
	if err != nil && reply.Status == http.StatusOK {
		return nil, fmt.Errorf("%w: %w, body %s", ErrMalformed, err, jsonrpc.Excerpt(reply.Body))
	}
	if err != nil || reply.Status != http.StatusOK && res.Error == nil {
		return nil, fmt.Errorf("%w: %d, body %s", ErrStatus, reply.Status, jsonrpc.Excerpt(reply.Body))
	}
	return res, nil
}

// exchange is one HTTP request to make.
type exchange struct {
	method string
	lane   laneID
	header http.Header          // Taken over
	length int                  // Of the body in bytes
	open   func() io.ReadCloser // Returns a reader of the body, each time from its start
	plain  bool                 // Decompress the answer
}

// bytes sets the body.
func (x *exchange) bytes(body []byte) {
	x.length, x.open = len(body), func() io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }
}

// exchange makes one HTTP request within the method's timeout and reads the whole answer.
func (c *Client) exchange(ctx context.Context, x exchange) (*Reply, error) {
	if c.closed.Load() {
		return nil, ErrClosed
	}
	l := c.lanes[x.lane]
	if !l.enter() {
		return nil, fmt.Errorf("%w: %d", ErrBusy, l.most)
	}
	defer l.leave()
	authorization, err := c.signer.authorization()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAuth, err)
	}
	if authorization != "" {
		x.header["Authorization"] = []string{authorization}
	}
	if _, ok := x.header["User-Agent"]; !ok {
		x.header["User-Agent"] = []string{c.cfg.UserAgent}
	}
	if repeatable(x.method) {
		x.header["Idempotency-Key"] = nil // For net/http only: without a value nothing is sent
	}
	limit := c.Timeout(x.method)
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	reply, err := c.roundTrip(limited, l, x)
	if err == nil {
		return reply, nil
	}
	if Reason(err) == "other" {
		err = classify(ctx, err)
	}
	if Reason(err) == "timeout" {
		// The host may be gone without a word. What idles is as dead as what was used, and must not
		// cost the next calls their time.
		l.transport.CloseIdleConnections()
		return nil, fmt.Errorf("%w (limit %s)", err, limit)
	}
	return nil, err
}

func (c *Client) roundTrip(ctx context.Context, l *lane, x exchange) (*Reply, error) {
	req := (&http.Request{
		Method:        http.MethodPost,
		URL:           c.url,
		Host:          c.url.Host,
		Header:        x.header,
		Body:          x.open(),
		GetBody:       func() (io.ReadCloser, error) { return x.open(), nil }, // Lets net/http start again on a connection that turned out to be dead
		ContentLength: int64(x.length),
	}).WithContext(ctx)
	// Without http.Client: there are no redirects to follow and no cookies to keep.
	res, err := l.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	reply := &Reply{Status: res.StatusCode, Header: res.Header}
	reply.Body, err = readBody(res, x.plain, c.cfg.MaxResponse)
	if closeErr := res.Body.Close(); err == nil && closeErr != nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	if (res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden) && len(c.signer.secret) > 0 {
		return nil, fmt.Errorf("%w: HTTP %d, body %s", ErrAuth, res.StatusCode, jsonrpc.Excerpt(reply.Body))
	}
	return reply, nil
}
