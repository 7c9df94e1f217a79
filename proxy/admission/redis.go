// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"context"
	_ "embed" // for apply.lua
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"sync"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/ethereum/go-ethereum/log"
)

// The fields of an instance's hash. "epoch" is the only other one.
const totalField = "total"

func ipField(group netip.Addr) string { return "ip:" + group.String() }
func appField(name string) string     { return "app:" + name }

//go:embed apply.lua
var applySource string

// applyScript is the one place where shared counts are checked and changed.
var applyScript = redis.NewScript(applySource)

// verdictReasons maps the script's verdicts.
var verdictReasons = [...]Reason{"", ReasonGlobal, ReasonPerIP, ReasonPerApp}

// redisStore is the counterStore in Redis: a set of instance ids, and per instance a hash that
// expires. Nothing is ever searched for by pattern.
type redisStore struct {
	options     redis.Options
	client      *redis.Client // of the current registration, nil before the first
	instances   string        // key of the set
	hashPrefix  string        // what the hash keys begin with
	id          string
	ttl         string // in milliseconds
	globalLimit int
	perIPLimit  int
}

func newRedisStore(cfg Config) (*redisStore, error) {
	options, err := redis.ParseURL(cfg.Redis.URL)
	if err != nil {
		// The cause is left out on purpose: it may quote the URL, which may hold a password.
		return nil, errors.New("admission: the Redis URL is not valid; write redis://[user:password@]host:port[/db], rediss://… for TLS, or unix://…")
	}
	routeLibraryLog()
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = cfg.Redis.Timeout, cfg.Redis.Timeout, cfg.Redis.Timeout
	options.PoolTimeout = cfg.Redis.Timeout
	options.ContextTimeoutEnabled = true
	// The worker decides when to try again. It has one call in flight; the second place is for the
	// library, which goes into a mode of its own after as many failed dials as there are places.
	options.MaxRetries, options.DialerRetries = -1, 1
	options.PoolSize, options.MinIdleConns, options.MaxIdleConns, options.MaxActiveConns = 2, 0, 0, 0
	options.Protocol = 2
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &redisStore{
		options:     *options,
		instances:   cfg.Redis.KeyPrefix + ":instances",
		hashPrefix:  cfg.Redis.KeyPrefix + ":instance:",
		id:          cfg.Redis.InstanceID,
		ttl:         strconv.FormatInt(cfg.Redis.TTL.Milliseconds(), 10),
		globalLimit: cfg.GlobalLimit,
		perIPLimit:  cfg.PerIPLimit,
	}, nil
}

// Register uses new connections: what is left in an old one must not come before it.
func (s *redisStore) Register(ctx context.Context, epoch uint64) error {
	if err := s.Close(); err != nil {
		log.Debug("Closing the old connection to Redis failed", "err", err)
	}
	options := s.options // the client keeps and completes what it is given
	s.client = redis.NewClient(&options)
	_, err := s.client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		tx.Del(ctx, s.hash())
		tx.HSet(ctx, s.hash(), "epoch", epoch)
		tx.Do(ctx, "PEXPIRE", s.hash(), s.ttl)
		tx.SAdd(ctx, s.instances, s.id)
		return nil
	})
	return err
}

// Apply runs the script.
func (s *redisStore) Apply(ctx context.Context, epoch uint64, corrections []correction, claims []claim) ([]Reason, error) {
	args := make([]any, 0, 7+2*len(corrections)+3*len(claims))
	args = append(args, epoch, s.ttl, s.id, s.hashPrefix, s.globalLimit, s.perIPLimit, len(corrections))
	for _, c := range corrections {
		args = append(args, c.field, c.n)
	}
	for _, c := range claims {
		args = append(args, c.ip, c.app, c.appLimit)
	}
	answer, err := applyScript.Run(ctx, s.client, []string{s.instances, s.hash()}, args...).Int64Slice()
	if err != nil {
		return nil, err
	}
	if len(answer) > 0 && answer[0] == -1 {
		return nil, errStale
	}
	if len(answer) != 1+len(claims) {
		return nil, fmt.Errorf("redis gave %d values for %d claims", len(answer), len(claims))
	}
	reasons := make([]Reason, len(claims))
	for i, verdict := range answer[1:] {
		if verdict < 0 || verdict >= int64(len(verdictReasons)) {
			return nil, fmt.Errorf("redis gave the unknown verdict %d", verdict)
		}
		reasons[i] = verdictReasons[verdict]
	}
	return reasons, nil
}

// Unregister removes the hash; the id goes with it.
func (s *redisStore) Unregister(ctx context.Context) error {
	if s.client == nil {
		return nil
	}
	_, err := s.client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		tx.Del(ctx, s.hash())
		tx.SRem(ctx, s.instances, s.id)
		return nil
	})
	return err
}

// Close ends the connections.
func (s *redisStore) Close() error {
	if s.client == nil {
		return nil
	}
	err := s.client.Close()
	s.client = nil
	return err
}

func (s *redisStore) hash() string { return s.hashPrefix + s.id }

// routeLibraryLog sends what the library would print to standard error, one line per failed dial, to
// our log. Outages are logged once, by the worker.
var routeLibraryLog = sync.OnceFunc(func() { redis.SetLogger(libraryLog{}) })

type libraryLog struct{}

// Printf implements the library's logger.
func (libraryLog) Printf(_ context.Context, format string, args ...any) {
	log.Debug("Redis client", "message", fmt.Sprintf(format, args...))
}
