// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkAdmit is a whole life under the local limits: key, address behind a proxy, four limits,
// release.
func BenchmarkAdmit(b *testing.B) {
	networks, err := ParseTrustedProxies("10.0.0.0/8")
	require.NoError(b, err)
	h := newHarness(b, Config{InstanceLimit: 1 << 20, GlobalLimit: 1 << 20, PerIPLimit: 10, TrustedProxies: networks}, "one:k1:100,two:k2:100,three:k3:100")
	r := from("10.0.0.1")
	r.Header.Set(DefaultIPHeader, "203.0.113.7, 10.0.0.2")
	b.ReportAllocs()
	for b.Loop() {
		ticket, refusal := h.Admit(r, "k3")
		if refusal != nil {
			b.Fatal(refusal)
		}
		ticket.Release()
	}
}

// BenchmarkLookup compares with a hundred keys.
func BenchmarkLookup(b *testing.B) {
	list := ""
	for i := range 100 {
		list += fmt.Sprintf(",app%d:key%d", i, i)
	}
	ring, err := ParseKeys(list[1:])
	require.NoError(b, err)
	for b.Loop() {
		if ring.find("key50") == nil {
			b.Fatal("not found")
		}
	}
}

// BenchmarkAdmitRedis is the same life with the limits shared through a Redis on this machine.
func BenchmarkAdmitRedis(b *testing.B) {
	for _, clients := range []int{1, 32} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			server := newRedisServer(b)
			h := server.instance("a", Config{GlobalLimit: 1 << 20, PerIPLimit: 100}, RedisConfig{Timeout: patience}, "app:k:1000")
			b.SetParallelism(clients) // times GOMAXPROCS
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					ticket, refusal := h.Admit(from("192.0.2.1"), "k")
					if refusal == nil {
						ticket.Release()
					}
				}
			})
			require.Equal(b, "0", h.figure("redis_unchecked_admissions"))
		})
	}
}

// BenchmarkScript is a full call, with the given number of live instances: for how long Redis is busy.
func BenchmarkScript(b *testing.B) {
	for _, instances := range []int{1, 10} {
		b.Run(fmt.Sprintf("instances=%d", instances), func(b *testing.B) {
			server := newRedisServer(b)
			cfg, err := Config{GlobalLimit: 1 << 40, PerIPLimit: 1 << 40, Redis: &RedisConfig{URL: "redis://" + server.addr, Timeout: patience, TTL: time.Hour}}.withDefaults()
			require.NoError(b, err)
			var store *redisStore
			for i := range instances {
				if store != nil {
					require.NoError(b, store.Close())
				}
				cfg.Redis.InstanceID = fmt.Sprint(i)
				store, err = newRedisStore(cfg)
				require.NoError(b, err)
				require.NoError(b, store.Register(b.Context(), 1))
			}
			claims := slices.Repeat([]claim{{ip: "ip:192.0.2.1", app: "app:one", appLimit: 1 << 40}}, maxAsks)
			for b.Loop() {
				if _, err := store.Apply(b.Context(), 1, nil, claims); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, store.Close())
		})
	}
}
