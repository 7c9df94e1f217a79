// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// redisServer is a Redis that a test may treat badly. It is the real one wherever the binary is
// installed, as it is in continuous integration; elsewhere an embedded one stands in.
type redisServer struct {
	t    testing.TB
	addr string

	binary string
	dir    string
	cmd    *exec.Cmd

	mini *miniredis.Miniredis // instead of the binary
}

func newRedisServer(t testing.TB) *redisServer {
	t.Helper()
	s := &redisServer{t: t}
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("continuous integration must have redis-server installed: %v", err)
		}
		t.Logf("NO redis-server FOUND: an embedded stand-in is used, and this test proves less than it should (%v)", err)
		s.mini = miniredis.RunT(t)
		s.addr = s.mini.Addr()
		return s
	}
	s.binary, s.dir = binary, t.TempDir()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.addr = listener.Addr().String()
	require.NoError(t, listener.Close())
	s.restart()
	t.Cleanup(s.kill)
	return s
}

// restart starts the server, with empty memory, where it was before.
func (s *redisServer) restart() {
	s.t.Helper()
	if s.mini != nil {
		s.mini.FlushAll()
		require.NoError(s.t, s.mini.Restart())
		return
	}
	host, port, err := net.SplitHostPort(s.addr)
	require.NoError(s.t, err)
	s.cmd = exec.CommandContext(context.Background(), s.binary, "--bind", host, "--port", port, "--dir", s.dir,
		"--save", "", "--appendonly", "no", "--logfile", "redis.log")
	require.NoError(s.t, s.cmd.Start())
	require.Eventually(s.t, func() bool {
		client := s.client()
		defer client.Close()
		return client.Ping(context.Background()).Err() == nil
	}, patience, 5*time.Millisecond, "redis-server answers")
}

// kill ends the server at once, as kill -9 does.
func (s *redisServer) kill() {
	if s.mini != nil {
		s.mini.Close()
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // says "killed"
}

// pause makes the server hang with its connections open; for the stand-in it is gone instead.
func (s *redisServer) pause() {
	if s.mini != nil {
		s.mini.Close()
		return
	}
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGSTOP))
}

func (s *redisServer) resume() {
	if s.mini != nil {
		require.NoError(s.t, s.mini.Restart())
		return
	}
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGCONT))
}

func (s *redisServer) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.addr, Protocol: 2, DisableIdentity: true, MaxRetries: -1, DialerRetries: 1, PoolSize: 100})
}

// counts reads an instance's hash, without the epoch.
func (s *redisServer) counts(id string) map[string]string {
	client := s.client()
	defer client.Close()
	counts, err := client.HGetAll(context.Background(), "flashblocks:instance:"+id).Result()
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	delete(counts, "epoch")
	return counts
}

// instance joins the instances at the server.
func (s *redisServer) instance(id string, cfg Config, redis RedisConfig, keys string) *harness {
	s.t.Helper()
	redis.URL, redis.InstanceID = "redis://"+s.addr, id
	cfg.Redis = &redis
	return newHarness(s.t, cfg, keys).start()
}

// load admits and releases connections until it is stopped, holds a few at any time, and keeps the
// last ones.
type load struct {
	keeper   *harness
	wg       sync.WaitGroup
	done     chan struct{}
	mu       sync.Mutex
	kept     []*Ticket
	delays   []time.Duration
	admitted atomic.Int64
}

func newLoad(workers int, h *harness, keys ...string) *load {
	l := &load{keeper: h, done: make(chan struct{})}
	for worker := range workers {
		l.wg.Go(func() { l.run(keys, rand.New(rand.NewPCG(uint64(worker), 3))) })
	}
	return l
}

func (l *load) run(keys []string, random *rand.Rand) {
	const holding = 4
	var open []*Ticket
	for {
		select {
		case <-l.done:
			l.mu.Lock()
			l.kept = append(l.kept, open...)
			l.mu.Unlock()
			return
		default:
		}
		begin := time.Now()
		ticket, _ := l.keeper.Admit(from(fmt.Sprintf("192.0.2.%d", random.IntN(20))), keys[random.IntN(len(keys))])
		delay := time.Since(begin)
		l.mu.Lock()
		l.delays = append(l.delays, delay)
		l.mu.Unlock()
		if ticket != nil {
			l.admitted.Add(1)
			open = append(open, ticket)
		}
		if len(open) > holding || ticket == nil && len(open) > 0 {
			i := random.IntN(len(open))
			open[i].Release()
			open = slices.Delete(open, i, i+1)
		}
	}
}

