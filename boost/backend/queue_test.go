// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// gate is a backend that holds its first call until the gate opens, and notes how jobs ended.
type gate struct {
	script
	*Queue
	t    testing.TB
	open chan struct{}

	mu       sync.Mutex
	outcomes map[string][]string
}

// newGate starts a queue whose worker is busy with a newPayload called "gate".
func newGate(t *testing.T, cfg QueueConfig) *gate {
	t.Helper()
	g := &gate{t: t, open: make(chan struct{}), outcomes: make(map[string][]string)}
	g.handler = func(ctx context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error) {
		if name(req) == "gate" {
			select {
			case <-g.open:
			case <-ctx.Done():
				return nil, ErrCanceled
			}
		}
		return answerTo(req), nil
	}
	g.Queue = newQueue(t, cfg, g)
	g.submit(KindNewPayload, "gate")
	require.Eventually(t, func() bool { return len(g.made()) == 1 }, long, time.Millisecond)
	return g
}

// newQueue starts a queue and stops it with the test.
func newQueue(t testing.TB, cfg QueueConfig, caller Caller) *Queue {
	t.Helper()
	cfg.Name, cfg.Caller, cfg.Log = "builder", caller, log.NewLogger(log.DiscardHandler())
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewSet()
	}
	q := NewQueue(cfg)
	require.NoError(t, q.Start(context.Background()))
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = q.Stop(ctx)
	})
	return q
}

func (g *gate) submit(kind Kind, name string) { g.Submit(job(kind, name, g.note(name))) }

// note returns a Done that notes the outcome under the job's name.
func (g *gate) note(name string) func(*jsonrpc.Response, error) {
	return func(res *jsonrpc.Response, err error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		outcome := "ok"
		if err != nil {
			outcome = Reason(err)
		} else if res == nil {
			outcome = "neither"
		}
		g.outcomes[name] = append(g.outcomes[name], outcome)
	}
}

// drain opens the gate, lets the queue end and returns the calls after the gate's.
func (g *gate) drain() []string {
	close(g.open)
	require.NoError(g.t, g.Stop(context.Background()))
	return g.made()[1:]
}

var kinds = map[byte]Kind{'n': KindNewPayload, 'f': KindForkchoice, 'b': KindBuild}

func TestOrderAndCoalescing(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		mode    CoalesceMode
		waiting string
		calls   string
	}{
		{CoalesceNewest, "n1 f1 b1", "n1 b1"},
		{CoalesceNewest, "f1 f2 f3", "f3"},
		{CoalesceNewest, "f1 n1 f2 n2 f3", "f1 n1 f2 n2 f3"},
		{CoalesceNewest, "b1 f1 f2", "b1 f2"},
		{CoalesceNewest, "b1 b2", "b2"},
		{CoalesceNewest, "b1 f1 b2", "b2"},
		{CoalesceNewest, "b1 f1 n1 f2 b2 f3", "f1 n1 b2 f3"},
		{CoalesceNewest, "n1 n2 n3", "n1 n2 n3"},
		{CoalesceIdentical, "n1 f1 b1 f2 f3 b2", "n1 f1 b1 f2 f3 b2"},
		{CoalesceIdentical, "f1 f1 f1 f2 f2 f1", "f1 f2 f1"},
		{CoalesceIdentical, "f1 n1 f1", "f1 n1 f1"},
		{CoalesceIdentical, "b1 b1", "b1 b1"},
		{CoalesceIdentical, "n1 n1", "n1 n1"},
	} {
		t.Run(fmt.Sprint(tc.mode, " ", tc.waiting), func(t *testing.T) {
			t.Parallel()
			g := newGate(t, QueueConfig{Coalesce: tc.mode})
			count := map[string]int{"gate": 1}
			for _, name := range strings.Fields(tc.waiting) {
				g.submit(kinds[name[0]], name)
				count[name]++
			}
			require.Equal(t, tc.calls, strings.Join(g.drain(), " "))
			for name, n := range count {
				require.Len(t, g.outcomes[name], n, "%s is told once per job", name)
				for _, outcome := range g.outcomes[name] {
					want := "ok"
					if !strings.Contains("gate "+tc.calls, name) {
						want = "superseded"
					}
					require.Equal(t, want, outcome, name)
				}
			}
		})
	}
}

