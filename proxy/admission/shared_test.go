// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/log"
)

// join makes a gatekeeper that counts in the cluster. The tests run in bubbles with virtual time.
func join(t testing.TB, c *cluster, id string, cfg Config, keys string) (*harness, *member) {
	t.Helper()
	h := newHarness(t, cfg, keys)
	redis, err := RedisConfig{InstanceID: id}.withDefaults()
	require.NoError(t, err)
	store := &member{cluster: c, id: id}
	logger := cfg.Log
	if logger == nil {
		logger = log.Root()
	}
	h.shared = newSharedLimits(redis, store, h.m, logger)
	return h, store
}

// settled waits until the workers are idle, and checks that the store has exactly the given open
// connections of an instance.
func settled(t testing.TB, c *cluster, h *harness, id string, open int) {
	t.Helper()
	synctest.Wait()
	held := map[string]int64{}
	if open > 0 {
		held = c.counts(id)
		require.Equal(t, int64(open), held[totalField])
	}
	require.Equal(t, held, c.counts(id))
	require.Equal(t, held, h.shared.held)
	require.Empty(t, h.shared.pending)
	require.Empty(t, h.shared.queue)
}

func TestInstancesShareLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{GlobalLimit: 5, PerIPLimit: 2}
		c := newCluster(cfg)
		a, _ := join(t, c, "a", cfg, "app:k:3")
		b, _ := join(t, c, "b", cfg, "app:k:3")
		a.start()
		b.start()

		first := a.admit("192.0.2.1", "k")
		b.admit("192.0.2.1", "k")
		a.refuses("192.0.2.1", "k", ReasonPerIP)
		b.refuses("192.0.2.1", "k", ReasonPerIP)
		b.admit("192.0.2.2", "k")
		a.refuses("192.0.2.3", "k", ReasonPerApp)
		settled(t, c, a, "a", 1)
		settled(t, c, b, "b", 2)

		first.Release()
		synctest.Wait()
		a.admit("192.0.2.1", "k")
		require.Equal(t, "0", a.figure("redis_unchecked_admissions"))

		b.stop() // what b held is free at once
		a.admit("192.0.2.2", "k")
		a.admit("192.0.2.3", "k")
		a.refuses("192.0.2.4", "k", ReasonPerApp)
	})
}

func TestSlowStoreDelaysNoLongerThanTheTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{GlobalLimit: 100, PerIPLimit: 2}
		c := newCluster(cfg)
		h, store := join(t, c, "a", cfg, "")
		h.start()
		store.setBefore(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })

		begin := time.Now()
		h.admit("192.0.2.1", "") // waits for the whole timeout, then is admitted unchecked
		require.Equal(t, defaultTimeout, time.Since(begin))
		synctest.Wait()

		begin = time.Now()
		h.admit("192.0.2.1", "") // known to be down: no wait at all
		require.Zero(t, time.Since(begin))
		h.refuses("192.0.2.1", "", ReasonPerIP) // the local limits go on
		require.Equal(t, "2", h.figure("redis_unchecked_admissions"))
		require.Equal(t, "1", h.figure("redis_outages"))

		store.setBefore(nil)
		wait(2 * defaultRetry)
		settled(t, c, h, "a", 2)
	})
}

func TestOutageIsLoggedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		cfg := Config{PerIPLimit: 9, Log: log.NewLogger(slog.NewTextHandler(&text, nil))}
		c := newCluster(cfg)
		h, _ := join(t, c, "a", cfg, "")
		c.fail(errDown)
		h.start() // a store that is down is no error

		ticket := h.admit("192.0.2.1", "")
		h.admit("192.0.2.2", "")
		wait(10*defaultRetry + defaultRetry/2)
		require.Equal(t, 1, strings.Count(text.String(), "\n"), text.String())
		require.Contains(t, text.String(), "Redis does not answer")
		require.Equal(t, "11", h.figure("redis_failures"))
		require.Equal(t, "1", h.figure("redis_outages"))
		require.Equal(t, "0", h.figure("redis_up"))

		ticket.Release()
		c.fail(nil)
		wait(defaultRetry)
		require.Equal(t, 2, strings.Count(text.String(), "\n"), text.String())
		require.Contains(t, text.String(), "Redis is back")
		require.Equal(t, "1", h.figure("redis_up"))
		settled(t, c, h, "a", 1)

		c.fail(errDown)
		wait(defaultHeartbeat + 3*defaultRetry)
		require.Equal(t, 3, strings.Count(text.String(), "\n"), text.String())
		require.Equal(t, "2", h.figure("redis_outages"))
	})
}

