// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

func TestMain(m *testing.M) { eltest.Main(m) }

// rig is a sidecar between two fake execution layers.
type rig struct {
	t       testing.TB
	l2      *eltest.Layer
	builder *eltest.Layer
	rounds  *eltest.Rounds
	modes   *Modes
	set     *metrics.Set
	sidecar *Sidecar
	watch   *eltest.Observer
}

// newRig starts a sidecar in front of a local execution layer that builds a block of the deposit, and a
// builder that builds one of three flashblocks without roots.
func newRig(t testing.TB, edit func(*Config)) *rig {
	t.Helper()
	r := &rig{
		t: t, l2: eltest.NewL2(), builder: eltest.NewBuilder(), modes: NewModes(params.ModeEnabled), set: metrics.NewSet(),
		watch: eltest.NewObserver(),
	}
	r.rounds = eltest.NewRounds(r.set, r.modes.Publishing)
	cfg := Config{
		Addr: "127.0.0.1:0", L2: r.l2, Builder: r.builder, Rounds: r.rounds.Store, Modes: r.modes, Observer: r.watch,
		RescueAfter: eltest.Patience, Metrics: r.set,
		Now: func() time.Time { return time.Unix(eltest.BlockTime, 0) },
	}
	if edit != nil {
		edit(&cfg)
	}
	sidecar, err := New(cfg)
	require.NoError(t, err)
	r.sidecar = sidecar
	require.NoError(t, sidecar.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), eltest.Patience)
		defer cancel()
		require.NoError(t, sidecar.Stop(ctx))
	})
	return r
}

// send sends a body over its own client and returns the answer.
func (r *rig) send(ctx context.Context, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.sidecar.Addr().String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
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
	resp := r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...)
	require.Nil(r.t, resp.Error)
	live := r.rounds.Lookup(eltest.LocalID)
	require.NotNil(r.t, live)
	_, err := live.Builder(r.t.Context())
	require.NoError(r.t, err)
	return live
}

// deliver gives the rounds flashblocks.
func (r *rig) deliver(list []*flashblocks.Flashblock) {
	r.t.Helper()
	r.rounds.Deliver(r.t, list)
}

// payload asks for the block and returns the result.
func (r *rig) payload() json.RawMessage {
	r.t.Helper()
	resp := r.call("engine_getPayloadV4", eltest.LocalID)
	require.Nil(r.t, resp.Error)
	return resp.Result
}

// counter is the value of a counter.
func (r *rig) counter(name string) int { return int(r.set.GetOrCreateCounter(name).Get()) }

// eventually waits for something that must happen.
func (r *rig) eventually(what string, condition func() bool) {
	r.t.Helper()
	require.Eventually(r.t, condition, eltest.Patience, time.Millisecond, what)
}