// TestForkchoiceBurst is rollup-boost's issue 347: derivation sends thousands of forkchoice updates, and
// the build behind them waits for none but the one in flight.
func TestForkchoiceBurst(t *testing.T) {
	t.Parallel()
	const burst = 5000
	g := newGate(t, QueueConfig{})
	for i := range burst {
		g.submit(KindForkchoice, fmt.Sprintf("f%d", i))
		require.LessOrEqual(t, g.Len(), 1)
	}
	g.submit(KindNewPayload, "n")
	g.submit(KindBuild, "b")
	require.Equal(t, []string{fmt.Sprintf("f%d", burst-1), "n", "b"}, g.drain())
	require.Len(t, g.outcomes, burst+3)
	for name, outcomes := range g.outcomes {
		require.Len(t, outcomes, 1, name)
	}
}

// TestShared: callers of the local EL that ask the same share the answer, each under its own id.
func TestShared(t *testing.T) {
	t.Parallel()
	g := newGate(t, QueueConfig{Coalesce: CoalesceIdentical})
	type result struct {
		id   string
		body string
	}
	results := make(chan result, 3)
	for i := range 3 {
		req := jsonrpc.NewRequest(json.RawMessage(fmt.Sprint(i)), "f", json.RawMessage(`"same"`))
		go func() {
			res, err := g.Do(context.Background(), KindForkchoice, &req)
			if err != nil {
				results <- result{string(req.ID), err.Error()}
				return
			}
			results <- result{string(req.ID), string(res.For(req.ID))}
		}()
	}
	shared := g.metrics.jobs(KindForkchoice, "shared")
	require.Eventually(t, func() bool { return shared.Get() == 2 }, long, time.Millisecond)
	require.Equal(t, []string{"same"}, g.drain())
	for range 3 {
		r := <-results
		require.JSONEq(t, `{"jsonrpc":"2.0","id":`+r.id+`,"result":"same"}`, r.body)
	}
}

// TestSharedIsBounded: one call has not more waiters than a server has clients.
func TestSharedIsBounded(t *testing.T) {
	t.Parallel()
	g := newGate(t, QueueConfig{Coalesce: CoalesceIdentical})
	for range maxWaiters + 5 {
		g.submit(KindForkchoice, "f")
	}
	require.Equal(t, []string{"f"}, g.drain())
	require.Len(t, g.outcomes["f"], maxWaiters+5)
	count := map[string]int{}
	for _, outcome := range g.outcomes["f"] {
		count[outcome]++
	}
	require.Equal(t, map[string]int{"ok": maxWaiters, "queue_full": 5}, count)
}

// TestFull: a hung backend does not grow memory (rollup-boost's issue 302), and what decides about a
// block goes last.
func TestFull(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		mode    CoalesceMode
		size    int
		bytes   int
		waiting string
		calls   string
	}{
		{CoalesceNewest, 3, 0, "n1 f1 n2 f2 b1", "n1 n2 b1"},
		{CoalesceNewest, 3, 0, "b1 n1 n2 n3 n4 n5", "b1 n4 n5"},
		{CoalesceNewest, 2, 0, "n1 n2 f1", "n1 n2"},
		{CoalesceNewest, 1, 0, "b1 n1", "b1"},
		{CoalesceNewest, 0, 1, "n1 n2 n3", "n3"},
		{CoalesceIdentical, 2, 0, "b1 b2 b3", "b2 b3"},
		{CoalesceIdentical, 3, 0, "b1 f1 n1 n2 b2", "b1 n2 b2"},
	} {
		t.Run(tc.waiting, func(t *testing.T) {
			t.Parallel()
			g := newGate(t, QueueConfig{Coalesce: tc.mode, Size: tc.size, Bytes: tc.bytes})
			for _, name := range strings.Fields(tc.waiting) {
				g.submit(kinds[name[0]], name)
			}
			require.Equal(t, tc.calls, strings.Join(g.drain(), " "))
			for _, name := range strings.Fields(tc.waiting) {
				require.Len(t, g.outcomes[name], 1)
				require.Equal(t, strings.Contains(tc.calls, name), g.outcomes[name][0] == "ok", name)
			}
		})
	}
}