// wait lets virtual time pass.
func wait(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // virtual time: only in synctest bubbles
	synctest.Wait()
}

func TestLostCountsAreWrittenAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{PerIPLimit: 2}
		c := newCluster(cfg)
		h, _ := join(t, c, "a", cfg, "")
		h.start()
		h.admit("192.0.2.1", "")
		h.admit("192.0.2.2", "").Release()

		c.forget()
		h.admit("192.0.2.1", "") // noticed here; the request is still decided by the store
		settled(t, c, h, "a", 2)
		require.Equal(t, "0", h.figure("redis_unchecked_admissions"))
		require.Equal(t, "0", h.figure("redis_outages"))

		c.forget()
		wait(defaultHeartbeat) // or by the heartbeat, when nobody comes
		settled(t, c, h, "a", 2)
	})
}

// A verdict that comes too late must not decide twice, whatever it is.
func TestLateVerdict(t *testing.T) {
	t.Parallel()
	for _, releasedEarly := range []bool{false, true} {
		for _, refused := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				cfg := Config{GlobalLimit: 1, PerIPLimit: 2}
				c := newCluster(cfg)
				a, store := join(t, c, "a", cfg, "")
				b, _ := join(t, c, "b", cfg, "")
				a.start()
				b.start()
				if refused {
					b.admit("192.0.2.9", "")
				}
				// The call is carried out after the request has been given up, but before its own
				// timeout, which began later.
				release := make(chan struct{})
				store.setBefore(func(context.Context) error { <-release; return nil })
				ticket := a.admit("192.0.2.1", "")
				require.Equal(t, "1", a.figure("redis_unchecked_admissions"))
				if releasedEarly {
					ticket.Release()
				}
				store.setBefore(nil)
				close(release)
				if releasedEarly {
					settled(t, c, a, "a", 0)
				} else {
					settled(t, c, a, "a", 1)
					ticket.Release()
					settled(t, c, a, "a", 0)
				}
			})
		}
	}
}

// A call may be carried out although its answer is lost. Counts must not be doubled by that.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{PerIPLimit: 5}
		c := newCluster(cfg)
		h, store := join(t, c, "a", cfg, "")
		h.start()
		store.setAfter(func() error { return errDown })
		ticket := h.admit("192.0.2.1", "")
		store.setAfter(nil)
		wait(defaultRetry)
		settled(t, c, h, "a", 1)
		ticket.Release()
		settled(t, c, h, "a", 0)
	})
}

func TestManyConnectionsTravelInFewCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const connections = 3 * maxCorrections
		cfg := Config{PerIPLimit: 1}
		c := newCluster(cfg)
		h, _ := join(t, c, "a", cfg, "")
		c.fail(errDown)
		h.start()
		tickets := make([]*Ticket, connections)
		for i := range tickets {
			tickets[i] = h.admit(fmt.Sprintf("10.0.%d.%d", i/250, i%250), "")
		}
		c.fail(nil)
		wait(defaultRetry)
		settled(t, c, h, "a", connections)
		// Register, its check, and the counters with the total.
		require.LessOrEqual(t, c.calls, 2+connections/maxCorrections+1)

		before := c.calls
		for _, ticket := range tickets {
			ticket.Release()
		}
		settled(t, c, h, "a", 0)
		require.Less(t, c.calls-before, connections/2)
	})
}

