// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package load

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

func TestMain(m *testing.M) {
	log.SetDefault(log.NewLogger(log.DiscardHandler()))
	// net/http lingers for half a second after a connection it has refused.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// newServer is a hub on a free port; it publishes until the test ends.
func newServer(t *testing.T) string {
	t.Helper()
	hub := stream.NewHub(stream.HubConfig{})
	server := stream.NewServer(stream.ServerConfig{Addr: "127.0.0.1:0", Handler: hub.Handler()})
	require.NoError(t, hub.Start(t.Context()))
	require.NoError(t, server.Start(t.Context()))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for n := uint64(0); ; n++ {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			hub.Publish(stream.Message{BlockNumber: 1 + n/10, Index: n % 10, V1: frame(1+n/10, n%10)})
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, server.Stop(ctx))
		require.NoError(t, hub.Stop(ctx))
	})
	return "ws://" + server.Addr().String()
}

func frame(block, index uint64) []byte {
	return fmt.Appendf(nil, `{"payload_id":"0x03%014x","index":%d,"diff":{},"metadata":{"block_number":%d}}`, block, index, block)
}

func TestRunAgainstAHub(t *testing.T) {
	t.Parallel()
	url := newServer(t)
	report, err := Run(t.Context(), Config{URL: url, Connections: 20, Duration: 300 * time.Millisecond, PID: os.Getpid(), Header: http.Header{}})
	require.NoError(t, err)
	require.Equal(t, 20, report.Connected)
	require.Empty(t, report.Lost)
	require.Positive(t, report.Flashblocks)
	require.Greater(t, report.Deliveries, uint64(report.Flashblocks))
	require.Zero(t, report.Gaps)
	require.Zero(t, report.Holes)
	require.Zero(t, report.Duplicates)
	require.Zero(t, report.Disorder)
	require.Zero(t, report.Garbage)
	require.LessOrEqual(t, report.SpreadP50, report.SpreadP99)
	require.NotNil(t, report.Server)
	require.Positive(t, report.Server.Connected)
	var text strings.Builder
	require.NoError(t, report.Write(&text))
	require.Contains(t, text.String(), "20 of 20 admitted")
}

func TestRefusalsAreReported(t *testing.T) {
	t.Parallel()
	_, err := Run(t.Context(), Config{URL: "ws://127.0.0.1:1/", Connections: 2, Duration: time.Second})
	require.ErrorContains(t, err, "none of 2 connections")
	for _, cfg := range []Config{{}, {URL: "x", Duration: 1}, {URL: "x", Connections: 1}} {
		_, err := Run(t.Context(), cfg)
		require.Error(t, err)
	}
}

// TestWhatConnectionsMiss: gaps, repetitions and disorder of single connections, and holes of the
// stream itself, are told apart.
func TestWhatConnectionsMiss(t *testing.T) {
	t.Parallel()
	r := &run{ledger: newLedger()}
	var a, b cursor
	see := func(at *cursor, index uint64) {
		number, ok := r.ledger.arrived(frame(1, index), time.Now())
		require.True(t, ok)
		r.follow(at, number)
	}
	for _, index := range []uint64{0, 1, 2, 4} { // nobody gets 3
		see(&a, index)
	}
	for _, index := range []uint64{0, 2, 2, 1, 4} {
		see(&b, index)
	}
	_, ok := r.ledger.arrived([]byte("{}"), time.Now())
	require.False(t, ok)
	require.Equal(t, uint64(1), r.gaps.Load(), "b missed 1")
	require.Equal(t, uint64(1), r.repeats.Load(), "b got 2 twice")
	require.Equal(t, uint64(1), r.disorder.Load(), "b got 1 after 2")
	require.Equal(t, 1, r.ledger.holes)
}

func TestHistogram(t *testing.T) {
	t.Parallel()
	var h histogram
	for us := range 1000 {
		h.add(time.Duration(us) * time.Microsecond)
	}
	require.InEpsilon(t, 500, h.quantile(0.5).Microseconds(), 0.08)
	require.InEpsilon(t, 990, h.quantile(0.99).Microseconds(), 0.08)
	require.Equal(t, 999*time.Microsecond, h.max)
	last := 0
	for d := time.Microsecond; d < 10*time.Minute; d += d/20 + 1 {
		i := bucket(d)
		require.GreaterOrEqual(t, i, last)
		require.LessOrEqual(t, upper(i), d)
		last = i
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	u, err := Measure(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, u.Resident, uint64(1<<20))
	_, err = Measure(0)
	require.Error(t, err)
	require.NoError(t, RaiseFileLimit(10))
	require.ErrorContains(t, RaiseFileLimit(1<<30), "ulimit")
}
