// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package params

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// proxyFlag is one flag of flashproxy. Its environment name is its name in upper case, with
// underscores, as in Base's websocket-proxy.
type proxyFlag struct {
	name    string
	aliases []string
	usage   string
	dst     func(*Proxy) any // *string, *[]string, *bool, *int, or *time.Duration for milliseconds
}

// proxyFlags are all flags but the one below. Defaults are those of DefaultProxy.
var proxyFlags = []proxyFlag{
	{"listen-addr", nil, "Address and port that clients connect to", func(c *Proxy) any { return &c.ListenAddr }},
	{"upstream-ws", nil, "Websocket URLs of the streams to follow, separated by commas; the first to bring a flashblock wins", func(c *Proxy) any { return &c.Upstreams }},
	{"upstream-conductor-rpc", nil, "JSON-RPC URLs of the upstreams' op-conductors, in the same order: then only the leader is listened to, while one is known", func(c *Proxy) any { return &c.Conductors }},
	{"message-buffer-size", nil, "Messages a client that had caught up may be behind for a second and longer; then it is closed with 1013", func(c *Proxy) any { return &c.MessageBuffer }},
	{"ring-buffer-capacity", nil, "Messages kept for clients that come back", func(c *Proxy) any { return &c.RingCapacity }},
	{"ring-buffer-bytes", nil, "Most bytes of messages kept", func(c *Proxy) any { return &c.RingBytes }},
	{"client-send-buffer", nil, "Bytes the kernel keeps for a client that does not read; 0 for its own choice, up to several MiB", func(c *Proxy) any { return &c.SendBuffer }},
	{"instance-connection-limit", nil, "Most connections of this process; 0 for any number", func(c *Proxy) any { return &c.InstanceLimit }},
	{"global-connections-limit", nil, "Most connections of all processes that share a Redis; 0 for any number. Without --instance-connection-limit it counts for that too", func(c *Proxy) any { return &c.GlobalLimit }},
	{"per-ip-connection-limit", []string{"per-ip-connections-limit"}, "Most connections of one IPv4 address or IPv6 /64; 0 for any number", func(c *Proxy) any { return &c.PerIPLimit }},
	{"enable-compression", nil, "Send brotli, in binary frames", func(c *Proxy) any { return &c.Compression }},
	{"text-frames", nil, "Send JSON in text frames instead of binary ones; clients choose with ?format=", func(c *Proxy) any { return &c.TextFrames }},
	{"permessage-deflate", nil, "Offer permessage-deflate to clients that ask for it", func(c *Proxy) any { return &c.Deflate }},
	{"ip-addr-http-header", nil, "Header with the client's address, believed from trusted proxies only", func(c *Proxy) any { return &c.IPHeader }},
	{"trusted-proxy-cidrs", nil, "Networks of the reverse proxies in front, separated by commas; without them the header is ignored", func(c *Proxy) any { return &c.TrustedProxies }},
	{"api-keys", nil, "API keys as app:key or app:key:limit, separated by commas", func(c *Proxy) any { return &c.APIKeys }},
	{"api-keys-file", nil, "File with the API keys, so that they do not show in the list of processes", func(c *Proxy) any { return &c.APIKeysFile }},
	{"public-access-enabled", nil, "Also serve clients without a key when keys are configured", func(c *Proxy) any { return &c.PublicAccess }},
	{"allowed-origins", nil, "Origins of browsers to admit, separated by commas; all when empty", func(c *Proxy) any { return &c.Origins }},
	{"redis-url", nil, "Redis that several instances count connections in, for example redis://127.0.0.1:6379", func(c *Proxy) any { return &c.RedisURL }},
	{"redis-key-prefix", nil, "First part of the keys in Redis", func(c *Proxy) any { return &c.RedisPrefix }},
	{"upstream-notices", nil, "Follow /v0 of the upstreams for sealed and reorg notices, where they have it", func(c *Proxy) any { return &c.UpstreamNotices }},
	{"upstream-backfill", nil, "Ask the upstream for all it has kept when starting, so that clients can resume across a restart", func(c *Proxy) any { return &c.Backfill }},
	{"metrics", nil, "Serve Prometheus metrics", func(c *Proxy) any { return &c.Metrics }},
	{"metrics-addr", nil, "Address and port of the metrics", func(c *Proxy) any { return &c.MetricsAddr }},
	{"metrics-global-labels", nil, "Labels on every metric, as name=value separated by commas", func(c *Proxy) any { return &c.MetricsLabels }},
	{"metrics-host-label", nil, "Put the host name on every metric as label hostname", func(c *Proxy) any { return &c.MetricsHost }},
	{"pprof", nil, "Serve profiles under /debug/pprof/", func(c *Proxy) any { return &c.Pprof }},
	{"pprof-addr", nil, "Address and port of the profiles", func(c *Proxy) any { return &c.PprofAddr }},
	{"log-level", nil, "Least level to log: trace, debug, info, warn, error", func(c *Proxy) any { return &c.LogLevel }},
	{"log-format", nil, "Format of the log: text or json", func(c *Proxy) any { return &c.LogFormat }},
	{"subscriber-max-interval-ms", nil, "Longest pause before an upstream is tried again, in milliseconds", func(c *Proxy) any { return &c.UpstreamMaxInterval }},
	{"subscriber-ping-interval-ms", nil, "Milliseconds between two pings to an upstream", func(c *Proxy) any { return &c.UpstreamPing }},
	{"subscriber-pong-timeout-ms", nil, "Milliseconds after which an upstream that does not answer is left", func(c *Proxy) any { return &c.UpstreamPong }},
	{"client-ping-enabled", nil, "Ping clients and drop those that do not answer", func(c *Proxy) any { return &c.ClientPing }},
	{"client-ping-interval-ms", nil, "Milliseconds between two pings to a client", func(c *Proxy) any { return &c.ClientPingInterval }},
	{"client-pong-timeout-ms", nil, "Milliseconds of silence after which a client is dropped", func(c *Proxy) any { return &c.ClientPongTimeout }},
	{"client-send-timeout-ms", nil, "Milliseconds a client may take for one message", func(c *Proxy) any { return &c.ClientSendTimeout }},
	{"conductor-poll-interval-ms", nil, "Milliseconds between two questions to a conductor", func(c *Proxy) any { return &c.ConductorPoll }},
	{"ready-max-age-ms", nil, "Age of the newest message in milliseconds at which /readyz turns red", func(c *Proxy) any { return &c.ReadyMaxAge }},
	{"shutdown-timeout-ms", nil, "Milliseconds that clients have to take the last messages when the proxy stops", func(c *Proxy) any { return &c.DrainTimeout }},
	{"tls-cert", nil, "File with the TLS certificate chain, PEM", func(c *Proxy) any { return &c.TLSCert }},
	{"tls-key", nil, "File with the key of the certificate, PEM", func(c *Proxy) any { return &c.TLSKey }},
	{"handshake-timeout-ms", nil, "Milliseconds for a whole handshake, TLS included", func(c *Proxy) any { return &c.HandshakeTimeout }},
	{"handshake-limit", nil, "Most connections in the handshake at a time", func(c *Proxy) any { return &c.Handshakes }},
	{"max-header-bytes", nil, "Longest request header in bytes", func(c *Proxy) any { return &c.HeaderBytes }},
}

