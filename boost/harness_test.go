// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

func TestMain(m *testing.M) {
	log.SetDefault(log.NewLogger(log.DiscardHandler()))
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/VictoriaMetrics/metrics.summariesSwapCron"), // for the life of the process
		goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"),                   // lingers after a refused connection
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

// patience is how long a test waits for something that must happen. It decides nothing else.
const patience = 60 * time.Second

// handler answers a call of a fake execution layer.
type handler func(ctx context.Context, req *jsonrpc.Request) (any, error)

// fakeEL is an execution layer that answers as it is told and remembers what it was asked.
type fakeEL struct {
	mu       sync.Mutex
	handlers map[string]handler
	calls    []jsonrpc.Request
	limits   []string // methods whose limits held for what was forwarded
	timeout  time.Duration
}

func newFakeEL() *fakeEL { return &fakeEL{handlers: make(map[string]handler), timeout: patience} }

// on sets the answer to a method or to all that begin with it: a value, an error, or a handler.
func (f *fakeEL) on(method string, reply any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch reply := reply.(type) {
	case handler:
		f.handlers[method] = reply
	case error:
		f.handlers[method] = func(context.Context, *jsonrpc.Request) (any, error) { return nil, reply }
	default:
		f.handlers[method] = func(context.Context, *jsonrpc.Request) (any, error) { return reply, nil }
	}
}

// hang makes a method accept calls and never answer.
func (f *fakeEL) hang(method string) {
	f.on(method, handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}))
}

// asked returns the calls of a method or of all that begin with it.
func (f *fakeEL) asked(method string) (list []jsonrpc.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, call := range f.calls {
		if len(call.Method) >= len(method) && call.Method[:len(method)] == method {
			list = append(list, call)
		}
	}
	return list
}

func (f *fakeEL) handler(method string) handler {
	f.mu.Lock()
	defer f.mu.Unlock()
	best := ""
	for name := range f.handlers {
		if len(name) <= len(method) && method[:len(name)] == name && len(name) >= len(best) {
			best = name
		}
	}
	if best == "" {
		return func(context.Context, *jsonrpc.Request) (any, error) {
			return nil, &jsonrpc.Error{Code: -32601, Message: "the method " + method + " does not exist/is not available"}
		}
	}
	return f.handlers[best]
}

// Call implements Backend.
func (f *fakeEL) Call(ctx context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error) {
	f.mu.Lock()
	f.calls = append(f.calls, *req)
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	result, err := f.handler(req.Method)(ctx, req)
	var rejected *jsonrpc.Error
	switch {
	case err == nil:
	case asRejected(err, &rejected):
		return jsonrpc.ParseResponse(jsonrpc.AppendError(nil, req.ID, rejected))
	default:
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

func asRejected(err error, target **jsonrpc.Error) bool {
	rejected, ok := err.(*jsonrpc.Error) //nolint:errorlint // what a test gave, unwrapped
	*target = rejected
	return ok
}

// Forward implements Backend.
func (f *fakeEL) Forward(ctx context.Context, header http.Header, body []byte) (*backend.Reply, error) {
	reqs, isBatch, err := jsonrpc.ParseBody(body)
	if err != nil {
		return nil, err
	}
	list := newBatch(len(reqs))
	for i := range reqs {
		resp, err := f.Call(ctx, &reqs[i])
		if err != nil {
			return nil, err
		}
		if !isBatch {
			return &backend.Reply{Status: http.StatusOK, Header: http.Header{"Content-Type": {contentType}, "X-Seen": header["X-Sent"]}, Body: resp.Raw}, nil
		}
		list.add(resp.Raw)
	}
	return &backend.Reply{Status: http.StatusOK, Header: http.Header{}, Body: list.bytes()}, nil
}

// ForwardMethod implements Backend.
func (f *fakeEL) ForwardMethod(ctx context.Context, method string, header http.Header, body []byte) (*backend.Reply, error) {
	f.mu.Lock()
	f.limits = append(f.limits, method)
	f.mu.Unlock()
	return f.Forward(ctx, header, body)
}

// Timeout implements Backend.
func (f *fakeEL) Timeout(string) time.Duration { return f.timeout }

// answers to forkchoice updates and new payloads
func forkchoice(status string, id *engine.PayloadID) map[string]any {
	return map[string]any{"payloadStatus": map[string]any{"status": status, "latestValidHash": parent, "validationError": nil}, "payloadId": id}
}

func payloadStatusOf(status string) map[string]any {
	return map[string]any{"status": status, "latestValidHash": parent, "validationError": nil, "unheard": "of"}
}

var (
	localID   = engine.PayloadID{0x03, 1}
	builderID = engine.PayloadID{0x04, 2}
	rebuiltID = engine.PayloadID{0x03, 3}
)

// rig is a sidecar between two fake execution layers.
type rig struct {
	t       testing.TB
	l2      *fakeEL
	builder *fakeEL
	store   *round.Store
	modes   *Modes
	set     *metrics.Set
	sidecar *Sidecar
	watch   *watcher

	mu  sync.Mutex
	out []stream.Message
}

// watcher is an Observer that remembers.
type watcher struct {
	mu       sync.Mutex
	withhold bool
	calls    map[health.Which][]error
	builds   []error
}

func (w *watcher) ObserveCall(which health.Which, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[which] = append(w.calls[which], err)
}

// failures returns the errors of the calls to either side.
func (w *watcher) failures() (list []error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, calls := range w.calls {
		for _, err := range calls {
			if err != nil {
				list = append(list, err)
			}
		}
	}
	return list
}

func (w *watcher) ObserveBuild(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.builds = append(w.builds, err)
}

func (w *watcher) MayBuild() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.withhold
}

// newRig starts a sidecar in front of a local execution layer that builds a block of the deposit, and a
// builder that builds one of three flashblocks without roots.
func newRig(t testing.TB, edit func(*Config)) *rig {
	t.Helper()
	r := &rig{
		t: t, l2: newFakeEL(), builder: newFakeEL(), modes: NewModes(params.ModeEnabled), set: metrics.NewSet(),
		watch: &watcher{calls: make(map[health.Which][]error)},
	}
	r.store = round.NewStore(round.Config{Metrics: r.set, Publishing: r.modes.Publishing, Publish: func(m stream.Message) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.out = append(r.out, m)
	}})
	r.l2.on(forkchoiceMethod, handler(func(_ context.Context, req *jsonrpc.Request) (any, error) {
		if isRebuild(req) {
			return forkchoice(engine.VALID, &rebuiltID), nil
		}
		if !hasAttributes(req) {
			return forkchoice(engine.VALID, nil), nil
		}
		return forkchoice(engine.VALID, &localID), nil
	}))
	r.l2.on(newPayloadMethod, payloadStatusOf(engine.VALID))
	r.l2.on(getPayloadMethod, handler(func(_ context.Context, req *jsonrpc.Request) (any, error) {
		if bytes.Contains(req.Params, []byte(rebuiltID.String())) {
			return envelope(fbs(builderID, 3, false), nil), nil
		}
		return envelope(fbs(localID, 1, false), nil), nil
	}))
	r.builder.on(forkchoiceMethod, handler(func(_ context.Context, req *jsonrpc.Request) (any, error) {
		if !hasAttributes(req) {
			return forkchoice(engine.VALID, nil), nil
		}
		return forkchoice(engine.VALID, &builderID), nil
	}))
	r.builder.on(newPayloadMethod, payloadStatusOf(engine.VALID))
	r.builder.on(getPayloadMethod, envelope(fbs(builderID, 3, false), nil))
	cfg := Config{
		Addr: "127.0.0.1:0", L2: r.l2, Builder: r.builder, Rounds: r.store, Modes: r.modes, Observer: r.watch,
		RescueAfter: patience, Metrics: r.set,
		Now: func() time.Time { return time.Unix(blockTime, 0) },
	}
	if edit != nil {
		edit(&cfg)
	}
	sidecar, err := New(cfg)
	require.NoError(t, err)
	r.sidecar = sidecar
	require.NoError(t, sidecar.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		require.NoError(t, sidecar.Stop(ctx))
	})
	return r
}

