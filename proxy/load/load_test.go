// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package load

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testhub"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testleak"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

func TestMain(m *testing.M) { testleak.Main(m) }

// newServer is a hub on a free port; it publishes until the test ends.
func newServer(t *testing.T) string {
	t.Helper()
	builder := testhub.New(t, stream.HubConfig{})
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
			builder.Publish(teststream.Flashblock(1+n/10, n%10))
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return builder.URL("")
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
		number, ok := r.ledger.arrived(teststream.Flashblock(1, index).AppendJSON(nil), time.Now())
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
