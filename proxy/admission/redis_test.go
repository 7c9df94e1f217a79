// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/log"
)

// newStore is an instance's store, registered under epoch 1.
func newStore(t testing.TB, server *miniredis.Miniredis, id string, cfg Config) *redisStore {
	t.Helper()
	cfg.Redis = &RedisConfig{URL: "redis://" + server.Addr(), InstanceID: id, Timeout: patience, TTL: 30 * time.Second}
	cfg, err := cfg.withDefaults()
	require.NoError(t, err)
	store, err := newRedisStore(cfg)
	require.NoError(t, err)
	require.NoError(t, store.Register(t.Context(), 1))
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// decide asks for one place.
func decide(t testing.TB, store *redisStore, c claim) Reason {
	t.Helper()
	verdicts, err := store.Apply(t.Context(), 1, nil, []claim{c})
	require.NoError(t, err)
	require.Len(t, verdicts, 1)
	return verdicts[0]
}

func TestScriptCountsAllInstances(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	cfg := Config{GlobalLimit: 6, PerIPLimit: 2}
	a, b := newStore(t, server, "a", cfg), newStore(t, server, "b", cfg)
	one, two := claim{ip: "ip:1"}, claim{ip: "ip:2", app: "app:x", appLimit: 2}

	require.Empty(t, decide(t, a, one))
	require.Empty(t, decide(t, b, one))
	require.Equal(t, ReasonPerIP, decide(t, a, one))
	require.Equal(t, ReasonPerIP, decide(t, b, one))
	require.Empty(t, decide(t, a, two))
	require.Empty(t, decide(t, a, claim{app: "app:x", appLimit: 2}))
	require.Equal(t, ReasonPerApp, decide(t, b, two))
	require.Empty(t, decide(t, b, claim{app: "app:x"})) // no limit of its own
	require.Empty(t, decide(t, b, claim{}))
	require.Equal(t, ReasonGlobal, decide(t, a, claim{}))
	require.Equal(t, "3", server.HGet("flashblocks:instance:b", "total"))
}

func TestScriptDecidesABatchInOrder(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	a := newStore(t, server, "a", Config{GlobalLimit: 4, PerIPLimit: 2})
	ip := claim{ip: "ip:1"}
	verdicts, err := a.Apply(t.Context(), 1, []correction{{"total", 1}, {"ip:1", 1}}, []claim{ip, ip, {}, {}, {}})
	require.NoError(t, err)
	require.Equal(t, []Reason{"", ReasonPerIP, "", "", ReasonGlobal}, verdicts)

	// Counters that become zero are removed, in any order of the steps.
	_, err = a.Apply(t.Context(), 1, []correction{{"ip:1", -2}, {"total", -4}, {"ip:9", -1}}, nil)
	require.NoError(t, err)
	_, err = a.Apply(t.Context(), 1, []correction{{"ip:9", 1}}, nil)
	require.NoError(t, err)
	fields, err := server.HKeys("flashblocks:instance:a")
	require.NoError(t, err)
	require.Equal(t, []string{"epoch"}, fields)
}

func TestEpochFencesLateCalls(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	a := newStore(t, server, "a", Config{GlobalLimit: 4})
	require.NoError(t, a.Register(t.Context(), 2))
	_, err := a.Apply(t.Context(), 1, []correction{{"total", 3}}, []claim{{}})
	require.ErrorIs(t, err, errStale)
	require.Empty(t, server.HGet("flashblocks:instance:a", "total"))

	server.FlushAll()
	_, err = a.Apply(t.Context(), 2, nil, nil)
	require.ErrorIs(t, err, errStale)
	require.Empty(t, server.Keys(), "a call that is too late leaves nothing")
}

func TestDeadInstanceExpires(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	cfg := Config{GlobalLimit: 2, PerIPLimit: 1}
	dead, alive := newStore(t, server, "dead", cfg), newStore(t, server, "alive", cfg)
	c := claim{ip: "ip:1"}
	require.Empty(t, decide(t, dead, c))

	server.FastForward(20 * time.Second)
	require.Equal(t, ReasonPerIP, decide(t, alive, c)) // prolongs the life of its own counts only
	server.FastForward(15 * time.Second)
	require.Empty(t, decide(t, alive, c))
	members, err := server.Members("flashblocks:instances")
	require.NoError(t, err)
	require.Equal(t, []string{"alive"}, members)

	// Should the dead one be alive after all, it learns that it has to register again.
	_, err = dead.Apply(t.Context(), 1, nil, []claim{c})
	require.ErrorIs(t, err, errStale)

	require.NoError(t, alive.Unregister(t.Context()))
	require.Empty(t, server.Keys())
}

func TestNothingIsLeftWhenAllInstancesDie(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	for _, id := range []string{"a", "b"} {
		require.Empty(t, decide(t, newStore(t, server, id, Config{PerIPLimit: 9}), claim{ip: "ip:1"}))
	}
	newStore(t, server, "c", Config{}) // dies when it has only just registered
	server.FastForward(30 * time.Second)
	require.Empty(t, server.Keys())
}

func TestKeyPrefix(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	h := newHarness(t, Config{PerIPLimit: 2, Redis: &RedisConfig{
		URL: "redis://" + server.Addr(), KeyPrefix: "{mine}", InstanceID: "a", Timeout: patience,
	}}, "app:k:5").start()
	h.admit("192.0.2.1", "k")
	h.admit("2001:db8:1:2:3::", "k")
	require.Equal(t, []string{"{mine}:instance:a", "{mine}:instances"}, server.Keys())
	fields, err := server.HKeys("{mine}:instance:a")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"epoch", "total", "ip:192.0.2.1", "ip:2001:db8:1:2::", "app:app"}, fields)
}