func hasAttributes(req *jsonrpc.Request) bool {
	args, err := req.Args()
	return err == nil && len(args) > 1 && !isNull(args[1])
}

func isRebuild(req *jsonrpc.Request) bool {
	return bytes.Contains(req.Params, []byte(`"noTxPool":true`))
}

// post sends a body and returns status and answer.
func (r *rig) post(body []byte) (int, []byte) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, "http://"+r.sidecar.Addr().String(), bytes.NewReader(body))
	require.NoError(r.t, err)
	req.Header.Set("X-Sent", "yes")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return resp.StatusCode, answer
}

// call makes one call and returns its answer.
func (r *rig) call(method string, args ...any) *jsonrpc.Response {
	r.t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 7, "method": method, "params": args})
	require.NoError(r.t, err)
	status, answer := r.post(body)
	require.Equal(r.t, http.StatusOK, status, "%s", answer)
	resp, err := jsonrpc.ParseResponse(answer)
	require.NoError(r.t, err, "%s", answer)
	return resp
}

// begin asks for a block and waits until both sides build.
func (r *rig) begin() *round.Round {
	r.t.Helper()
	resp := r.call("engine_forkchoiceUpdatedV3", attributes(parent, nil)...)
	require.Nil(r.t, resp.Error)
	live := r.store.Lookup(localID)
	require.NotNil(r.t, live)
	_, err := live.Builder(r.t.Context())
	require.NoError(r.t, err)
	return live
}

// deliver gives the store flashblocks.
func (r *rig) deliver(list []*flashblocks.Flashblock) {
	r.t.Helper()
	for _, fb := range list {
		header, text, err := flashblocks.DecodeHeader(fb.AppendJSON(nil), flashblocks.Limits{})
		require.NoError(r.t, err)
		r.store.Add(stream.Delivery{Header: header, JSON: text, Arrived: time.Unix(blockTime, 0)})
	}
}

// payload asks for the block and returns the result.
func (r *rig) payload() json.RawMessage {
	r.t.Helper()
	resp := r.call("engine_getPayloadV4", localID)
	require.Nil(r.t, resp.Error)
	return resp.Result
}

// published counts the flashblocks that went out; notices are the texts of the v0-only messages.
func (r *rig) published() (count int, notices []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.out {
		if m.V1 == nil {
			notices = append(notices, string(m.V0()))
			continue
		}
		count++
	}
	return count, notices
}

// counter is the value of a counter.
func (r *rig) counter(name string) int { return int(r.set.GetOrCreateCounter(name).Get()) }

// eventually waits for something that must happen.
func (r *rig) eventually(what string, condition func() bool) {
	r.t.Helper()
	require.Eventually(r.t, condition, patience, time.Millisecond, what)
}
