// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package params

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"
)

// Proxy configures flashproxy. Names and defaults are those of Base's websocket-proxy where it has
// the setting.
type Proxy struct {
	ListenAddr string   // host:port that clients connect to
	Upstreams  []string // ws:// or wss:// URLs to follow
	Conductors []string // JSON-RPC URLs of the upstreams' op-conductors, in the same order, or none

	MessageBuffer   int // Messages a client that had caught up may fall behind
	RingCapacity    int // Messages kept for resuming clients
	RingBytes       int // Bytes of these
	SendBuffer      int // Bytes the kernel keeps for a client that does not read, 0 for its own choice
	InstanceLimit   int // Most connections of this process, 0 for any number
	GlobalLimit     int // Most connections of all instances that share a Redis, 0 for any number
	PerIPLimit      int // Most connections of one IPv4 address or IPv6 /64, 0 for any number
	Compression     bool
	TextFrames      bool
	Deflate         bool
	IPHeader        string
	TrustedProxies  string // CIDRs, separated by commas
	APIKeys         string // app:key[:limit], separated by commas
	APIKeysFile     string // File with the same, also one per line
	PublicAccess    bool
	Origins         []string
	RedisURL        string
	RedisPrefix     string
	UpstreamNotices bool
	Backfill        bool

	Metrics       bool
	MetricsAddr   string
	MetricsLabels string
	MetricsHost   bool
	Pprof         bool
	PprofAddr     string
	LogLevel      string
	LogFormat     string

	UpstreamMaxInterval time.Duration
	UpstreamPing        time.Duration
	UpstreamPong        time.Duration
	ClientPing          bool
	ClientPingInterval  time.Duration
	ClientPongTimeout   time.Duration
	ClientSendTimeout   time.Duration
	ConductorPoll       time.Duration
	ReadyMaxAge         time.Duration
	DrainTimeout        time.Duration

	TLSCert          string
	TLSKey           string
	HandshakeTimeout time.Duration
	Handshakes       int
	HeaderBytes      int
}

// DefaultProxy is what the flags default to.
var DefaultProxy = Proxy{
	ListenAddr:      "0.0.0.0:8545",
	MessageBuffer:   20,
	RingCapacity:    1024,
	RingBytes:       64 << 20,
	SendBuffer:      256 << 10,
	InstanceLimit:   100,
	PerIPLimit:      10,
	Deflate:         true,
	IPHeader:        "X-Forwarded-For",
	RedisPrefix:     "flashblocks",
	UpstreamNotices: true,
	Backfill:        true,

	Metrics:     true,
	MetricsAddr: "0.0.0.0:9000",
	PprofAddr:   "127.0.0.1:6060",
	LogLevel:    "info",
	LogFormat:   "text",

	UpstreamMaxInterval: 20 * time.Second,
	UpstreamPing:        2 * time.Second,
	UpstreamPong:        4 * time.Second,
	ClientPingInterval:  15 * time.Second,
	ClientPongTimeout:   30 * time.Second,
	ClientSendTimeout:   time.Second,
	ConductorPoll:       500 * time.Millisecond,
	ReadyMaxAge:         10 * time.Second,
	DrainTimeout:        5 * time.Second,

	HandshakeTimeout: 10 * time.Second,
	Handshakes:       1024,
	HeaderBytes:      16 << 10,
}

// Ring is how many messages are kept: those for resuming clients, and those that slow ones have not got.
func (c *Proxy) Ring() int { return max(c.MessageBuffer, c.RingCapacity) }