func (l *load) stop() []*Ticket {
	close(l.done)
	l.wg.Wait()
	return l.kept
}

// checked is how many of the admissions Redis decided.
func (l *load) checked() int64 {
	unchecked := int64(l.keeper.m.redisUnchecked.Get()) // read first: it can only be too small a part
	return l.admitted.Load() - unchecked
}

// delay returns a quantile of the time that admissions took.
func (l *load) delay(quantile float64) time.Duration {
	slices.Sort(l.delays)
	return l.delays[int(quantile*float64(len(l.delays)-1))]
}

func TestRedisServerKilledUnderLoad(t *testing.T) {
	t.Parallel()
	server := newRedisServer(t)
	const timeout = 100 * time.Millisecond
	cfg, times := Config{GlobalLimit: 60, PerIPLimit: 6}, RedisConfig{Timeout: timeout, Retry: 10 * time.Millisecond, Heartbeat: 50 * time.Millisecond}
	const keys = "one:k1:40,two:k2:40"
	ids := []string{"a", "b"}
	a, b := server.instance("a", cfg, times, keys), server.instance("b", cfg, times, keys)
	loads := []*load{newLoad(8, a, "k1", "k2"), newLoad(8, b, "k1", "k2")}

	for round := range 3 {
		for _, load := range loads {
			before := load.checked()
			require.Eventually(t, func() bool { return load.checked() > before+200 }, patience, time.Millisecond, "Redis decides")
		}
		before := loads[0].admitted.Load()
		server.kill()
		want := strconv.Itoa(round + 1)
		require.Eventually(t, func() bool { return a.figure("redis_outages") == want && b.figure("redis_outages") == want }, patience, time.Millisecond)
		require.Eventually(t, func() bool { return loads[0].admitted.Load() > before+1000 }, patience, time.Millisecond, "service goes on")
		server.restart()
		require.Eventually(t, func() bool { return a.figure("redis_up") == "1" && b.figure("redis_up") == "1" }, patience, time.Millisecond)
	}
	for i, h := range []*harness{a, b} {
		tickets := loads[i].stop()
		require.NotEmpty(t, tickets)
		require.Eventually(t, func() bool { return server.counts(ids[i])["total"] == strconv.Itoa(len(tickets)) }, patience, time.Millisecond)
		t.Logf("instance %s: %d admissions, %s of them unchecked, p50 %v, p99 %v, longest %v", ids[i], loads[i].admitted.Load(),
			h.figure("redis_unchecked_admissions"), loads[i].delay(0.5), loads[i].delay(0.99), loads[i].delay(1))
		// The exact bound is tested in virtual time; here the scheduler of a busy machine has a part.
		require.Less(t, loads[i].delay(1), timeout+5*time.Second)
	}
	for i, load := range loads {
		for _, ticket := range load.kept {
			ticket.Release()
		}
		require.Eventually(t, func() bool { return len(server.counts(ids[i])) == 0 }, patience, time.Millisecond, "every count is gone")
	}
	for range 3 { // and the limits are shared again, exactly
		a.admit("192.0.2.1", "k1")
		b.admit("192.0.2.1", "k1")
	}
	a.refuses("192.0.2.1", "k1", ReasonPerIP)
	b.refuses("192.0.2.1", "k1", ReasonPerIP)
}

