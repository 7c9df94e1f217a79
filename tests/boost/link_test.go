// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

// link is a JSON-RPC server between two parts of the devnet. It passes everything on, unless a fault is in
// place.
type link struct {
	target string
	server *httptest.Server
	client *http.Client

	mu     sync.Mutex
	fault  fault         // nil to pass everything on
	lifted chan struct{} // closed when the present fault is lifted, which releases what it holds
	calls  map[string]int
}

// fault decides about one call.
type fault func(c *call) reply

// call is one request on its way through a link.
type call struct {
	ctx    context.Context
	lifted <-chan struct{}
	method string
	body   []byte // may be changed before pass
	link   *link
	header http.Header
}

// reply is the answer to a request. Status 0 ends the connection without an answer.
type reply struct {
	status int
	body   []byte
}

// build is what a forkchoice update with attributes is counted as, besides its own name.
const build = "build"

// newLink returns a link without a target yet.
func newLink(t *testing.T) *link {
	t.Helper()
	l := &link{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}, calls: make(map[string]int), lifted: make(chan struct{})}
	l.server = httptest.NewServer(l)
	t.Cleanup(func() {
		l.set(nil)
		l.server.CloseClientConnections()
		l.server.Close()
		l.client.CloseIdleConnections()
	})
	return l
}

// to sets where a link leads and returns its own address.
func (l *link) to(target string) string {
	l.target = target
	return l.server.URL
}

// set puts a fault in place of the present one, nil for none.
func (l *link) set(f fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.lifted)
	l.fault, l.lifted = f, make(chan struct{})
}

// count returns how often methods were called so far.
func (l *link) count(methods ...string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := 0
	for _, method := range methods {
		sum += l.calls[method]
	}
	return sum
}

// ServeHTTP implements http.Handler.
func (l *link) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var request struct {
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
	}
	_ = json.Unmarshal(body, &request) // a batch has no method of its own
	l.mu.Lock()
	l.calls[request.Method]++
	if isForkchoice(request.Method) && len(request.Params) > 1 && string(request.Params[1]) != "null" {
		l.calls[build]++
	}
	decide, lifted := l.fault, l.lifted
	l.mu.Unlock()

	c := &call{ctx: r.Context(), lifted: lifted, method: request.Method, body: body, link: l, header: r.Header}
	if decide == nil {
		decide = (*call).pass
	}
	answer := decide(c)
	if answer.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body)
}

// pass sends the call to its target and returns the answer.
func (c *call) pass() reply {
	req, err := http.NewRequestWithContext(c.ctx, http.MethodPost, c.link.target, bytes.NewReader(c.body))
	if err != nil {
		return reply{}
	}
	for _, key := range []string{"Authorization", "Content-Type"} {
		req.Header.Set(key, c.header.Get(key))
	}
	resp, err := c.link.client.Do(req)
	if err != nil {
		return reply{} // as if the target had been called itself
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{}
	}
	return reply{status: resp.StatusCode, body: body}
}

// hold waits until the fault is lifted or the caller has given up.
func (c *call) hold() {
	select {
	case <-c.ctx.Done():
	case <-c.lifted:
	}
}

// delay waits for d, or until the caller has given up.
func (c *call) delay(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.ctx.Done():
	case <-timer.C:
	}
}

// object is a JSON object of which a few keys are looked at.
type object map[string]json.RawMessage

// on limits a fault to some methods.
func on(f fault, methods ...string) fault {
	return func(c *call) reply {
		for _, method := range methods {
			if c.method == method {
				return f(c)
			}
		}
		return c.pass()
	}
}

// hung accepts calls and never answers them.
func hung(c *call) reply {
	c.hold()
	return reply{}
}

// slow answers late.
func slow(d time.Duration) fault {
	return func(c *call) reply {
		c.delay(d)
		return c.pass()
	}
}

// answers gives these answers in turn to everything.
func answers(list ...reply) fault {
	var (
		mu   sync.Mutex
		turn int
	)
	return func(*call) reply {
		mu.Lock()
		defer mu.Unlock()
		turn++
		return list[turn%len(list)]
	}
}

// attributes changes the payload attributes of forkchoice updates: the builder builds a valid block that
// nobody has asked for.
func attributes(change func(object)) fault {
	return func(c *call) reply {
		var request struct {
			Version string            `json:"jsonrpc"`
			ID      json.RawMessage   `json:"id"`
			Method  string            `json:"method"`
			Params  []json.RawMessage `json:"params"`
		}
		if json.Unmarshal(c.body, &request) == nil && isForkchoice(c.method) && len(request.Params) == 2 {
			var attrs object
			if json.Unmarshal(request.Params[1], &attrs) == nil && attrs != nil {
				change(attrs)
				request.Params[1] = encode(attrs)
				c.body = encode(request)
			}
		}
		return c.pass()
	}
}

// payloads changes the execution payload in the answers of getPayload.
func payloads(change func(object)) fault {
	return func(c *call) reply {
		answer := c.pass()
		if !isGetPayload(c.method) {
			return answer
		}
		var response, result, payload object
		if json.Unmarshal(answer.body, &response) != nil || json.Unmarshal(response["result"], &result) != nil ||
			json.Unmarshal(result["executionPayload"], &payload) != nil || payload == nil {
			return answer
		}
		change(payload)
		result["executionPayload"] = encode(payload)
		response["result"] = encode(result)
		answer.body = encode(response)
		return answer
	}
}

// encode returns v as JSON. What it is given always has a form.
func encode(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// quantity returns a number as the Engine API writes it.
func quantity(n uint64) json.RawMessage { return encode(hexutil.Uint64(n)) }

func isForkchoice(method string) bool { return hasStem(method, "engine_forkchoiceUpdatedV") }
func isGetPayload(method string) bool { return hasStem(method, "engine_getPayloadV") }

// hasStem tells whether a method is a version of another.
func hasStem(method, stem string) bool {
	return len(method) == len(stem)+1 && method[:len(stem)] == stem
}
