// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// F21: what is in progress when the sidecar is told to stop is answered.
func TestStopDrains(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	var (
		entered = make(chan struct{})
		release = make(chan struct{})
	)
	r.l2.On(engineapi.NewPayload, eltest.Handler(func(context.Context, *jsonrpc.Request) (any, error) {
		close(entered)
		<-release
		return eltest.PayloadStatus(engine.VALID), nil
	}))
	answers := make(chan []byte, 1)
	go func() {
		_, answer := r.post([]byte(`{"jsonrpc":"2.0","id":1,"method":"engine_newPayloadV4","params":[{}]}`))
		answers <- answer
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- r.sidecar.Stop(context.WithoutCancel(t.Context())) }()
	r.eventually("nobody is let in any more", func() bool {
		resp, err := http.DefaultClient.Get("http://" + r.sidecar.Addr().String())
		return err != nil || resp.Body.Close() != nil
	})
	close(release)
	require.Contains(t, string(<-answers), engine.VALID)
	require.NoError(t, <-stopped)
}

// An end whose time is over cuts calls off, but waits until they are gone.
func TestForcedStopWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	reached, gate := make(chan struct{}), make(chan struct{})
	r.l2.On(engineapi.GetPayload, eltest.Handler(func(context.Context, *jsonrpc.Request) (any, error) {
		close(reached)
		<-gate // whatever the context says
		return nil, eltest.ErrInjected
	}))
	go func() { _, _ = r.send(t.Context(), eltest.Encode("engine_getPayloadV4", engine.PayloadID{0x03, 0xff})) }()
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
