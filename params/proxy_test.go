// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package params

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"
)

// applyProxy runs a command line over the defaults.
func applyProxy(t *testing.T, args ...string) (Proxy, error) {
	t.Helper()
	cfg := DefaultProxy
	var applyErr error
	app := &cli.App{Flags: ProxyFlags(), Action: func(ctx *cli.Context) error {
		applyErr = cfg.ApplyFlags(ctx)
		return nil
	}}
	require.NoError(t, app.Run(append([]string{"test"}, args...)))
	return cfg, applyErr
}

// baseFlags are the flags of Base's proxy with their defaults, and what they are set to here.
var baseFlags = []struct {
	name, env, value string
	get              func(*Proxy) any
	def, want        any
}{
	{"listen-addr", "LISTEN_ADDR", "1.2.3.4:5", func(c *Proxy) any { return c.ListenAddr }, "0.0.0.0:8545", "1.2.3.4:5"},
	{"upstream-ws", "UPSTREAM_WS", "ws://a, ws://b", func(c *Proxy) any { return c.Upstreams }, []string(nil), []string{"ws://a", "ws://b"}},
	{"message-buffer-size", "MESSAGE_BUFFER_SIZE", "7", func(c *Proxy) any { return c.MessageBuffer }, 20, 7},
	{"instance-connection-limit", "INSTANCE_CONNECTION_LIMIT", "7", func(c *Proxy) any { return c.InstanceLimit }, 100, 7},
	{"per-ip-connection-limit", "PER_IP_CONNECTION_LIMIT", "7", func(c *Proxy) any { return c.PerIPLimit }, 10, 7},
	{"enable-compression", "ENABLE_COMPRESSION", "true", func(c *Proxy) any { return c.Compression }, false, true},
	{"ip-addr-http-header", "IP_ADDR_HTTP_HEADER", "X-Real-IP", func(c *Proxy) any { return c.IPHeader }, "X-Forwarded-For", "X-Real-IP"},
	{"trusted-proxy-cidrs", "TRUSTED_PROXY_CIDRS", "10.0.0.0/8", func(c *Proxy) any { return c.TrustedProxies }, "", "10.0.0.0/8"},
	{"api-keys", "API_KEYS", "a:b", func(c *Proxy) any { return c.APIKeys }, "", "a:b"},
	{"public-access-enabled", "PUBLIC_ACCESS_ENABLED", "true", func(c *Proxy) any { return c.PublicAccess }, false, true},
	{"metrics", "METRICS", "false", func(c *Proxy) any { return c.Metrics }, true, false},
	{"metrics-addr", "METRICS_ADDR", "1.2.3.4:5", func(c *Proxy) any { return c.MetricsAddr }, "0.0.0.0:9000", "1.2.3.4:5"},
	{"metrics-global-labels", "METRICS_GLOBAL_LABELS", "a=b", func(c *Proxy) any { return c.MetricsLabels }, "", "a=b"},
	{"metrics-host-label", "METRICS_HOST_LABEL", "true", func(c *Proxy) any { return c.MetricsHost }, false, true},
	{"subscriber-max-interval-ms", "SUBSCRIBER_MAX_INTERVAL_MS", "7", func(c *Proxy) any { return c.UpstreamMaxInterval }, 20 * time.Second, 7 * time.Millisecond},
	{"subscriber-ping-interval-ms", "SUBSCRIBER_PING_INTERVAL_MS", "7", func(c *Proxy) any { return c.UpstreamPing }, 2 * time.Second, 7 * time.Millisecond},
	{"subscriber-pong-timeout-ms", "SUBSCRIBER_PONG_TIMEOUT_MS", "7", func(c *Proxy) any { return c.UpstreamPong }, 4 * time.Second, 7 * time.Millisecond},
	{"client-ping-enabled", "CLIENT_PING_ENABLED", "true", func(c *Proxy) any { return c.ClientPing }, false, true},
	{"client-ping-interval-ms", "CLIENT_PING_INTERVAL_MS", "7", func(c *Proxy) any { return c.ClientPingInterval }, 15 * time.Second, 7 * time.Millisecond},
	{"client-pong-timeout-ms", "CLIENT_PONG_TIMEOUT_MS", "7", func(c *Proxy) any { return c.ClientPongTimeout }, 30 * time.Second, 7 * time.Millisecond},
	{"client-send-timeout-ms", "CLIENT_SEND_TIMEOUT_MS", "7", func(c *Proxy) any { return c.ClientSendTimeout }, time.Second, 7 * time.Millisecond},
	{"ring-buffer-capacity", "RING_BUFFER_CAPACITY", "55", func(c *Proxy) any { return c.RingCapacity }, 1024, 55},
	{"redis-url", "REDIS_URL", "redis://h", func(c *Proxy) any { return c.RedisURL }, "", "redis://h"},
	{"redis-key-prefix", "REDIS_KEY_PREFIX", "p", func(c *Proxy) any { return c.RedisPrefix }, "flashblocks", "p"},
	{"log-level", "LOG_LEVEL", "debug", func(c *Proxy) any { return c.LogLevel }, "info", "debug"},
	{"log-format", "LOG_FORMAT", "json", func(c *Proxy) any { return c.LogFormat }, "text", "json"},
	{"global-connections-limit", "GLOBAL_CONNECTIONS_LIMIT", "7", func(c *Proxy) any { return c.InstanceLimit }, 100, 7},
	{"per-ip-connections-limit", "PER_IP_CONNECTIONS_LIMIT", "7", func(c *Proxy) any { return c.PerIPLimit }, 10, 7},
	{"subscriber-max-interval", "SUBSCRIBER_MAX_INTERVAL", "7", func(c *Proxy) any { return c.UpstreamMaxInterval }, 20 * time.Second, 7 * time.Second},
}