// proxyMaxIntervalFlag is the oldest name of --subscriber-max-interval-ms, in seconds.
const proxyMaxIntervalFlag = "subscriber-max-interval"

// proxyEnv is the environment name of a flag.
func proxyEnv(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// ProxyFlags returns the flags that ApplyFlags reads. Every call returns new ones, because urfave/cli
// writes what it finds in the environment into them.
func ProxyFlags() []cli.Flag {
	defaults := DefaultProxy
	var out []cli.Flag
	for _, f := range proxyFlags {
		env := []string{proxyEnv(f.name)}
		for _, alias := range f.aliases {
			env = append(env, proxyEnv(alias))
		}
		switch dst := f.dst(&defaults).(type) {
		case *string:
			out = append(out, &cli.StringFlag{Name: f.name, Aliases: f.aliases, EnvVars: env, Usage: f.usage, Value: *dst})
		case *[]string:
			out = append(out, &cli.StringFlag{Name: f.name, Aliases: f.aliases, EnvVars: env, Usage: f.usage, Value: strings.Join(*dst, ",")})
		case *bool:
			out = append(out, &cli.BoolFlag{Name: f.name, Aliases: f.aliases, EnvVars: env, Usage: f.usage, Value: *dst})
		case *int:
			out = append(out, &cli.IntFlag{Name: f.name, Aliases: f.aliases, EnvVars: env, Usage: f.usage, Value: *dst})
		case *time.Duration:
			out = append(out, &cli.Int64Flag{Name: f.name, Aliases: f.aliases, EnvVars: env, Usage: f.usage, Value: dst.Milliseconds()})
		}
	}
	return append(out, &cli.Int64Flag{
		Name:    proxyMaxIntervalFlag,
		EnvVars: []string{proxyEnv(proxyMaxIntervalFlag)},
		Usage:   "Older name of --subscriber-max-interval-ms, in seconds",
		Hidden:  true,
	})
}

// ApplyFlags overwrites in c what was given on the command line or in the environment. It reports a
// number of milliseconds that is out of range; everything else is for Check.
func (c *Proxy) ApplyFlags(ctx *cli.Context) error {
	if ctx.IsSet(proxyMaxIntervalFlag) {
		seconds := ctx.Int64(proxyMaxIntervalFlag)
		if seconds > maxMillis/1000 || seconds < 0 {
			return fmt.Errorf("--%s %d is out of range", proxyMaxIntervalFlag, seconds)
		}
		c.UpstreamMaxInterval = time.Duration(seconds) * time.Second
	}
	for _, f := range proxyFlags {
		if !ctx.IsSet(f.name) {
			continue
		}
		switch dst := f.dst(c).(type) {
		case *string:
			*dst = ctx.String(f.name)
		case *[]string:
			*dst = splitList(ctx.String(f.name))
		case *bool:
			*dst = ctx.Bool(f.name)
		case *int:
			*dst = ctx.Int(f.name)
		case *time.Duration:
			ms := ctx.Int64(f.name)
			if ms > maxMillis || ms < 0 {
				return fmt.Errorf("--%s %d is out of range: at most %d milliseconds", f.name, ms, maxMillis)
			}
			*dst = time.Duration(ms) * time.Millisecond
		}
	}
	if ctx.IsSet("global-connections-limit") && !ctx.IsSet("instance-connection-limit") {
		c.InstanceLimit = c.GlobalLimit
	}
	return nil
}

// splitList splits a comma list, leaving out blanks and empty entries.
func splitList(list string) (out []string) {
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			out = append(out, entry)
		}
	}
	return out
}
