// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package backend speaks to one execution client over its Engine API: the local EL or the builder.
//
// Calls travel in lanes, each with connections of its own, so that a burst of forkchoice updates or of
// proxied traffic never takes a connection from a call that decides about a block. Bodies go through as
// they are. A Queue before a client keeps engine calls in order and sheds those that a newer one has
// made pointless.
package backend

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"
)

const (
	// defaultTimeout is rollup-boost's.
	defaultTimeout = time.Second

	// defaultMaxResponse holds many times the largest block of any OP chain (0.5 MB on Base in 2025).
	defaultMaxResponse = 64 << 20

	// secretSize is prescribed by the Engine API's authentication spec.
	secretSize = 32
)

// Config configures a Client. Name and URL are required; other zero values mean their default.
type Config struct {
	Name string // "l2" or "builder": label of metrics, logs and errors
	URL  string // http:// or https:// of the authenticated RPC

	Secret   []byte                   // 32 bytes that sign the JWT; nil to send none
	Timeout  time.Duration            // From the call to the last byte of its answer, default 1 s
	Timeouts map[string]time.Duration // The same by method or by prefix of it, the longest match counts

	MaxResponse int64  // Bytes of an answer, default 64 MiB
	UserAgent   string // Sent with each call, default "flashboost"

	Now     func() time.Time // Clock of the JWT, default time.Now
	Metrics *metrics.Set     // Nil for a private set
	Log     log.Logger       // Nil for the root logger
}

// timeout is the limit of the methods with one prefix.
type timeout struct {
	prefix string
	limit  time.Duration
}

func (c Config) withDefaults() Config {
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxResponse <= 0 {
		c.MaxResponse = defaultMaxResponse
	}
	if c.UserAgent == "" {
		c.UserAgent = "flashboost"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Metrics == nil {
		c.Metrics = metrics.NewSet()
	}
	if c.Log == nil {
		c.Log = log.Root()
	}
	return c
}

// check returns the parsed URL.
func (c *Config) check() (*url.URL, error) {
	if c.Name == "" || strings.ContainsAny(c.Name, "\"\\\n") {
		return nil, fmt.Errorf("backend: the name %q cannot be a label", c.Name)
	}
	target, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("backend %s: %w", c.Name, err)
	}
	if target.Scheme != "http" && target.Scheme != "https" || target.Host == "" {
		return nil, fmt.Errorf("backend %s: the URL %q is not of the form http://host:port", c.Name, target.Redacted())
	}
	if c.Secret != nil && len(c.Secret) != secretSize {
		return nil, fmt.Errorf("backend %s: the JWT secret has %d bytes instead of %d", c.Name, len(c.Secret), secretSize)
	}
	for prefix, limit := range c.Timeouts {
		if limit <= 0 {
			return nil, fmt.Errorf("backend %s: the timeout of %q is not positive", c.Name, prefix)
		}
	}
	return target, nil
}

// timeouts returns the limits by prefix, longest first.
func (c *Config) timeouts() []timeout {
	list := make([]timeout, 0, len(c.Timeouts))
	for prefix, limit := range c.Timeouts {
		list = append(list, timeout{prefix, limit})
	}
	slices.SortFunc(list, func(a, b timeout) int { return len(b.prefix) - len(a.prefix) })
	return list
}