func TestPasswordIsUsedAndNotLogged(t *testing.T) {
	t.Parallel()
	const secret = "p4ssw0rd"
	server := miniredis.RunT(t)
	server.RequireAuth(secret)
	var text bytes.Buffer
	logger := log.NewLogger(slog.NewTextHandler(&text, nil))
	for password, up := range map[string]string{secret: "1", secret + "-wrong": "0"} {
		h := newHarness(t, Config{PerIPLimit: 1, Log: logger, Redis: &RedisConfig{
			URL: "redis://:" + password + "@" + server.Addr(), Timeout: patience,
		}}, "")
		require.NoError(t, h.Start(t.Context()))
		require.Equal(t, up, h.figure("redis_up"))
		h.admit("192.0.2.1", "")
		h.stop()
	}
	require.NotContains(t, text.String(), secret)
	require.Equal(t, 1, strings.Count(text.String(), "does not answer"))
}

// A Redis that answers with errors is as good as none, and noise is no reason to log twice.
func TestErrorsFromRedis(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	h := newHarness(t, Config{PerIPLimit: 1, Redis: &RedisConfig{
		URL: "redis://" + server.Addr(), Timeout: patience, Retry: time.Millisecond, InstanceID: "a",
	}}, "").start()
	server.SetError("OOM command not allowed")
	h.admit("192.0.2.1", "")
	require.Eventually(t, func() bool { return h.figure("redis_failures") > "3" }, patience, time.Millisecond, "it is tried again")
	require.Equal(t, "1", h.figure("redis_outages"))
	server.SetError("")
	require.Eventually(t, func() bool { return server.HGet("flashblocks:instance:a", "ip:192.0.2.1") == "1" }, patience, time.Millisecond, "counts are written again")
	require.Equal(t, "1", h.figure("redis_outages"))
}

// A peer that accepts connections and never says a word.
func TestSilentRedis(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })

	const timeout = 20 * time.Millisecond
	h := newHarness(t, Config{PerIPLimit: 1, Redis: &RedisConfig{
		URL: "redis://" + listener.Addr().String(), Timeout: timeout, Retry: time.Millisecond,
	}}, "")
	begin := time.Now()
	require.NoError(t, h.Start(t.Context()))
	require.GreaterOrEqual(t, time.Since(begin), timeout)
	h.admit("192.0.2.1", "")
	h.refuses("192.0.2.1", "", ReasonPerIP)
	require.Eventually(t, func() bool { return h.figure("redis_failures") > "1" }, patience, time.Millisecond, "it is tried again")
	require.Equal(t, "1", h.figure("redis_outages"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, h.Stop(ctx))
}