// Check reports the first value that flashproxy could not run with, as one sentence. What belongs to
// keys, CIDRs and Redis is checked where it is parsed.
func (c *Proxy) Check() error {
	if len(c.Upstreams) == 0 {
		return errors.New("no upstream is given: set --upstream-ws (or UPSTREAM_WS) to one or more websocket URLs")
	}
	for i, upstream := range c.Upstreams {
		if err := checkURL(upstream, "ws", "wss"); err != nil {
			return fmt.Errorf("upstream %d %w", i+1, err)
		}
	}
	if n := len(c.Conductors); n != 0 && n != len(c.Upstreams) {
		return fmt.Errorf("%d conductors are given for %d upstreams: give one for each, in the same order", n, len(c.Upstreams))
	}
	for i, conductor := range c.Conductors {
		if err := checkURL(conductor, "http", "https"); err != nil {
			return fmt.Errorf("conductor %d %w", i+1, err)
		}
	}
	if err := c.checkAddrs(); err != nil {
		return err
	}
	if err := c.checkNumbers(); err != nil {
		return err
	}
	return c.checkChoices()
}

func (c *Proxy) checkAddrs() error {
	for _, addr := range []struct {
		name, value string
		used        bool
	}{
		{"listening", c.ListenAddr, true},
		{"metrics", c.MetricsAddr, c.Metrics},
		{"pprof", c.PprofAddr, c.Pprof},
	} {
		if !addr.used {
			continue
		}
		_, port, err := net.SplitHostPort(addr.value)
		if err != nil {
			return fmt.Errorf("%s address %q is not host:port", addr.name, addr.value)
		}
		if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
			return fmt.Errorf("%s address %q has no TCP port", addr.name, addr.value)
		}
	}
	return nil
}

func (c *Proxy) checkNumbers() error {
	for _, n := range []struct {
		name  string
		value int
		least int
	}{
		{"message buffer size", c.MessageBuffer, 1},
		{"ring buffer capacity", c.RingCapacity, 1},
		{"ring buffer bytes", c.RingBytes, 1},
		{"client send buffer", c.SendBuffer, 0},
		{"instance connection limit", c.InstanceLimit, 0},
		{"global connections limit", c.GlobalLimit, 0},
		{"per-IP connection limit", c.PerIPLimit, 0},
		{"handshake limit", c.Handshakes, 1},
		{"header limit", c.HeaderBytes, 1024},
	} {
		if n.value < n.least {
			return fmt.Errorf("%s %d is too small: at least %d", n.name, n.value, n.least)
		}
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"subscriber max interval", c.UpstreamMaxInterval},
		{"subscriber ping interval", c.UpstreamPing},
		{"subscriber pong timeout", c.UpstreamPong},
		{"client ping interval", c.ClientPingInterval},
		{"client pong timeout", c.ClientPongTimeout},
		{"client send timeout", c.ClientSendTimeout},
		{"conductor poll interval", c.ConductorPoll},
		{"ready max age", c.ReadyMaxAge},
		{"shutdown drain", c.DrainTimeout},
		{"handshake timeout", c.HandshakeTimeout},
	} {
		if d.value <= 0 {
			return fmt.Errorf("%s %v must be greater than zero", d.name, d.value)
		}
	}
	if c.ClientPing && c.ClientPongTimeout <= c.ClientPingInterval {
		return fmt.Errorf("client pong timeout %v must be longer than the ping interval %v", c.ClientPongTimeout, c.ClientPingInterval)
	}
	return nil
}

func (c *Proxy) checkChoices() error {
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("TLS needs both a certificate and a key")
	case c.APIKeys != "" && c.APIKeysFile != "":
		return errors.New("API keys are given both directly and as a file: give one of them")
	case c.PublicAccess && c.APIKeys == "" && c.APIKeysFile == "":
		return errors.New("public access is for proxies with API keys: without keys everybody has access")
	case c.LogFormat != "text" && c.LogFormat != "json":
		return fmt.Errorf("log format %q is unknown: use text or json", c.LogFormat)
	case c.Compression && c.TextFrames:
		return errors.New("compressed messages cannot be text frames: choose one of the two")
	}
	return nil
}

// checkURL reports an address of the wrong kind. It leaves the address out, which may hold a key.
func checkURL(raw string, schemes ...string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return errors.New("is not a URL")
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme {
			return nil
		}
	}
	return fmt.Errorf("must be a URL that begins with %s:// or %s://", schemes[0], schemes[1])
}