func TestFullOfEverything(t *testing.T) {
	t.Parallel()
	g := newGate(t, QueueConfig{Size: 16})
	for i := range 20_000 {
		g.submit(Kind(i%3), fmt.Sprintf("j%d", i))
		require.LessOrEqual(t, g.Len(), 16)
	}
	require.LessOrEqual(t, len(g.drain()), 16)
	require.Len(t, g.outcomes, 20_001)
	for name, outcomes := range g.outcomes {
		require.Len(t, outcomes, 1, name)
	}
}

// TestEveryJobEndsOnce: whatever happens at the same time, each job is told exactly once.
func TestEveryJobEndsOnce(t *testing.T) {
	t.Parallel()
	for _, mode := range []CoalesceMode{CoalesceNewest, CoalesceIdentical} {
		var told atomic.Int64
		s := &script{handler: func(_ context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error) {
			if strings.HasSuffix(name(req), "7") {
				return nil, ErrTransport
			}
			return answerTo(req), nil
		}}
		q := newQueue(t, QueueConfig{Coalesce: mode, Size: 8}, s)
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range 500 {
					q.Submit(job(Kind((i+g)%3), fmt.Sprint(i%50), func(res *jsonrpc.Response, err error) {
						if (res == nil) != (err == nil) {
							told.Add(1)
						}
					}))
				}
			})
			wg.Go(func() {
				for i := range 100 {
					ctx, cancel := context.WithCancel(context.Background())
					if i%2 == 0 {
						cancel()
					}
					_, _ = q.Do(ctx, KindForkchoice, request("f", `"0"`))
					cancel()
				}
			})
		}
		wg.Wait()
		require.NoError(t, q.Stop(context.Background()))
		require.EqualValues(t, 2000, told.Load())
		require.Zero(t, q.Len())
		require.Zero(t, q.bytes)
	}
}

// TestDoneMaySubmit: the next step of a round may be submitted from the outcome of the last.
func TestDoneMaySubmit(t *testing.T) {
	t.Parallel()
	g := newGate(t, QueueConfig{})
	last := make(chan error, 1)
	g.Submit(job(KindForkchoice, "first", func(*jsonrpc.Response, error) {
		g.Submit(job(KindBuild, "then", func(_ *jsonrpc.Response, err error) { last <- err }))
	}))
	g.submit(KindForkchoice, "newer") // Drops the first, whose Done submits
	require.Eventually(t, func() bool { return g.Len() == 1 && g.superseded() == 2 }, long, time.Millisecond)
	require.Equal(t, []string{"then"}, g.drain())
	require.NoError(t, <-last)
}

func (g *gate) superseded() uint64 { return g.metrics.jobs(KindForkchoice, "superseded").Get() }

func TestQueueMetrics(t *testing.T) {
	t.Parallel()
	set := metrics.NewSet()
	g := newGate(t, QueueConfig{Metrics: set})
	g.submit(KindForkchoice, "f1")
	g.submit(KindForkchoice, "f2")
	require.Contains(t, exposition(set), `rollup_boost_queue_length{queue="builder"} 1`)
	g.drain()
	out := exposition(set)
	require.Contains(t, out, `rollup_boost_queue_jobs_total{queue="builder",kind="forkchoice",outcome="superseded"} 1`)
	require.Contains(t, out, `rollup_boost_queue_jobs_total{queue="builder",kind="forkchoice",outcome="done"} 1`)
	require.Contains(t, out, `rollup_boost_queue_wait_seconds_count{queue="builder"} 2`)
}
