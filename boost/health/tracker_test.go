// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

var errAway = errors.New("connection refused")

// harness is a Tracker whose clock and mode the test sets.
type harness struct {
	*Tracker
	t    *testing.T
	now  time.Time
	used bool
	set  *metrics.Set
}

// newHarness returns a tracker of two backends that have both answered well.
func newHarness(t *testing.T) *harness {
	t.Helper()
	h := &harness{t: t, now: noon, used: true, set: metrics.NewSet()}
	h.Tracker = NewTracker(TrackerConfig{
		Config: config, IgnoreUnhealthy: true, Metrics: h.set,
		BuilderUsed: func() bool { return h.used },
		Now:         func() time.Time { return h.now },
	})
	h.begin()
	h.ObserveHead(L2, h.now)
	h.ObserveHead(Builder, h.now)
	h.expect(Healthy)
	return h
}

func (h *harness) expect(want Status) {
	h.t.Helper()
	status, why := h.Status()
	require.Equal(h.t, want, status, why)
}

// TestInvalidIsNoFault (F1): a result is a result, whatever it says of a block, and an error about the
// request is an answer.
func TestInvalidIsNoFault(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for range 10 {
		h.ObserveCall(L2, nil) // status INVALID comes in a result
		h.expect(Healthy)
	}
	for _, code := range []int{-38001, -38002, -38003, -38004, -38005, -32602, -32601, -32700, -32100, 13} {
		for range 3 {
			h.ObserveCall(L2, fmt.Errorf("answered: %w", &jsonrpc.Error{Code: code}))
			h.expect(Healthy)
		}
	}
}

// TestWhatSaysNothing (F5): slots in which the builder was not asked are not observed at all, and an
// op-node that hangs up has not been failed by anybody.
func TestWhatSaysNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, err := range neutral {
		for range 3 {
			h.ObserveCall(L2, &backend.CallError{Err: err})
			h.expect(Healthy)
		}
	}
	for range 10 {
		h.ObserveCall(L2, fmt.Errorf("call: %w", context.Canceled))
		h.ObserveCall(Builder, context.Canceled)
		h.ObserveBuild(fmt.Errorf("build: %w", context.Canceled))
		h.expect(Healthy)
	}
}

func TestEngineCallsOfTheLocalExecutionLayer(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"no answer":      errAway,
		"time":           context.DeadlineExceeded,
		"lost":           &backend.CallError{Err: backend.ErrTransport},
		"malformed":      &backend.CallError{Err: backend.ErrMalformed},
		"internal error": &jsonrpc.Error{Code: -32603},
		"server error":   &jsonrpc.Error{Code: -32000},
	} {
		h := newHarness(t)
		h.ObserveCall(L2, err)
		h.expect(Healthy)
		h.ObserveCall(L2, err)
		h.expect(ServiceUnavailable)
		h.ObserveHead(L2, h.now)
		h.expect(ServiceUnavailable) // a poll does not show that engine calls work: not even if one was lost
		h.ObserveCall(L2, nil)
		h.expect(Healthy)
		require.Empty(t, h.why(), name)
	}
}

func (h *harness) why() string {
	_, why := h.Status()
	return why
}

// TestALostAnswerIsLookedInto: the first one has the backend asked at once, and only then it counts.
func TestALostAnswerIsLookedInto(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	poked := func(which Which) bool {
		select {
		case <-h.doubts[which]:
			return true
		default:
			return false
		}
	}
	require.False(t, poked(L2))
	h.ObserveCall(L2, errAway)
	require.True(t, poked(L2))
	require.False(t, poked(Builder))
	h.ObservePollFailure(L2)
	h.expect(ServiceUnavailable)
	require.False(t, poked(L2), "it is known by now")

	h = newHarness(t)
	h.ObserveCall(L2, errAway)
	require.True(t, poked(L2))
	h.ObserveHead(L2, h.now)
	h.expect(Healthy)
	h.ObserveCall(L2, nil)
	h.ObserveCall(L2, errAway)
	h.expect(Healthy)
	require.True(t, poked(L2), "a new doubt")
}

