// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package front

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/route"
)

func TestMain(m *testing.M) { eltest.Main(m) }

// routes answers every call with its method, and remembers what came.
type routes struct {
	forward func(ctx context.Context, body *route.Body) (*backend.Reply, error) // nil for an answer at once

	mu    sync.Mutex
	calls []string // methods, in the order of their calls
	long  string   // a result that is given instead of the method, if not empty
}

func (f *routes) PassesOn(req *jsonrpc.Request) bool {
	return req.Err == nil && !strings.HasPrefix(req.Method, "engine_")
}

func (f *routes) Forward(ctx context.Context, body *route.Body, take func(*backend.Reply)) error {
	for i := range body.Calls {
		f.note(body.Calls[i].Method)
	}
	reply := &backend.Reply{Status: http.StatusAccepted, Header: http.Header{"X-Seen": body.Header["X-Sent"]}, Body: []byte("as it is")}
	if f.forward != nil {
		var err error
		if reply, err = f.forward(ctx, body); err != nil {
			return err
		}
	}
	take(reply)
	return nil
}

func (f *routes) Call(_ context.Context, _ http.Header, req *jsonrpc.Request) []byte {
	f.note(req.Method)
	switch {
	case req.Err != nil:
		return jsonrpc.AppendError(nil, req.ID, req.Err)
	case req.Notification():
		return nil
	case f.long != "":
		return jsonrpc.AppendResult(nil, req.ID, json.RawMessage(strconv.Quote(f.long)))
	}
	return jsonrpc.AppendResult(nil, req.ID, json.RawMessage(strconv.Quote(req.Method)))
}

func (f *routes) note(method string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, method)
}

// made returns the methods of the calls that came.
func (f *routes) made() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// hold counts what it is told.
type hold struct{ answered, woken atomic.Int64 }

func (h *hold) Answered() { h.answered.Add(1) }

func (h *hold) Wake() { h.woken.Add(1) }

// rig is a server before fake routes.
type rig struct {
	t      testing.TB
	routes *routes
	hold   *hold
	set    *metrics.Set
	server *Server
}

func newRig(t testing.TB, edit func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, routes: new(routes), hold: new(hold), set: metrics.NewSet()}
	cfg := Config{
		Addr: "127.0.0.1:0", Routes: r.routes, Hold: r.hold, Metrics: r.set, Log: log.Root(),
		Now: func() time.Time { return time.Unix(eltest.BlockTime, 0) },
	}
	if edit != nil {
		edit(&cfg)
	}
	r.server = New(cfg)
	require.NoError(t, r.server.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), eltest.Patience)
		defer cancel()
		require.NoError(t, r.server.Stop(ctx))
		r.server.Wait()
	})
	return r
}

func (r *rig) url() string { return "http://" + r.server.Addr().String() }

// post sends a body, with a header that is passed on.
func (r *rig) post(body []byte) reply {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url(), bytes.NewReader(body))
	require.NoError(r.t, err)
	req.Header.Set("X-Sent", "yes")
	return r.do(req)
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// do makes a request.
func (r *rig) do(req *http.Request) reply {
	r.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return reply{resp.StatusCode, resp.Header, body}
}

// counter is the value of a counter.
func (r *rig) counter(name string) int { return int(r.set.GetOrCreateCounter(name).Get()) }