func TestProxyFlagsOfBase(t *testing.T) {
	for _, f := range baseFlags {
		cfg, err := applyProxy(t)
		require.NoError(t, err)
		require.Equal(t, f.def, f.get(&cfg), f.name)

		cfg, err = applyProxy(t, "--"+f.name+"="+f.value)
		require.NoError(t, err)
		require.Equal(t, f.want, f.get(&cfg), f.name)

		t.Run(f.env, func(t *testing.T) {
			t.Setenv(f.env, f.value)
			cfg, err := applyProxy(t)
			require.NoError(t, err)
			require.Equal(t, f.want, f.get(&cfg))
		})
	}
}

func TestProxyFlagsTogether(t *testing.T) {
	cfg, err := applyProxy(t, "--global-connections-limit=500", "--instance-connection-limit=50")
	require.NoError(t, err)
	require.Equal(t, 50, cfg.InstanceLimit)
	require.Equal(t, 500, cfg.GlobalLimit)
	cfg, err = applyProxy(t, "--subscriber-max-interval=9", "--subscriber-max-interval-ms=8000")
	require.NoError(t, err)
	require.Equal(t, 8*time.Second, cfg.UpstreamMaxInterval, "the current name wins")
	for _, arg := range []string{"--client-send-timeout-ms=-1", "--ready-max-age-ms=99999999999999", "--subscriber-max-interval=-1"} {
		_, err := applyProxy(t, arg)
		require.ErrorContains(t, err, "out of range", arg)
	}
	cfg = DefaultProxy
	require.Equal(t, 1024, cfg.Ring())
	cfg.MessageBuffer = 5000
	require.Equal(t, 5000, cfg.Ring())
}

func TestProxyCheck(t *testing.T) {
	t.Parallel()
	good := DefaultProxy
	good.Upstreams = []string{"ws://h:1/ws/key", "wss://i"}
	require.NoError(t, good.Check())
	for sentence, change := range map[string]func(*Proxy){
		"--upstream-ws":                func(c *Proxy) { c.Upstreams = nil },
		"upstream 2 must be a URL":     func(c *Proxy) { c.Upstreams[1] = "http://h" },
		"upstream 1 is not a URL":      func(c *Proxy) { c.Upstreams[0] = "ws://" },
		"1 conductors are given":       func(c *Proxy) { c.Conductors = []string{"http://h"} },
		"conductor 1 must":             func(c *Proxy) { c.Conductors = []string{"ws://h", "http://h"} },
		"is not host:port":             func(c *Proxy) { c.ListenAddr = "8545" },
		"no TCP port":                  func(c *Proxy) { c.MetricsAddr = "h:http" },
		"pprof address":                func(c *Proxy) { c.Pprof, c.PprofAddr = true, "h:70000" },
		"per-IP connection limit -1":   func(c *Proxy) { c.PerIPLimit = -1 },
		"message buffer size 0":        func(c *Proxy) { c.MessageBuffer = 0 },
		"send timeout 0s":              func(c *Proxy) { c.ClientSendTimeout = 0 },
		"longer than the ping":         func(c *Proxy) { c.ClientPing, c.ClientPongTimeout = true, time.Second },
		"both a certificate and":       func(c *Proxy) { c.TLSCert = "x" },
		"give one of them":             func(c *Proxy) { c.APIKeys, c.APIKeysFile = "a:b", "f" },
		"public access is for":         func(c *Proxy) { c.PublicAccess = true },
		`log format "xml"`:             func(c *Proxy) { c.LogFormat = "xml" },
		"cannot be text frames":        func(c *Proxy) { c.Compression, c.TextFrames = true, true },
		"header limit 10 is too small": func(c *Proxy) { c.HeaderBytes = 10 },
	} {
		bad := good
		bad.Upstreams = append([]string(nil), good.Upstreams...)
		change(&bad)
		require.ErrorContains(t, bad.Check(), sentence)
		require.NotContains(t, bad.Check().Error(), "/ws/key", "no secret in an error")
	}
	bad := good
	bad.MetricsAddr = "nonsense"
	bad.Metrics = false
	require.NoError(t, bad.Check(), "what is not used is not checked")
}
