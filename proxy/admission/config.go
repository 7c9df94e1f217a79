// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"
)

const (
	// DefaultIPHeader is where reverse proxies put the addresses a request came through.
	DefaultIPHeader = "X-Forwarded-For"

	// DefaultKeyPrefix is the first part of every Redis key, as in rollup-boost's proxy.
	DefaultKeyPrefix = "flashblocks"

	// defaultHeartbeat and defaultTTL are rollup-boost's: two heartbeats may be lost before the counts
	// of an instance expire.
	defaultHeartbeat = 10 * time.Second
	defaultTTL       = 30 * time.Second

	// defaultTimeout is the most that Redis may add to a handshake. Within a data centre an answer
	// takes about a millisecond; a client across the world does not notice a fifth of a second.
	defaultTimeout = 200 * time.Millisecond

	// defaultRetry is the pause between two attempts to reach a Redis that is down.
	defaultRetry = time.Second
)

// Config configures a Gatekeeper. The zero value admits everybody.
type Config struct {
	Keys         *Keyring // API keys, nil for none: then keys in requests are not looked at
	PublicAccess bool     // With Keys set: also admit requests that bring no key

	IPHeader       string         // Header with the client's address, default X-Forwarded-For
	TrustedProxies []netip.Prefix // Peers whose IPHeader is believed; empty: the header is ignored

	// The limits count open connections; 0 is unlimited, as in rollup-boost's proxy (in Base's it
	// blocks everybody). Instances that share a Redis should have the same limits.
	InstanceLimit int // Most connections to this process
	GlobalLimit   int // Most connections to all instances that share the Redis; without Redis, to this one
	PerIPLimit    int // Most connections of one IPv4 address or IPv6 /64, over all instances

	Redis *RedisConfig // Where instances count together, nil for limits of this process only

	Metrics *metrics.Set // Where the figures are registered, default a private set
	Log     log.Logger   // Default the root logger
}

// RedisConfig says where and how instances count together. Zero values mean the defaults.
type RedisConfig struct {
	URL       string // redis://[user:password@]host:port[/db], rediss:// for TLS, or unix://
	KeyPrefix string // First part of every key, default "flashblocks"; "{name}" keeps a cluster's keys in one slot

	Timeout   time.Duration // Most that Redis may delay an admission, default 200 ms
	Heartbeat time.Duration // Refresh of this instance's counts, default 10 s
	TTL       time.Duration // Life of counts that are not refreshed, default 30 s
	Retry     time.Duration // Pause between attempts while Redis is down, default 1 s

	InstanceID string // Unique name of this instance, default random
}

// withDefaults checks the configuration and returns it completed.
func (c Config) withDefaults() (Config, error) {
	limits := []struct {
		name  string
		value int
	}{{"instance", c.InstanceLimit}, {"global", c.GlobalLimit}, {"per-IP", c.PerIPLimit}}
	for _, limit := range limits {
		if limit.value < 0 {
			return c, fmt.Errorf("admission: the %s connection limit is %d; it must be 0 (unlimited) or more", limit.name, limit.value)
		}
	}
	if c.IPHeader == "" {
		c.IPHeader = DefaultIPHeader
	}
	if strings.EqualFold(c.IPHeader, "Forwarded") {
		return c, errors.New("admission: the Forwarded header has another syntax than X-Forwarded-For and is not supported")
	}
	if c.Metrics == nil {
		c.Metrics = metrics.NewSet()
	}
	if c.Log == nil {
		c.Log = log.Root()
	}
	if c.Redis == nil {
		return c, nil
	}
	redis, err := c.Redis.withDefaults()
	c.Redis = &redis
	return c, err
}

func (c RedisConfig) withDefaults() (RedisConfig, error) {
	if c.KeyPrefix == "" {
		c.KeyPrefix = DefaultKeyPrefix
	}
	for _, field := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{{&c.Timeout, defaultTimeout}, {&c.Heartbeat, defaultHeartbeat}, {&c.TTL, defaultTTL}, {&c.Retry, defaultRetry}} {
		if *field.value == 0 {
			*field.value = field.fallback
		}
		if *field.value < time.Millisecond {
			return c, errors.New("admission: the times of the Redis configuration must be at least one millisecond")
		}
	}
	if c.TTL <= c.Heartbeat {
		return c, fmt.Errorf("admission: the Redis time to live (%v) must be longer than the heartbeat (%v)", c.TTL, c.Heartbeat)
	}
	if c.InstanceID == "" {
		var id [8]byte
		rand.Read(id[:]) // never fails since Go 1.24
		c.InstanceID = hex.EncodeToString(id[:])
	}
	return c, nil
}
