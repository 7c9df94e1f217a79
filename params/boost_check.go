// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package params

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// Check reports the first value that flashboost could not run with, as one sentence. Secrets are checked
// where they are read, by BoostBackend.Secret and Boost.RPCSecret.
func (c *Boost) Check() error {
	if err := c.L2.check("local execution layer", "l2"); err != nil {
		return err
	}
	if c.HasBuilder() {
		if err := c.Builder.check("builder", "builder"); err != nil {
			return err
		}
	}
	if err := c.checkAddrs(); err != nil {
		return err
	}
	if err := c.checkNumbers(); err != nil {
		return err
	}
	switch {
	case c.Selection != "" && c.Selection != SelectGasUsed:
		return fmt.Errorf("block selection policy %q is unknown: use %s, or leave it out", c.Selection, SelectGasUsed)
	case c.LogFormat != "text" && c.LogFormat != "json":
		return fmt.Errorf("log format %q is unknown: use text or json", c.LogFormat)
	}
	return nil
}

func (b *BoostBackend) check(who, prefix string) error {
	if err := checkURL(b.URL, "http", "https"); err != nil {
		return fmt.Errorf("the URL of the %s (--%s-url) %w", who, prefix, err)
	}
	if b.Timeout <= 0 {
		return fmt.Errorf("--%s-timeout %v must be greater than zero", prefix, b.Timeout)
	}
	for method, timeout := range b.MethodTimeouts {
		if method == "" || timeout <= 0 {
			return fmt.Errorf("--%s-method-timeouts: %q needs a name and a time greater than zero", prefix, method)
		}
	}
	return nil
}

func (c *Boost) checkAddrs() error {
	for _, a := range []struct {
		name, host string
		port       int
		used       bool
	}{
		{"rpc", c.RPCHost, c.RPCPort, true},
		{"debug", c.DebugHost, c.DebugPort, true},
		{"metrics", c.MetricsHost, c.MetricsPort, c.Metrics},
		{"flashblocks", c.Flashblocks.Host, c.Flashblocks.Port, c.Flashblocks.Enabled},
	} {
		switch {
		case !a.used:
		case a.host == "":
			return fmt.Errorf("the %s host is empty: give an address or a name, 0.0.0.0 for all addresses", a.name)
		case a.port < 0 || a.port > 65535:
			return fmt.Errorf("the %s port %d is not a TCP port", a.name, a.port)
		}
	}
	if !c.Pprof {
		return nil
	}
	_, port, err := net.SplitHostPort(c.PprofAddr)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 0 || n > 65535 {
		return fmt.Errorf("the pprof address %q is not host:port", c.PprofAddr)
	}
	return nil
}

func (c *Boost) checkNumbers() error {
	f := &c.Flashblocks
	for _, n := range []struct {
		name         string
		value, least int
	}{
		{"health-builder-failures", c.HealthBuilderFailures, 1},
		{"max-body-bytes", c.MaxBodyBytes, 1024},
		{"max-reply-bytes", c.MaxReplyBytes, 1024},
		{"flashblocks-subscriber-limit", f.SubscriberLimit, 1},
		{"flashblocks-max-message-bytes", f.MaxMessageBytes, 1024},
	} {
		if n.value < n.least {
			return fmt.Errorf("--%s %d is too small: at least %d", n.name, n.value, n.least)
		}
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"health-check-interval", c.HealthInterval},
		{"max-unsafe-interval", c.MaxUnsafeInterval},
		{"shutdown-timeout-ms", c.DrainTimeout},
		{"flashblock-builder-ws-initial-reconnect-ms", f.BackoffMin},
		{"flashblock-builder-ws-max-reconnect-ms", f.BackoffMax},
		{"flashblock-builder-ws-connect-timeout-ms", f.ConnectTimeout},
		{"flashblock-builder-ws-ping-interval-ms", f.PingInterval},
		{"flashblock-builder-ws-pong-timeout-ms", f.PongTimeout},
	} {
		if d.value <= 0 {
			return fmt.Errorf("--%s %v must be greater than zero", d.name, d.value)
		}
	}
	if !f.Enabled {
		return nil
	}
	if err := checkURL(f.BuilderURL, "ws", "wss"); err != nil {
		return fmt.Errorf("the URL of the builder's stream (--flashblocks-builder-url) %w", err)
	}
	switch {
	case f.BackoffMax < f.BackoffMin:
		return fmt.Errorf("the longest pause before a reconnect, %v, is shorter than the first, %v", f.BackoffMax, f.BackoffMin)
	case f.PongTimeout <= f.PingInterval:
		return fmt.Errorf("the builder's pong timeout %v must be longer than the ping interval %v", f.PongTimeout, f.PingInterval)
	}
	return nil
}

// errP2P is the answer to rollup-boost's other way to flashblocks.
var errP2P = errors.New("the P2P mode of flashblocks (--flashblocks-p2p, --flashblocks-authorizer-sk, --flashblocks-builder-vk) is not supported: leave these out, and use --flashblocks with --flashblocks-builder-url")
