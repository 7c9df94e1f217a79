// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestZeroValueAdmitsEverybody(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{}, "").start()
	for i := range 1000 {
		h.admit("192.0.2.1", fmt.Sprint("any key ", i))
	}
}

func TestKeysDecideWhoMayConnect(t *testing.T) {
	t.Parallel()
	for _, public := range []bool{false, true} {
		h := newHarness(t, Config{PublicAccess: public}, "one:k1,two:k2")
		require.Equal(t, "one", h.admit("192.0.2.1", "k1").App())
		require.Equal(t, "two", h.admit("192.0.2.1", "k2").App())

		refusal := h.refuses("192.0.2.1", "k3", ReasonUnauthorized)
		require.Equal(t, http.StatusUnauthorized, refusal.Status)
		want := "1"
		if public {
			require.Empty(t, h.admit("192.0.2.1", "").App())
		} else {
			h.refuses("192.0.2.1", "", ReasonUnauthorized)
			want = "2"
		}
		require.Equal(t, want, h.figure("unauthorized_requests"))
		require.Equal(t, "0", h.figure("rate_limited_requests"))
		require.Equal(t, "1", h.figure(`connections_by_app{app="one"}`))
	}
}

func TestEveryLimitSaysWhichItIs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		cfg     Config
		keys    string
		before  []string // connections from these addresses, with key
		key     string
		ip      string
		reason  Reason
		figures map[string]string
	}{
		{
			"instance",
			Config{InstanceLimit: 2},
			"",
			[]string{"192.0.2.1", "192.0.2.2"},
			"", "192.0.2.3", ReasonInstance,
			map[string]string{"instance_rate_limited_requests": "1", "global_rate_limited_requests": "1"},
		},
		{
			"global without Redis",
			Config{InstanceLimit: 3, GlobalLimit: 2},
			"",
			[]string{"192.0.2.1", "192.0.2.2"},
			"", "192.0.2.3", ReasonGlobal,
			map[string]string{"instance_rate_limited_requests": "0", "global_rate_limited_requests": "1"},
		},
		{
			"per IP",
			Config{InstanceLimit: 3, PerIPLimit: 2},
			"",
			[]string{"192.0.2.1", "192.0.2.1"},
			"", "192.0.2.1", ReasonPerIP,
			map[string]string{"per_ip_rate_limited_requests": "1"},
		},
		{
			"per IPv6 network",
			Config{PerIPLimit: 2},
			"",
			[]string{"2001:db8::1", "2001:db8::2"},
			"", "2001:db8:0:0:ffff::", ReasonPerIP,
			map[string]string{"per_ip_rate_limited_requests": "1"},
		},
		{
			"per application",
			Config{PerIPLimit: 3},
			"app:k:2,other:o:9",
			[]string{"192.0.2.1", "192.0.2.2"},
			"k", "192.0.2.3", ReasonPerApp,
			map[string]string{"per_app_rate_limited_requests": "1", `rate_limited_requests_by_app{app="app"}`: "1", `rate_limited_requests_by_app{app="other"}`: "0"},
		},
		{"instance before IP", Config{InstanceLimit: 1, PerIPLimit: 1}, "", []string{"192.0.2.1"}, "", "192.0.2.1", ReasonInstance, nil},
		{"IP before application", Config{PerIPLimit: 1}, "app:k:1", []string{"192.0.2.1"}, "k", "192.0.2.1", ReasonPerIP, nil},
	}
	texts := make(map[string]bool)
	for _, test := range tests {
		h := newHarness(t, test.cfg, test.keys)
		tickets := make([]*Ticket, 0, len(test.before))
		for _, ip := range test.before {
			tickets = append(tickets, h.admit(ip, test.key))
		}
		refusal := h.refuses(test.ip, test.key, test.reason)
		require.Equal(t, http.StatusTooManyRequests, refusal.Status, test.name)
		texts[refusal.Message] = true
		require.Equal(t, "1", h.figure("rate_limited_requests"), test.name)
		for name, want := range test.figures {
			require.Equal(t, want, h.figure(name), "%s: %s", test.name, name)
		}
		// The refused request took nothing: one release makes room for exactly one.
		tickets[0].Release()
		h.admit(test.ip, test.key)
		h.refuses(test.ip, test.key, test.reason)
	}
	require.Len(t, texts, 4, "each limit has its own text")
}

func TestOtherAddressesAndAppsAreNotConcerned(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{PerIPLimit: 1}, "one:k1:1,two:k2")
	h.admit("192.0.2.1", "k1")
	h.refuses("192.0.2.1", "k2", ReasonPerIP)
	h.refuses("192.0.2.2", "k1", ReasonPerApp)
	h.admit("192.0.2.2", "k2")
	h.admit("2001:db8:0:1::1", "k2")
	h.admit("2001:db8:0:2::1", "k2")
	h.admit("192.0.2.3", "k2")
	// An IPv4 client is the same client when it comes over an IPv6 socket.
	h.refuses("::ffff:192.0.2.3", "k2", ReasonPerIP)
}

func TestReleaseTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{InstanceLimit: 2, PerIPLimit: 2}, "app:k:2")
	first := h.admit("192.0.2.1", "k")
	h.admit("192.0.2.1", "k")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(first.Release)
	}
	wg.Wait()
	require.Equal(t, "1", h.figure(`active_connections_by_app{app="app"}`))
	h.admit("192.0.2.1", "k")
	h.refuses("192.0.2.1", "k", ReasonInstance)
	require.Equal(t, "3", h.figure(`connections_by_app{app="app"}`))
}

func TestFiguresStartAtZero(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{}, "app:k")
	for _, name := range []string{
		"unauthorized_requests", "rate_limited_requests", "instance_rate_limited_requests", "global_rate_limited_requests",
		"per_ip_rate_limited_requests", "per_app_rate_limited_requests", "redis_failures", "redis_outages",
		"redis_unchecked_admissions", "redis_up", `connections_by_app{app="app"}`,
		`active_connections_by_app{app="app"}`, `rate_limited_requests_by_app{app="app"}`,
	} {
		require.Equal(t, "0", h.figure(name), name)
	}
	h.refuses("192.0.2.1", "unknown", ReasonUnauthorized)
	require.Equal(t, "absent", h.figure(`connections_by_app{app="unknown"}`))
}

// Two gatekeepers made from the same keyring must not count each other's connections.
func TestGatekeepersDoNotShareCounters(t *testing.T) {
	t.Parallel()
	ring, err := ParseKeys("app:k:1")
	require.NoError(t, err)
	for range 2 {
		keeper, err := New(Config{Keys: ring})
		require.NoError(t, err)
		_, refusal := keeper.Admit(from("192.0.2.1"), "k")
		require.Nil(t, refusal)
	}
}

// Under any interleaving, no limit is ever exceeded, and at the end nothing is left.
func TestLimitsHoldUnderConcurrency(t *testing.T) {
	t.Parallel()
	const instance, perIP, perApp, workers, rounds = 12, 4, 6, 16, 400
	h := newHarness(t, Config{InstanceLimit: instance, PerIPLimit: perIP}, fmt.Sprintf("a:ka:%d,b:kb:%d", perApp, perApp))
	ips := []string{"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"}
	var total, admitted atomic.Int64
	byIP, byApp := make(map[string]*atomic.Int64), make(map[string]*atomic.Int64)
	for _, ip := range ips {
		byIP[clientGroup(mustAddr(ip)).String()] = new(atomic.Int64)
	}
	byApp["a"], byApp["b"] = new(atomic.Int64), new(atomic.Int64)

	var wg sync.WaitGroup
	for worker := range workers {
		random := rand.New(rand.NewPCG(1, uint64(worker)))
		wg.Go(func() {
			for range rounds {
				ticket, refusal := h.Admit(from(ips[random.IntN(len(ips))]), []string{"ka", "kb"}[random.IntN(2)])
				if refusal != nil {
					continue
				}
				admitted.Add(1)
				ip, app := byIP[clientGroup(ticket.ClientIP()).String()], byApp[ticket.App()]
				if total.Add(1) > instance || ip.Add(1) > perIP || app.Add(1) > perApp {
					t.Error("a limit was exceeded")
				}
				total.Add(-1)
				ip.Add(-1)
				app.Add(-1)
				ticket.Release()
			}
		})
	}
	wg.Wait()
	require.Positive(t, admitted.Load())
	requireEmpty(t, h)
}

func TestRefusalOnTheWire(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{}, "app:k")
	recorder := httptest.NewRecorder()
	require.NoError(t, h.refuses("192.0.2.1", "", ReasonUnauthorized).Write(recorder))
	require.Equal(t, http.StatusUnauthorized, recorder.Code)
	require.Equal(t, "application/json", recorder.Header().Get("Content-Type"))
	require.JSONEq(t, `{"message":"Invalid API key"}`, recorder.Body.String())
	require.Contains(t, newRefusal(ReasonPerIP).String(), "per_ip_limit")
}

func TestBadConfigurations(t *testing.T) {
	t.Parallel()
	const secret = "p4ssw0rd"
	for want, cfg := range map[string]Config{
		"the instance connection limit is -1": {InstanceLimit: -1},
		"the global connection limit is -2":   {GlobalLimit: -2},
		"the per-IP connection limit is -3":   {PerIPLimit: -3},
		"Forwarded header":                    {IPHeader: "forwarded"},
		"Redis URL is not valid":              {Redis: &RedisConfig{URL: "http://user:" + secret + "@host:\x7f"}},
		"longer than the heartbeat":           {Redis: &RedisConfig{URL: "redis://localhost", Heartbeat: 1e9, TTL: 1e9}},
		"at least one millisecond":            {Redis: &RedisConfig{URL: "redis://localhost", Timeout: -1}},
	} {
		_, err := New(cfg)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), secret)
	}
}