// More admissions than may wait are decided locally, at once.
func TestWaitingIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const surplus = 100
		cfg := Config{GlobalLimit: 1 << 20}
		c := newCluster(cfg)
		h, store := join(t, c, "a", cfg, "")
		h.start()
		release := make(chan struct{})
		store.setBefore(func(context.Context) error { <-release; return nil })
		for range maxWaiting + maxAsks + surplus {
			go func() { _, _ = h.Admit(from("192.0.2.1"), "") }()
		}
		synctest.Wait()
		require.LessOrEqual(t, len(h.shared.queue), maxWaiting)
		require.NotEqual(t, "0", h.figure("redis_unchecked_admissions"))
		close(release)
		settled(t, c, h, "a", maxWaiting+maxAsks+surplus)
	})
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{PerIPLimit: 2}
		c := newCluster(cfg)
		h, _ := join(t, c, "a", cfg, "")
		early := h.admit("192.0.2.1", "") // before Start
		require.NoError(t, h.Start(t.Context()))
		require.ErrorIs(t, h.Start(t.Context()), ErrStarted)
		settled(t, c, h, "a", 1)
		h.admit("192.0.2.1", "")
		h.stop()
		require.Nil(t, c.counts("a"))
		h.stop()
		require.ErrorIs(t, h.Start(t.Context()), ErrStopped)

		h.refuses("192.0.2.1", "", ReasonPerIP)
		early.Release()
		h.admit("192.0.2.1", "") // the local limits go on
		require.Equal(t, "0", h.figure("redis_up"))
		require.Equal(t, "0", h.figure("redis_failures"))

		unstarted, _ := join(t, c, "b", cfg, "")
		unstarted.stop()

		// The end of Start's context is a stop, too; Stop then only waits.
		ctx, cancel := context.WithCancel(t.Context())
		third, _ := join(t, c, "c", cfg, "")
		require.NoError(t, third.Start(ctx))
		cancel()
		synctest.Wait()
		require.Nil(t, c.counts("c"))
		third.stop()
	})
}

// Stop during a call that hangs: whoever waits is admitted, and Stop does not wait for long.
func TestStopWhileTheStoreHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{PerIPLimit: 2}
		h, store := join(t, newCluster(cfg), "a", cfg, "")
		require.NoError(t, h.Start(t.Context()))
		store.setBefore(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		admitted := make(chan *Ticket)
		go func() { admitted <- h.admit("192.0.2.1", "") }()
		synctest.Wait()
		begin := time.Now()
		go h.stop()
		require.NotNil(t, <-admitted)
		<-h.shared.done
		require.LessOrEqual(t, time.Since(begin), defaultTimeout)
		require.Equal(t, "0", h.figure("redis_outages"), "a stop is no outage")
	})
}

// A call that timed out may still be carried out, long after everything has been registered again.
func TestLateCallDoesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{PerIPLimit: 5}
		c := newCluster(cfg)
		h, store := join(t, c, "a", cfg, "")
		h.start()
		late := &lateStore{member: store, hang: true}
		wait(0)
		h.shared.store = late // the worker is idle: the next call takes it
		h.admit("192.0.2.1", "")
		late.setHang(false)
		wait(defaultRetry)
		settled(t, c, h, "a", 1)
		require.Len(t, late.calls, 1)
		require.ErrorIs(t, late.calls[0](), errStale)
		settled(t, c, h, "a", 1)
	})
}

// lateStore keeps calls back that hang, for the test to carry out later.
type lateStore struct {
	*member
	hang  bool
	calls []func() error
}

func (s *lateStore) setHang(hang bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hang = hang
}

func (s *lateStore) Apply(ctx context.Context, epoch uint64, corrections []correction, claims []claim) ([]Reason, error) {
	s.mu.Lock()
	hang := s.hang
	if hang {
		s.calls = append(s.calls, func() error {
			_, err := s.member.Apply(context.Background(), epoch, corrections, claims)
			return err
		})
	}
	s.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.member.Apply(ctx, epoch, corrections, claims)
}
