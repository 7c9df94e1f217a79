// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// A switch in the middle of a block stops its stream at once, and breaks no preconfirmation: in dry-run the block is
// finished as it was begun, in mode disabled without another word to the builder. A block of which nobody saw
// anything is the local one.
func TestSwitchInMidRound(t *testing.T) {
	t.Parallel()
	cut := sealed(fbs(builderID, 2, false)).BlockHash
	for _, tc := range []struct {
		to        params.ExecutionMode
		roots     string
		published int
		want      common.Hash
		rebuilt   int // flashblocks in the block that the local execution layer makes of transactions
	}{
		{params.ModeDryRun, "zero", 2, builderHash, 0},
		{params.ModeDryRun, "streamed", 2, builderHash, 0},
		{params.ModeDryRun, "external", 2, builderHash, 3},
		{params.ModeDryRun, "zero", 0, localHash, 0},
		{params.ModeDryRun, "streamed", 0, localHash, 0},
		{params.ModeDisabled, "zero", 2, cut, 2},
		{params.ModeDisabled, "streamed", 2, cut, 0},
		{params.ModeDisabled, "external", 2, cut, 2},
		{params.ModeDisabled, "zero", 0, localHash, 0},
		{params.ModeDisabled, "streamed", 0, localHash, 0},
		{params.ModeDisabled, "external", 0, localHash, 0},
	} {
		t.Run(fmt.Sprintf("%s, roots %s, %d published", tc.to, tc.roots, tc.published), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *Config) { c.ExternalStateRoot = tc.roots == "external" })
			r.rebuilds(tc.rebuilt)
			r.begin()
			list := fbs(builderID, 3, tc.roots == "streamed")
			r.deliver(list[:tc.published])
			r.modes.SetMode(tc.to)
			r.deliver(list[tc.published:])
			if tc.to == params.ModeDisabled {
				// op-node may ask again for the same.
				require.Nil(t, r.call("engine_forkchoiceUpdatedV3", attributes(parent, nil)...).Error)
			}
			told := len(r.builder.asked(""))
			require.Equal(t, tc.want, hashOf(r.payload()))
			require.Equal(t, tc.rebuilt > 0, r.wasRebuilt())
			if tc.to == params.ModeDisabled {
				require.Len(t, r.builder.asked(""), told, "the builder is out")
				require.Empty(t, r.watch.seen(), "and its health is nobody's concern")
			}
			count, notices := r.published()
			require.Equal(t, tc.published, count)
			require.Equal(t, tc.published > 0, strings.Contains(strings.Join(notices, ""), `"sealed":true`))
			require.False(t, r.reorged())

			// And back: the id has its answer.
			r.modes.SetMode(params.ModeEnabled)
			require.Equal(t, tc.want, hashOf(r.payload()))
		})
	}
}

// What the local execution layer begins to build alone takes the place of what was being built with the builder.
func TestDisabledReplacesRound(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.deliver(fbs(builderID, 2, false))
	r.modes.SetMode(params.ModeDisabled)
	other := engine.PayloadID{0x03, 0x77}
	r.l2.on(forkchoiceMethod, forkchoice(engine.VALID, &other))
	require.Nil(t, r.call("engine_forkchoiceUpdatedV3", attributes(parent, nil)...).Error)
	r.modes.SetMode(params.ModeEnabled)
	r.deliver(fbs(builderID, 3, false)[2:])
	count, _ := r.published()
	require.Equal(t, 2, count, "nothing is published of what was replaced")
	require.True(t, r.reorged())
}

// rebuilds makes the local node build a block of so many flashblocks from given transactions.
func (r *rig) rebuilds(count int) {
	before := r.l2.handler(getPayloadMethod)
	r.l2.on(getPayloadMethod, handler(func(ctx context.Context, req *jsonrpc.Request) (any, error) {
		if bytes.Contains(req.Params, []byte(rebuiltID.String())) {
			return envelope(fbs(builderID, count, false), nil), nil
		}
		return before(ctx, req)
	}))
}

// seen is how the builds ended.
func (w *watcher) seen() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.builds)
}

// A block that was cut off has little gas. That is no reason to break it.
func TestPolicySparesWhatIsCutOff(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Selection = params.SelectGasUsed })
	r.begin()
	r.deliver(fbs(builderID, 1, true))
	r.modes.SetMode(params.ModeDisabled)
	r.l2.on(getPayloadMethod, envelope(fbs(localID, 1, false), func(d *engine.ExecutableData) { d.GasUsed = 20_000_000 }))
	require.Equal(t, sealed(fbs(builderID, 1, false)).BlockHash, hashOf(r.payload()))
	require.False(t, r.reorged())
}