func TestBuilds(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.ObserveBuild(errAway)
	h.expect(Healthy)
	h.ObserveBuild(errAway)
	h.expect(PartialContent)
	h.now = h.now.Add(2 * time.Second)
	h.ObserveBuild(errAway)
	h.expect(PartialContent)
	h.ObserveBuild(nil)
	h.expect(Healthy)

	// Nobody builds here any more: the leadership has moved on, and must be able to come back.
	h.ObserveBuild(errAway)
	h.ObserveBuild(errAway)
	h.expect(PartialContent)
	h.now = h.now.Add(memory + 1)
	h.expect(Healthy)
}

// TestDisabled: rollup-boost's rule that the mode decides whether the builder counts.
func TestDisabled(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.ObserveHead(Builder, h.now.Add(-time.Hour))
	h.expect(PartialContent)
	h.used = false
	h.expect(Healthy)
	h.ObserveHead(L2, h.now.Add(-time.Hour))
	h.expect(ServiceUnavailable)
}

// TestWithheldBuildsComeBack (F6): the outage of a builder ends with the first good answer to a poll,
// although nothing was asked of it meanwhile; and a builder that fails only builds gets another chance.
func TestWithheldBuildsComeBack(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	require.True(t, h.MayBuild())
	h.ObserveCall(Builder, errAway)
	h.ObservePollFailure(Builder)
	h.expect(PartialContent)
	require.False(t, h.MayBuild())
	h.now = h.now.Add(time.Second)
	h.ObserveHead(Builder, h.now.Add(-time.Minute))
	require.False(t, h.MayBuild(), "it has to catch up first")
	h.ObserveHead(Builder, h.now)
	h.ObserveCall(Builder, nil)
	require.True(t, h.MayBuild())
	h.expect(Healthy)

	h.ObserveBuild(errAway)
	h.ObserveBuild(errAway)
	require.False(t, h.MayBuild())
	h.now = h.now.Add(time.Second)
	h.ObserveHead(Builder, h.now)
	require.True(t, h.MayBuild())
	h.expect(PartialContent) // but it has yet to show that it can
	h.ObserveBuild(nil)
	h.expect(Healthy)
}

// TestBuildsAreWithheldByFlagOnly: without --ignore-unhealthy-builders every builder is asked.
func TestBuildsAreWithheldByFlagOnly(t *testing.T) {
	t.Parallel()
	tracker := NewTracker(TrackerConfig{Config: config, BuilderUsed: func() bool { return true }})
	require.True(t, tracker.MayBuild())
	tracker.ObservePollFailure(Builder)
	require.True(t, tracker.MayBuild())
}

// TestOrderDoesNotMatter (F8): there are no writers that overwrite one another's status. Whatever
// goroutine comes last, a builder's failure hides no failure of the local execution layer.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	l2 := func() {
		h.ObserveCall(L2, errAway)
		h.ObserveCall(L2, errAway)
	}
	builder := func() { h.ObserveBuild(nil); h.ObserveHead(Builder, h.now); h.ObserveCall(Builder, nil) }
	l2()
	builder()
	h.expect(ServiceUnavailable)
	h = newHarness(t)
	builder()
	l2()
	h.expect(ServiceUnavailable)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	figure := func(name string) float64 { return h.set.GetOrCreateGauge(name, nil).Get() }
	require.InDelta(t, 200, figure("flashboost_health_status"), 0)
	h.ObserveHead(Builder, h.now.Add(-time.Minute))
	require.InDelta(t, 206, figure("flashboost_health_status"), 0)
	require.InDelta(t, 60, figure(`flashboost_health_head_age_seconds{backend="builder"}`), 0)
	h.ObserveHead(L2, h.now.Add(-15*time.Second))
	require.InDelta(t, 503, figure("flashboost_health_status"), 0)
	require.InDelta(t, 15, figure(`flashboost_health_head_age_seconds{backend="l2"}`), 0)
}
