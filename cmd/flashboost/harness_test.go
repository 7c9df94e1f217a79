// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
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

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/params"
)

const (
	// patience bounds every wait for something that must happen. It decides nothing else.
	patience = time.Minute

	// pace is how often a condition is looked at.
	pace = 5 * time.Millisecond

	l2Secret      = "1111111111111111111111111111111111111111111111111111111111111111"
	builderSecret = "2222222222222222222222222222222222222222222222222222222222222222"

	l2Payload      = "0x0300000000000001"
	builderPayload = "0x0400000000000002"

	attributes = `{"timestamp":"0x1","prevRandao":"0x0000000000000000000000000000000000000000000000000000000000000003","suggestedFeeRecipient":"0x4200000000000000000000000000000000000011","withdrawals":[],"parentBeaconBlockRoot":"0x0000000000000000000000000000000000000000000000000000000000000004","transactions":[],"gasLimit":"0x1c9c380"}`
	forkchoice = `{"headBlockHash":"0x0000000000000000000000000000000000000000000000000000000000000001","safeBlockHash":"0x0000000000000000000000000000000000000000000000000000000000000001","finalizedBlockHash":"0x0000000000000000000000000000000000000000000000000000000000000001"}`
)

// fakeEL is an execution layer over HTTP: it answers by method, and keeps what it was asked.
type fakeEL struct {
	*httptest.Server
	payload string // its payload id

	mu     sync.Mutex
	age    time.Duration // of the latest block
	builds int           // builds begun
	calls  []string
	bearer string                   // the last one
	hold   map[string]chan struct{} // a method waits here
}

func newFakeEL(t *testing.T, payload string) *fakeEL {
	t.Helper()
	el := &fakeEL{payload: payload, hold: make(map[string]chan struct{})}
	el.Server = httptest.NewServer(http.HandlerFunc(el.serve))
	t.Cleanup(el.Close)
	return el
}

func (el *fakeEL) serve(w http.ResponseWriter, r *http.Request) {
	var req struct {
		ID     json.RawMessage
		Method string
		Params []json.RawMessage
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	el.mu.Lock()
	el.calls = append(el.calls, req.Method)
	el.bearer, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	hold := el.hold[req.Method]
	el.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-r.Context().Done():
			return
		}
	}
	builds := strings.HasPrefix(req.Method, "engine_forkchoiceUpdated") && len(req.Params) > 1 && string(req.Params[1]) != "null"
	el.mu.Lock()
	if builds {
		el.builds++
	}
	head := time.Now().Add(-el.age)
	el.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, req.ID, el.standard(req.Method, builds, head))
}

// standard is what an execution layer in good health answers.
func (el *fakeEL) standard(method string, builds bool, head time.Time) string {
	const valid = `{"status":"VALID","latestValidHash":"0x0000000000000000000000000000000000000000000000000000000000000001","validationError":null}`
	switch {
	case method == "eth_getBlockByNumber":
		return fmt.Sprintf(`"result":{"number":"0x1","timestamp":"0x%x"}`, head.Unix())
	case strings.HasPrefix(method, "engine_newPayload"):
		return `"result":` + valid
	case builds:
		return `"result":{"payloadStatus":` + valid + `,"payloadId":"` + el.payload + `"}`
	case strings.HasPrefix(method, "engine_forkchoiceUpdated"):
		return `"result":{"payloadStatus":` + valid + `,"payloadId":null}`
	case method == "eth_chainId":
		return `"result":"0x2105"`
	default:
		return `"error":{"code":-32601,"message":"the method does not exist"}`
	}
}

// lag sets the age of the latest block.
func (el *fakeEL) lag(age time.Duration) {
	el.mu.Lock()
	defer el.mu.Unlock()
	el.age = age
}

// built counts the builds begun.
func (el *fakeEL) built() int {
	el.mu.Lock()
	defer el.mu.Unlock()
	return el.builds
}

// asked counts the calls of a method.
func (el *fakeEL) asked(method string) (count int) {
	el.mu.Lock()
	defer el.mu.Unlock()
	for _, call := range el.calls {
		if call == method {
			count++
		}
	}
	return count
}

// block makes a method wait for the returned function.
func (el *fakeEL) block(method string) (release func()) {
	gate := make(chan struct{})
	el.mu.Lock()
	el.hold[method] = gate
	el.mu.Unlock()
	return sync.OnceFunc(func() { close(gate) })
}

// harness is the wired sidecar between two fake execution layers.
type harness struct {
	t           *testing.T
	l2, builder *fakeEL
	cfg         params.Boost
	s           *service
}

// newHarness starts it. The change comes before.
func newHarness(t *testing.T, change func(h *harness)) *harness {
	t.Helper()
	h := &harness{t: t, l2: newFakeEL(t, l2Payload), builder: newFakeEL(t, builderPayload), cfg: params.DefaultBoost}
	h.cfg.L2.URL, h.cfg.L2.JWTToken = h.l2.URL, l2Secret
	h.cfg.Builder.URL, h.cfg.Builder.JWTToken = h.builder.URL, builderSecret
	h.cfg.L2.Timeout, h.cfg.Builder.Timeout, h.cfg.L2.MethodTimeouts = patience, patience, nil
	h.cfg.DrainTimeout = patience
	h.cfg.RPCPort, h.cfg.DebugPort, h.cfg.MetricsPort, h.cfg.Flashblocks.Port = 0, 0, 0, 0
	h.cfg.Metrics = true
	if change != nil {
		change(h)
	}
	require.NoError(t, h.cfg.Check())
	var err error
	h.s, err = newService(&h.cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.s.stop(context.Background()) })
	require.NoError(t, h.s.start(t.Context()))
	return h
}

// addr is where a part listens.
func (h *harness) addr(part string) string {
	h.t.Helper()
	addr, err := h.s.addr(part)
	require.NoError(h.t, err)
	return addr.String()
}

// post sends a body and returns the answer.
func post(ctx context.Context, addr, body string) (code int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// call sends a request to the engine port.
func (h *harness) call(method, list string) string {
	h.t.Helper()
	_, answer, err := post(h.t.Context(), h.addr(partRPC), `{"jsonrpc":"2.0","id":5,"method":"`+method+`","params":[`+list+`]}`)
	require.NoError(h.t, err)
	return answer
}

// get asks for a path of one of the ports.
func (h *harness) get(part, path string) (code int, body string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, "http://"+h.addr(part)+path, http.NoBody)
	require.NoError(h.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(h.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(h.t, err)
	return res.StatusCode, string(text)
}

// eventually waits for a condition.
func (h *harness) eventually(what string, cond func() bool) {
	h.t.Helper()
	require.Eventually(h.t, cond, patience, pace, what)
}
