// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// hung is a backend that accepts calls and answers none within the limit, until it recovers.
type hung struct {
	script
	limit     time.Duration
	recovered chan struct{}
}

func newHung(limit time.Duration) *hung {
	h := &hung{limit: limit, recovered: make(chan struct{})}
	h.handler = func(ctx context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error) {
		ctx, cancel := context.WithTimeout(ctx, h.limit)
		defer cancel()
		select {
		case <-h.recovered:
			return answerTo(req), nil
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return nil, ErrTimeout
			}
			return nil, ErrCanceled
		}
	}
	return h
}

// TestHungForkchoiceGivesWay: a forkchoice update without an answer keeps a payload or a build waiting
// for the queue's patience only.
func TestHungForkchoiceGivesWay(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{KindNewPayload, KindBuild} {
		synctest.Test(t, func(t *testing.T) {
			h := newHung(time.Second)
			q := newQueue(t, QueueConfig{Patience: 100 * time.Millisecond}, h)
			start := time.Now()
			outcome := make(chan error, 1)
			q.Submit(job(KindForkchoice, "f", func(_ *jsonrpc.Response, err error) { outcome <- err }))
			time.AfterFunc(300*time.Millisecond, func() { q.Submit(job(kind, "c", nil)) })
			require.ErrorIs(t, <-outcome, ErrSuperseded)
			require.Equal(t, 400*time.Millisecond, time.Since(start))
			synctest.Wait()
			require.Equal(t, []string{"f", "c"}, h.made())
			close(h.recovered)
			require.NoError(t, q.Stop(context.Background()))
		})
	}
}

// TestHungForkchoiceHasItsTime: others give it its whole timeout.
func TestHungForkchoiceHasItsTime(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		mode CoalesceMode
		next Kind
	}{{CoalesceNewest, KindForkchoice}, {CoalesceIdentical, KindBuild}} {
		synctest.Test(t, func(t *testing.T) {
			h := newHung(time.Second)
			q := newQueue(t, QueueConfig{Coalesce: tc.mode}, h)
			start := time.Now()
			outcome := make(chan error, 1)
			q.Submit(job(KindForkchoice, "f", func(_ *jsonrpc.Response, err error) { outcome <- err }))
			synctest.Wait()
			q.Submit(job(tc.next, "next", nil))
			require.ErrorIs(t, <-outcome, ErrTimeout)
			require.Equal(t, time.Second, time.Since(start))
			close(h.recovered)
			require.NoError(t, q.Stop(context.Background()))
		})
	}
}

// TestHungBackend: a row of jobs does not wait for a row of timeouts, and the first answer ends that.
func TestHungBackend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHung(time.Second)
		q := newQueue(t, QueueConfig{}, h)
		start := time.Now()
		ended := make(chan time.Duration, 100)
		note := func(_ *jsonrpc.Response, err error) {
			require.ErrorIs(t, err, ErrTimeout)
			ended <- time.Since(start)
		}
		for i := range 20 {
			q.Submit(job(KindNewPayload, fmt.Sprint(i), note))
		}
		q.Submit(job(KindBuild, "build", note))
		<-time.After(600 * time.Millisecond)
		q.Submit(job(KindNewPayload, "later", note))
		for range 21 {
			require.Equal(t, time.Second, <-ended)
		}
		require.Equal(t, 1600*time.Millisecond, <-ended, "it has what is left of the time since it came")
		require.Equal(t, []string{"0", "later"}, h.made())

		// The next one has a whole timeout again, however long the backend was silent.
		q.Submit(job(KindNewPayload, "next", note))
		require.Equal(t, 2600*time.Millisecond, <-ended)
		close(h.recovered)
		q.Submit(job(KindNewPayload, "healthy", nil))
		require.NoError(t, q.Stop(context.Background()))
		require.Equal(t, []string{"0", "later", "next", "healthy"}, h.made())
	})
}

// TestSlowBackend: one that answers, if late, gets every call, however long it waited.
func TestSlowBackend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{handler: func(_ context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error) {
			<-time.After(900 * time.Millisecond)
			return answerTo(req), nil
		}}
		q := newQueue(t, QueueConfig{}, s)
		for i := range 20 {
			q.Submit(job(KindNewPayload, fmt.Sprint(i), func(_ *jsonrpc.Response, err error) { require.NoError(t, err) }))
		}
		require.NoError(t, q.Stop(context.Background()))
		require.Len(t, s.made(), 20)
	})
}
