// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

func TestStopDrains(t *testing.T) {
	t.Parallel()
	g := newGate(t, QueueConfig{})
	g.submit(KindNewPayload, "n")
	g.submit(KindBuild, "b")
	require.Equal(t, []string{"n", "b"}, g.drain())
	require.Equal(t, map[string][]string{"gate": {"ok"}, "n": {"ok"}, "b": {"ok"}}, g.outcomes)
	g.submit(KindBuild, "late")
	require.Equal(t, []string{"stopped"}, g.outcomes["late"], "told at once")
	_, err := g.Do(t.Context(), KindBuild, request("b"))
	require.ErrorIs(t, err, ErrStopped)
	require.NoError(t, g.Stop(context.Background()), "a second time")
	require.ErrorIs(t, g.Start(t.Context()), ErrStarted)
}

func TestStopInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, QueueConfig{})
		g.submit(KindNewPayload, "n")
		g.submit(KindBuild, "b")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := g.Stop(ctx)
		require.ErrorIs(t, err, ErrStopped)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "3 calls")
		require.Equal(t, time.Second, time.Since(start))
		require.Equal(t, []string{"gate"}, g.made())
		require.Equal(t, map[string][]string{"gate": {"stopped"}, "n": {"stopped"}, "b": {"stopped"}}, g.outcomes)
	})
}

// TestEndOfStartContext: it ends the queue, and lets the calls that it has taken end first.
func TestEndOfStartContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHung(time.Second)
		q := NewQueue(QueueConfig{Name: "builder", Caller: h})
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, q.Start(ctx))
		require.ErrorIs(t, q.Start(ctx), ErrStarted)
		outcome := make(chan error, 2)
		q.Submit(job(KindBuild, "b", func(_ *jsonrpc.Response, err error) { outcome <- err }))
		synctest.Wait()
		cancel()
		synctest.Wait()
		q.Submit(job(KindBuild, "late", func(_ *jsonrpc.Response, err error) { outcome <- err }))
		require.ErrorIs(t, <-outcome, ErrStopped)
		close(h.recovered)
		require.NoError(t, <-outcome)
		require.NoError(t, q.Stop(t.Context()))
	})
}

func TestNeverStarted(t *testing.T) {
	t.Parallel()
	s := new(script)
	q := NewQueue(QueueConfig{Name: "builder", Caller: s})
	outcome := make(chan error, 2)
	q.Submit(job(KindForkchoice, "f1", func(_ *jsonrpc.Response, err error) { outcome <- err }))
	q.Submit(job(KindForkchoice, "f2", func(_ *jsonrpc.Response, err error) { outcome <- err }))
	require.NoError(t, q.Stop(t.Context()))
	require.ErrorIs(t, <-outcome, ErrSuperseded)
	require.ErrorIs(t, <-outcome, ErrStopped)
	require.Empty(t, s.made())
	require.ErrorIs(t, q.Start(t.Context()), ErrStarted)
}

// TestJobsBeforeStart are taken, and their calls made when the queue starts.
func TestJobsBeforeStart(t *testing.T) {
	t.Parallel()
	s := new(script)
	q := NewQueue(QueueConfig{Name: "builder", Caller: s})
	q.Submit(job(KindNewPayload, "n", nil))
	require.NoError(t, q.Start(t.Context()))
	require.NoError(t, q.Stop(t.Context()))
	require.Equal(t, []string{"n"}, s.made())
}

// TestWithdraw: who leaves takes a waiting job along, unless others want it too.
func TestWithdraw(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, QueueConfig{Coalesce: CoalesceIdentical})
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 3)
		do := func(ctx context.Context, kind Kind, name string) {
			_, err := g.Do(ctx, kind, job(kind, name, nil).Req)
			left <- err
		}
		go do(ctx, KindBuild, "alone")
		synctest.Wait()
		go do(ctx, KindForkchoice, "shared")
		synctest.Wait()
		g.submit(KindForkchoice, "shared")
		short, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		go do(short, KindNewPayload, "short")
		synctest.Wait()
		require.Equal(t, 3, g.Len())
		require.ErrorIs(t, <-left, ErrTimeout)
		cancel()
		require.ErrorIs(t, <-left, ErrCanceled)
		require.ErrorIs(t, <-left, ErrCanceled)
		require.Equal(t, 1, g.Len())
		require.Equal(t, []string{"shared"}, g.drain())
		require.Equal(t, []string{"ok"}, g.outcomes["shared"])
	})
}

// TestWithdrawInFlight: a call that is being made goes on, as the backend does.
func TestWithdrawInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHung(time.Hour)
		q := newQueue(t, QueueConfig{}, h)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := q.Do(ctx, KindNewPayload, request("n", `"n"`))
		require.ErrorIs(t, err, ErrTimeout)
		close(h.recovered)
		require.NoError(t, q.Stop(t.Context()))
		require.Equal(t, []string{"n"}, h.made())
		require.EqualValues(t, 1, q.metrics.jobs(KindNewPayload, "done").Get())
	})
}