// Commands that a hanging server has received are carried out when it goes on. They must not count,
// because by then everything has been registered again.
func TestRedisServerHangs(t *testing.T) {
	t.Parallel()
	server := newRedisServer(t)
	const timeout = 30 * time.Millisecond
	h := server.instance("a", Config{PerIPLimit: 50}, RedisConfig{Timeout: timeout, Retry: 5 * time.Millisecond, Heartbeat: 20 * time.Millisecond}, "app:k")
	l := newLoad(8, h, "k")
	for round := range 3 {
		server.pause()
		want := strconv.Itoa(round + 1)
		require.Eventually(t, func() bool { return h.figure("redis_outages") >= want }, patience, time.Millisecond)
		failures := h.figure("redis_failures")
		require.Eventually(t, func() bool { return h.figure("redis_failures") != failures }, patience, time.Millisecond)
		server.resume()
		require.Eventually(t, func() bool { return h.figure("redis_up") == "1" }, patience, time.Millisecond)
	}
	tickets := l.stop()
	want := make(map[string]string)
	for _, ticket := range tickets {
		n, _ := strconv.Atoi(want[ipField(ticket.ClientIP())])
		want[ipField(ticket.ClientIP())] = strconv.Itoa(n + 1)
	}
	want[totalField] = strconv.Itoa(len(tickets))
	require.Eventually(t, func() bool { return fmt.Sprint(server.counts("a")) == fmt.Sprint(want) }, patience, time.Millisecond)
}

// Two instances that race for the last places never give away more than there are.
func TestRedisServerRace(t *testing.T) {
	t.Parallel()
	server := newRedisServer(t)
	const limit, perIP, perApp = 40, 3, 25
	cfg := Config{GlobalLimit: limit, PerIPLimit: perIP}
	times := RedisConfig{Timeout: patience}
	keepers := []*harness{server.instance("a", cfg, times, "app:k:25,two:l"), server.instance("b", cfg, times, "app:k:25,two:l")}

	var mu sync.Mutex
	byIP, byApp, total := make(map[string]int), make(map[string]int), 0
	var wg sync.WaitGroup
	for worker := range 32 {
		random := rand.New(rand.NewPCG(uint64(worker), 9))
		wg.Go(func() {
			for range 20 {
				ticket, refusal := keepers[worker%2].Admit(from(fmt.Sprintf("192.0.2.%d", random.IntN(30))), []string{"k", "l"}[random.IntN(2)])
				if refusal != nil {
					continue
				}
				mu.Lock()
				total++
				byIP[ticket.ClientIP().String()]++
				byApp[ticket.App()]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Equal(t, limit, total)
	require.LessOrEqual(t, byApp["app"], perApp)
	for ip, n := range byIP {
		require.LessOrEqual(t, n, perIP, ip)
	}
	for _, h := range keepers {
		require.Equal(t, "0", h.figure("redis_unchecked_admissions"))
	}
	if server.mini == nil {
		client := server.client()
		defer client.Close()
		stats, err := client.Info(t.Context(), "commandstats").Result()
		require.NoError(t, err)
		require.Contains(t, stats, "cmdstat_evalsha")
		require.NotContains(t, stats, "cmdstat_keys:", "nothing is searched for by pattern")
		require.NotContains(t, stats, "cmdstat_scan:")
	}
}

// An instance that dies without a word gives its places back when its counts expire.
func TestRedisServerInstanceDies(t *testing.T) {
	t.Parallel()
	server := newRedisServer(t)
	cfg, times := Config{GlobalLimit: 1}, RedisConfig{Timeout: patience, Heartbeat: 20 * time.Millisecond, TTL: 200 * time.Millisecond}
	alive := server.instance("alive", cfg, times, "")

	cfg.Redis = &RedisConfig{URL: "redis://" + server.addr, InstanceID: "dead", Timeout: patience, Heartbeat: times.Heartbeat, TTL: times.TTL}
	full, err := cfg.withDefaults()
	require.NoError(t, err)
	dead, err := newRedisStore(full)
	require.NoError(t, err)
	require.NoError(t, dead.Register(t.Context(), 1))
	require.Empty(t, decide(t, dead, claim{}))
	require.NoError(t, dead.Close())

	alive.refuses("192.0.2.1", "", ReasonGlobal)
	require.Eventually(t, func() bool {
		if server.mini != nil {
			server.mini.FastForward(10 * time.Millisecond) // the stand-in has no clock
		}
		ticket, _ := alive.Admit(from("192.0.2.1"), "")
		return ticket != nil
	}, patience, 5*time.Millisecond, "the place of the dead instance is free")
}
