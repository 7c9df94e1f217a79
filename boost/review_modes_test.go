// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// A switch to dry-run in the middle of a block that is being published breaks it, and that is told.
func TestDryRunInMidRoundIsTold(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	list := fbs(builderID, 3, false)
	r.deliver(list[:2])
	r.modes.SetMode(params.ModeDryRun)
	r.deliver(list[2:])
	require.Equal(t, localHash, hashOf(r.payload()))
	count, _ := r.published()
	require.Equal(t, 2, count)
	require.True(t, r.reorged())

	// And back: the id has its answer.
	r.modes.SetMode(params.ModeEnabled)
	require.Equal(t, localHash, hashOf(r.payload()))
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

// Connections that a client holds in reserve do not hold up the end.
func TestReserveConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	var f fresh
	dial := func() (ours, theirs net.Conn) {
		ours, theirs = net.Pipe()
		t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
		return ours, theirs
	}
	ended := func(conn net.Conn) bool {
		_ = conn.SetReadDeadline(time.Unix(1, 0)) // a live one has nothing to read
		_, err := conn.Read(make([]byte, 1))
		return errors.Is(err, io.EOF)
	}
	reserve, a := dial()
	used, b := dial()
	late, c := dial()
	f.track(reserve, http.StateNew)
	f.track(used, http.StateNew)
	f.track(used, http.StateActive)
	f.close()
	f.track(late, http.StateNew)
	require.True(t, ended(a))
	require.False(t, ended(b))
	require.True(t, ended(c))
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
