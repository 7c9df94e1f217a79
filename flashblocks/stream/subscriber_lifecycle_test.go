// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

func TestSubscriberSaysWhyItCannotConnect(t *testing.T) {
	t.Parallel()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(refusing.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	mute, err := net.Listen("tcp", "127.0.0.1:0") // accepts, in the kernel, and never answers
	require.NoError(t, err)
	t.Cleanup(func() { _ = mute.Close() })

	for target, reason := range map[string]string{
		refusing.Listener.Addr().String(): "status 401",
		closed.Addr().String():            "refused",
		mute.Addr().String():              "timeout",
	} {
		_, events := follow(t, SubscriberConfig{URL: "ws://" + target + "/?key=secret", DialTimeout: 2 * time.Second})
		state := next[State](t, events)
		require.False(t, state.Connected)
		require.ErrorContains(t, state.Reason, reason)
		require.NotContains(t, state.Reason.Error(), "secret")
	}
}

func TestSubscriberConfigErrors(t *testing.T) {
	t.Parallel()
	handler := func(Delivery) {}
	for target, sentence := range map[string]string{
		"":                    `must begin with ws:// or wss://, not ""`,
		"http://host":         `must begin with ws:// or wss://, not "http"`,
		"ws://":               "has no host",
		"ws://host/#part":     "must have no fragment",
		"ws://host:x/?key=se": "malformed",
	} {
		err := NewSubscriber(SubscriberConfig{URL: target, Handler: handler}).Start(t.Context())
		require.ErrorContains(t, err, sentence)
		require.NotContains(t, err.Error(), "key=se")
	}
	require.ErrorContains(t, NewSubscriber(SubscriberConfig{URL: "ws://host"}).Start(t.Context()), "needs a handler")
}

func TestSubscriberStopsInEveryState(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{})
	h.publish(1, 0, 50)
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = mute.Close() })

	t.Run("not started", func(t *testing.T) {
		t.Parallel()
		s := NewSubscriber(SubscriberConfig{})
		require.NoError(t, s.Stop(t.Context()))
		require.ErrorIs(t, s.Start(t.Context()), ErrStopped)
	})
	t.Run("dialling", func(t *testing.T) {
		t.Parallel()
		s, _ := follow(t, SubscriberConfig{URL: "ws://" + mute.Addr().String(), DialTimeout: patience})
		require.ErrorIs(t, s.Start(t.Context()), ErrStarted)
		require.NoError(t, s.Stop(t.Context()))
	})
	t.Run("pausing", func(t *testing.T) {
		t.Parallel()
		target := teststream.Serve(t, func(int, *websocket.Conn, url.Values) {})
		s, events := follow(t, SubscriberConfig{URL: target, BackoffMin: time.Hour, BackoffMax: time.Hour})
		require.True(t, next[State](t, events).Connected)
		require.False(t, next[State](t, events).Connected)
		require.NoError(t, s.Stop(t.Context()))
	})
	t.Run("waiting for the handler", func(t *testing.T) {
		t.Parallel()
		entered, release := make(chan struct{}, 1), make(chan struct{})
		s, _ := follow(t, SubscriberConfig{URL: h.url("/?from=current"), Queue: 1, Handler: func(Delivery) {
			entered <- struct{}{}
			<-release
		}})
		<-entered
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, s.Stop(ctx), context.Canceled, "the handler is still running")
		close(release)
		require.NoError(t, s.Stop(t.Context()))
		require.Empty(t, entered, "nothing is delivered after Stop")
	})
	t.Run("end of context", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		connected := make(chan struct{}, 1)
		s := NewSubscriber(SubscriberConfig{URL: h.url("/"), Handler: func(Delivery) {}, OnState: func(State) { connected <- struct{}{} }})
		require.NoError(t, s.Start(ctx))
		<-connected
		cancel()
		require.NoError(t, s.Stop(context.Background()))
	})
}

func TestSubscriberOverTLS(t *testing.T) {
	t.Parallel()
	donor := httptest.NewUnstartedServer(nil)
	donor.StartTLS() // for its certificate
	t.Cleanup(donor.Close)
	roots := x509.NewCertPool()
	roots.AddCert(donor.Certificate())

	h := newHarness(t, HubConfig{SendBuffer: 1 << 16}, ServerConfig{TLS: &tls.Config{Certificates: donor.TLS.Certificates}})
	h.publish(1, 0, 20)
	target := strings.Replace(h.url("/?from=current"), "ws://", "wss://", 1)
	_, events := follow(t, SubscriberConfig{URL: target, TLS: &tls.Config{RootCAs: roots}})
	for index := range uint64(21) {
		expectDelivery(t, events, 1, index)
	}
	_, distrusting := follow(t, SubscriberConfig{URL: target})
	require.ErrorContains(t, next[State](t, distrusting).Reason, "certificate")
}

// Inline handlers get the same, in the same order, with the states in between.
func TestSubscriberInline(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{})
	h.publish(1, 0, 20)
	s, events := follow(t, SubscriberConfig{URL: h.url("/?from=current"), Inline: true})
	require.Equal(t, State{Connected: true}, <-events)
	for index := range uint64(21) {
		expectDelivery(t, events, 1, index)
	}
	s.Resume()
	h.publish(1, 21, 21)
	expectDelivery(t, events, 1, 21)
	require.NoError(t, s.Stop(t.Context()))
	h.publish(1, 22, 22)
	require.Empty(t, events, "nothing is delivered after Stop")
}
