// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Reply is an HTTP answer of a backend.
type Reply struct {
	Status int
	Header http.Header // Without the fields that concern the connection, and without Content-Length
	Body   []byte
}

// hopByHop are the header fields that concern one connection (RFC 9110, section 7.6.1), and those that
// the sender of a message computes itself.
var hopByHop = []string{
	"Connection", "Content-Length", "Expect", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
	"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// Forward passes any HTTP body through to the backend, on the lane of proxied traffic and within the
// default timeout. The header fields go along, except for Host, Authorization (the client signs its
// own) and those that concern the connection. The answer is not looked into, whatever its status and
// encoding; only a refused JWT is an error, because it is ours and not that of whoever asks. The error
// is a *CallError.
func (c *Client) Forward(ctx context.Context, header http.Header, body []byte) (*Reply, error) {
	return c.ForwardMethod(ctx, otherMethods, header, body)
}

// ForwardMethod is Forward for a body that is one call of the method, which decides about the timeout,
// the label of the latency, and whether a call on a dead connection may be repeated.
func (c *Client) ForwardMethod(ctx context.Context, method string, header http.Header, body []byte) (*Reply, error) {
	start := time.Now()
	x := exchange{method: method, lane: laneProxied, header: forwarded(header)}
	x.bytes(body)
	reply, err := c.exchange(ctx, x)
	if err == nil && reply.Status < http.StatusOK {
		// net/http panics over the one half of these, and takes the other for the promise of an answer.
		err = fmt.Errorf("%w: %d", ErrStatus, reply.Status)
	}
	status := "ok"
	switch {
	case err != nil:
		status = Reason(err)
		err = &CallError{Backend: c.cfg.Name, Method: method, Err: err}
	case reply.Status >= http.StatusBadRequest:
		status = "http_status"
	}
	c.metrics.observe(method, status, time.Since(start))
	if err != nil {
		return nil, err
	}
	strip(reply.Header)
	return reply, nil
}

// forwarded copies the header fields that go along.
func forwarded(header http.Header) http.Header {
	out := header.Clone()
	if out == nil {
		out = make(http.Header, 4)
	}
	strip(out)
	out.Del("Host")
	out.Del("Authorization")
	// Under its usual spelling this field would allow net/http to repeat a call. That is not the
	// client's to decide, since the call may be a transaction; the backend still gets it.
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if v, ok := out[name]; ok {
			delete(out, name)
			out[strings.ToLower(name)] = v
		}
	}
	return out
}

// strip removes the fields that concern the connection.
func strip(header http.Header) {
	for _, list := range header["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			header.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		header.Del(name)
	}
}

const (
	// trustedLength is up to which a declared length is allocated before the bytes have come.
	trustedLength = 4 << 20

	// pooledBuffer is up to which a buffer is kept for the next answer: a block fits.
	pooledBuffer = 4 << 20
)

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readBody reads an answer of at most limit bytes.
func readBody(res *http.Response, plain bool, limit int64) ([]byte, error) {
	length, src := res.ContentLength, io.Reader(res.Body)
	if length > limit {
		return nil, fmt.Errorf("%w: %d bytes of %d", ErrTooLarge, length, limit)
	}
	if encoding := res.Header.Get("Content-Encoding"); plain && encoding != "" && encoding != "identity" {
		if encoding != "gzip" {
			return nil, fmt.Errorf("%w: its encoding is %q", ErrMalformed, encoding)
		}
		unzip, err := gzip.NewReader(res.Body)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		length, src = -1, unzip
	}
	if 0 <= length && length <= trustedLength {
		body := make([]byte, length)
		_, err := io.ReadFull(src, body)
		return body, err
	}
	buf, ok := buffers.Get().(*bytes.Buffer)
	if !ok {
		buf = new(bytes.Buffer)
	}
	defer func() {
		if buf.Cap() <= pooledBuffer {
			buf.Reset()
			buffers.Put(buf)
		}
	}()
	n, err := buf.ReadFrom(io.LimitReader(src, limit+1))
	switch {
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	case err != nil:
		return nil, err
	case n > limit:
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	return bytes.Clone(buf.Bytes()), nil
}