// A block that cannot be finished without the builder is the local one, and that is told. One whose streamed roots
// are wrong is rebuilt.
func TestDisabledInMidRoundWithABadBuilder(t *testing.T) {
	t.Parallel()
	for _, refused := range []bool{false, true} {
		t.Run(fmt.Sprint("rebuild refused ", refused), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.begin()
			r.deliver(fbs(builderID, 3, true))
			r.l2.on(newPayloadMethod, payloadStatusOf(engine.INVALID))
			if refused {
				r.refuseRebuild()
			}
			r.modes.SetMode(params.ModeDisabled)
			want := builderHash
			if refused {
				want = localHash
			}
			require.Equal(t, want, hashOf(r.payload()))
			require.Equal(t, !refused, r.wasRebuilt())
			require.Equal(t, refused, r.reorged())
		})
	}
}

// What was answered in mode disabled stays the answer when the mode has changed.
func TestDisabledAnswerIsFrozen(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.modes.SetMode(params.ModeDisabled)
	require.Equal(t, localHash, hashOf(r.payload()))
	r.modes.SetMode(params.ModeEnabled)
	require.Equal(t, localHash, hashOf(r.payload()))
	require.Empty(t, r.builder.asked(getPayloadMethod))
}

// Whoever asked for the block has hung up when it is found. It is the block all the same.
func TestHungUpGetPayload(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.deliver(fbs(builderID, 3, false))
	reached, gate := make(chan struct{}, 1), make(chan struct{})
	r.builder.on(getPayloadMethod, handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
		reached <- struct{}{}
		select {
		case <-gate:
			return envelope(fbs(builderID, 3, false), nil), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}))
	hungUp, hangUp := context.WithCancel(t.Context())
	told := make(chan error, 1)
	go func() {
		_, err := r.send(hungUp, encode("engine_getPayloadV4", localID))
		told <- err
	}()
	<-reached
	hangUp()
	require.Error(t, <-told)
	close(gate)
	require.Equal(t, builderHash, hashOf(r.payload()))
	require.Len(t, r.builder.asked(getPayloadMethod), 1)
}

// An answer is kept as long as it is among the last, even if its round is not.
func TestAnswerOutlivesItsRound(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	require.Equal(t, builderHash, hashOf(r.payload()))
	for n := range byte(2 * keptAnswers) {
		local := engine.PayloadID{0x03, 0xff, n}
		r.l2.on(forkchoiceMethod, forkchoice(engine.VALID, &local))
		require.Nil(t, r.call("engine_forkchoiceUpdatedV3", attributes(parent, nil)...).Error)
	}
	require.Nil(t, r.store.Lookup(localID))
	require.Equal(t, builderHash, hashOf(r.payload()))
}

// A page in somebody's browser must not reach the Engine API, for which the sidecar has the secret.
func TestBrowsersAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, header := range []http.Header{{"Origin": {"http://elsewhere.example"}}, {"Sec-Fetch-Site": {"cross-site"}}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.sidecar.Addr().String(),
			bytes.NewReader(encode("engine_forkchoiceUpdatedV3", attributes(parent, nil)...)))
		require.NoError(t, err)
		req.Header = header
		req.Header.Set("Content-Type", "text/plain")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusForbidden, resp.StatusCode)
	}
	require.Empty(t, r.l2.asked(""))
}

// Connections that a client holds in reserve do not hold up the end: net/http alone would wait 5 s for each.
func TestReserveConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.sidecar.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	r.l2.on("eth_chainId", "0x1")
	require.Nil(t, r.call("eth_chainId").Error, "the server has accepted what came before")
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	require.NoError(t, r.sidecar.Stop(ctx))
}

// An end whose time is over cuts calls off, but waits until they are gone.
func TestForcedStopWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	reached, gate := make(chan struct{}), make(chan struct{})
	r.l2.on(getPayloadMethod, handler(func(context.Context, *jsonrpc.Request) (any, error) {
		close(reached)
		<-gate // whatever the context says
		return nil, errInjected
	}))
	go func() { _, _ = r.send(t.Context(), encode("engine_getPayloadV4", engine.PayloadID{0x03, 0xff})) }()
	<-reached
	over, cancel := context.WithCancel(t.Context())
	cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- r.sidecar.Stop(over) }()
	select {
	case err := <-stopped:
		t.Error("the call goes on behind its back", err)
	case <-time.After(50 * time.Millisecond): // more only finds more
	}
	close(gate)
	if !t.Failed() {
		require.ErrorIs(t, <-stopped, context.Canceled)
	}
}
