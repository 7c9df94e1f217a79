// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeBackend answers polls as the test says. Everything runs in a bubble of synctest, on its clock.
type fakeBackend struct {
	polls atomic.Int64
	age   atomic.Int64 // of the latest block, in nanoseconds
	away  atomic.Bool  // refuses at once
	hangs atomic.Bool  // never answers
}

func (f *fakeBackend) source(ctx context.Context) (time.Time, error) {
	f.polls.Add(1)
	switch {
	case f.hangs.Load():
		<-ctx.Done()
		return time.Time{}, ctx.Err()
	case f.away.Load():
		return time.Time{}, errAway
	}
	return time.Now().Add(-time.Duration(f.age.Load())), nil
}

// polled is a running Poller of two backends.
type polled struct {
	*Tracker
	t           *testing.T
	l2, builder *fakeBackend
	idle        atomic.Bool
	poller      *Poller
}

// startPolled starts it inside the bubble. The change comes before the first poll.
func startPolled(t *testing.T, interval time.Duration, change func(p *polled)) *polled {
	t.Helper()
	p := &polled{t: t, l2: new(fakeBackend), builder: new(fakeBackend)}
	cfg := config
	cfg.Interval = interval
	p.Tracker = NewTracker(TrackerConfig{Config: cfg, IgnoreUnhealthy: true, BuilderUsed: func() bool { return !p.idle.Load() }})
	if change != nil {
		change(p)
	}
	p.poller = NewPoller(PollerConfig{
		Tracker: p.Tracker, L2: p.l2.source, Builder: p.builder.source,
		L2Timeout: time.Second, BuilderTimeout: time.Second,
	})
	require.NoError(t, p.poller.Start(t.Context()))
	t.Cleanup(p.poller.Stop)
	synctest.Wait()
	return p
}

// after lets time pass and judges.
func (p *polled) after(pass time.Duration, want Status) {
	p.t.Helper()
	time.Sleep(pass) //nolint:forbidigo // the clock of the bubble
	synctest.Wait()
	status, why := p.Status()
	require.Equal(p.t, want, status, why)
}

func TestPollsAHealthyBackendByTheInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := startPolled(t, time.Minute, nil)
		p.after(0, Healthy)
		p.after(10*time.Minute+time.Second, Healthy)
		require.EqualValues(t, 11, p.l2.polls.Load())
		require.EqualValues(t, 11, p.builder.polls.Load())
		require.Error(t, p.poller.Start(t.Context()), "a second start")
	})
}

// TestAnOutageEndsWithinASecond, not with the next poll in a minute.
func TestAnOutageEndsWithinASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := startPolled(t, time.Minute, nil)
		p.l2.away.Store(true)
		p.after(time.Minute, ServiceUnavailable)
		p.l2.away.Store(false)
		p.after(time.Second, Healthy)
		p.builder.age.Store(int64(11 * time.Second))
		p.after(time.Minute, PartialContent)
		p.builder.age.Store(int64(time.Second))
		p.after(time.Second, Healthy)
		polls := p.l2.polls.Load()
		p.after(time.Minute, Healthy)
		require.Equal(t, polls+1, p.l2.polls.Load(), "back to the interval")
	})
}

// TestAFailedCallIsConfirmedAtOnce: a dead execution layer is known two round trips after the first call.
func TestAFailedCallIsConfirmedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := startPolled(t, time.Minute, nil)
		p.l2.away.Store(true)
		p.ObserveCall(L2, errAway)
		p.after(0, ServiceUnavailable)

		q := startPolled(t, time.Minute, nil)
		q.ObserveCall(L2, errAway) // a lost packet, and the poll is answered
		q.after(0, Healthy)
	})
}

// TestAHangingBuilderDelaysNobody: each backend is polled on its own.
func TestAHangingBuilderDelaysNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := startPolled(t, 2*time.Second, func(p *polled) { p.builder.hangs.Store(true) })
		p.after(10*time.Second, PartialContent)
		require.EqualValues(t, 6, p.l2.polls.Load())
		p.builder.hangs.Store(false)
		p.after(2*time.Second, Healthy)
	})
}

// TestTheClockIsReal (F7): after a month of polls with an overshoot in each, a stale head is found as
// exactly as in the first second.
func TestTheClockIsReal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := startPolled(t, time.Minute+5*time.Millisecond, nil)
		p.after(30*24*time.Hour, Healthy)
		p.l2.age.Store(int64(config.MaxAge))
		p.after(2*time.Minute, Healthy)
		p.l2.age.Store(int64(config.MaxAge + time.Millisecond))
		p.after(2*time.Minute, ServiceUnavailable)
	})
}

// TestDisabledAsksNoBuilder: and a builder that is used again is asked before it is judged.
func TestDisabledAsksNoBuilder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := startPolled(t, time.Minute, func(p *polled) { p.idle.Store(true) })
		p.after(time.Hour, Healthy)
		require.Zero(t, p.builder.polls.Load())
		p.idle.Store(false)
		p.Poke(Builder)
		p.after(0, Healthy)
		require.EqualValues(t, 1, p.builder.polls.Load())
		p.idle.Store(true)
		p.after(time.Hour, Healthy)
		require.EqualValues(t, 1, p.builder.polls.Load())
	})
}

// TestStopSaysNothing: the polls that it cancels are not failures.
func TestStopSaysNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := startPolled(t, time.Minute, nil)
		p.l2.hangs.Store(true)
		p.Poke(L2)
		synctest.Wait()
		p.poller.Stop()
		p.poller.Stop()
		p.after(0, Healthy)
	})
}

// TestTheSourceSpeaksJSONRPC: what every execution layer answers, and what is no block.
func TestTheSourceSpeaksJSONRPC(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]int64{
		`{"jsonrpc":"2.0","id":"health","result":{"number":"0x7","timestamp":"0x64","unknown":[]}}`: 100,
		`{"jsonrpc":"2.0","id":"health","result":null}`:                                             -1,
		`{"jsonrpc":"2.0","id":"health","result":{"number":"0x7"}}`:                                 -1,
		`{"jsonrpc":"2.0","id":"health","result":{"timestamp":"soon"}}`:                             -1,
		`{"jsonrpc":"2.0","id":"health","result":[]}`:                                               -1,
		`{"jsonrpc":"2.0","id":"health","error":{"code":-32601,"message":"no"}}`:                    -1,
	} {
		got, err := LatestBlock(callerFunc(func(req *jsonrpc.Request) (*jsonrpc.Response, error) {
			require.Equal(t, "eth_getBlockByNumber", req.Method)
			var params []any
			require.NoError(t, json.Unmarshal(req.Params, &params))
			require.Equal(t, []any{"latest", false}, params)
			return jsonrpc.ParseResponse([]byte(answer))
		}))(t.Context())
		if want < 0 {
			require.Error(t, err, answer)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, want, got.Unix())
	}
	_, err := LatestBlock(callerFunc(func(*jsonrpc.Request) (*jsonrpc.Response, error) { return nil, errAway }))(t.Context())
	require.ErrorIs(t, err, errAway)
}

// callerFunc is a backend.
type callerFunc func(req *jsonrpc.Request) (*jsonrpc.Response, error)

func (f callerFunc) Call(_ context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error) {
	return f(req)
}
