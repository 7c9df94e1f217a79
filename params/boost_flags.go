// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package params

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// Groups of --help.
const (
	boostBackends  = "BACKENDS"
	boostBehaviour = "BEHAVIOUR"
	boostServers   = "SERVERS"
	boostStream    = "FLASHBLOCKS"
	boostLogs      = "LOGS AND TELEMETRY"
)

// boostFlag is one flag of flashboost. Its environment name is its name in upper case, with underscores,
// as in rollup-boost.
type boostFlag struct {
	name  string
	group string
	usage string
	dst   func(*Boost) any // *string, *bool, *int, *ExecutionMode, *map[string]time.Duration, or a unit with a *time.Duration
}

// inMillis and inSeconds are the units of durations.
type (
	inMillis  struct{ *time.Duration }
	inSeconds struct{ *time.Duration }
)

// boostFlags are all flags. Defaults are those of DefaultBoost.
var boostFlags = []boostFlag{
	{"l2-url", boostBackends, "Engine API of the local execution layer, http or https", func(c *Boost) any { return &c.L2.URL }},
	{"l2-jwt-token", boostBackends, "Its JWT secret in hex; wins over --l2-jwt-path, and shows in the list of processes", func(c *Boost) any { return &c.L2.JWTToken }},
	{"l2-jwt-path", boostBackends, "File with its JWT secret in hex", func(c *Boost) any { return &c.L2.JWTPath }},
	{"l2-timeout", boostBackends, "Milliseconds for a call to it; if given, for every method that --l2-method-timeouts does not name", func(c *Boost) any { return inMillis{&c.L2.Timeout} }},
	{"l2-method-timeouts", boostBackends, "Other limits, as method=milliseconds separated by commas; the beginning of a method's name will do", func(c *Boost) any { return &c.L2.MethodTimeouts }},
	{"builder-url", boostBackends, "Engine API of the builder, http or https; " + defaultEngineURL + " if only its secret is given. Without both there is no builder", func(c *Boost) any { return &c.Builder.URL }},
	{"builder-jwt-token", boostBackends, "Its JWT secret in hex; wins over --builder-jwt-path, and shows in the list of processes", func(c *Boost) any { return &c.Builder.JWTToken }},
	{"builder-jwt-path", boostBackends, "File with its JWT secret in hex", func(c *Boost) any { return &c.Builder.JWTPath }},
	{"builder-timeout", boostBackends, "Milliseconds for a call to it", func(c *Boost) any { return inMillis{&c.Builder.Timeout} }},
	{"builder-method-timeouts", boostBackends, "Other limits, as method=milliseconds separated by commas", func(c *Boost) any { return &c.Builder.MethodTimeouts }},

	{"execution-mode", boostBehaviour, "enabled, dry-run (builder blocks are checked, local ones returned) or disabled; debug_setExecutionMode changes it", func(c *Boost) any { return &c.Mode }},
	{"block-selection-policy", boostBehaviour, "gas-used: return the local block when the builder's has less than a tenth of its gas; none when empty", func(c *Boost) any { return &c.Selection }},
	{"external-state-root", boostBehaviour, "Let the local execution layer compute the roots of the builder's blocks", func(c *Boost) any { return &c.ExternalStateRoot }},
	{"ignore-unhealthy-builders", boostBehaviour, "Ask a builder that is not healthy for no block; it is kept in sync and asked again when it has recovered", func(c *Boost) any { return &c.IgnoreUnhealthyBuilders }},
	{"health-check-interval", boostBehaviour, "Seconds between two looks at a healthy backend's latest block; an unhealthy one is asked every second", func(c *Boost) any { return inSeconds{&c.HealthInterval} }},
	{"max-unsafe-interval", boostBehaviour, "Greatest age in seconds of a backend's latest block", func(c *Boost) any { return inSeconds{&c.MaxUnsafeInterval} }},
	{"health-builder-failures", boostBehaviour, "Blocks in a row that the builder must fail to deliver before the health is 206", func(c *Boost) any { return &c.HealthBuilderFailures }},

	{"rpc-host", boostServers, "Address or name that op-node connects to", func(c *Boost) any { return &c.RPCHost }},
	{"rpc-port", boostServers, "Port that op-node connects to, with /healthz", func(c *Boost) any { return &c.RPCPort }},
	{"rpc-jwt-token", boostServers, "JWT secret in hex that callers must know; without it and --rpc-jwt-path everybody is served", func(c *Boost) any { return &c.RPCJWTToken }},
	{"rpc-jwt-path", boostServers, "File with the JWT secret that callers must know", func(c *Boost) any { return &c.RPCJWTPath }},
	{"max-body-bytes", boostServers, "Longest request; a longer one is answered with 413", func(c *Boost) any { return &c.MaxBodyBytes }},
	{"max-reply-bytes", boostServers, "Longest answer of a backend", func(c *Boost) any { return &c.MaxReplyBytes }},
	{"shutdown-timeout-ms", boostServers, "Milliseconds for calls in progress and for subscribers when the process stops", func(c *Boost) any { return inMillis{&c.DrainTimeout} }},
	{"health-json", boostServers, "Answer /healthz with 200 and JSON, for op-conductor's next form; /healthz/json has it always", func(c *Boost) any { return &c.HealthJSON }},
	{"debug-host", boostServers, "Address or name of the debug API, which has no authentication", func(c *Boost) any { return &c.DebugHost }},
	{"debug-server-port", boostServers, "Port of the debug API", func(c *Boost) any { return &c.DebugPort }},
	{"metrics", boostServers, "Serve Prometheus metrics", func(c *Boost) any { return &c.Metrics }},
	{"metrics-host", boostServers, "Address or name of the metrics", func(c *Boost) any { return &c.MetricsHost }},
	{"metrics-port", boostServers, "Port of the metrics", func(c *Boost) any { return &c.MetricsPort }},
	{"pprof", boostServers, "Serve profiles under /debug/pprof/", func(c *Boost) any { return &c.Pprof }},
	{"pprof-addr", boostServers, "Address and port of the profiles", func(c *Boost) any { return &c.PprofAddr }},

	{"flashblocks", boostStream, "Take flashblocks from the builder and stream them to subscribers", func(c *Boost) any { return &c.Flashblocks.Enabled }},
	{"flashblocks-builder-url", boostStream, "The builder's stream, ws or wss", func(c *Boost) any { return &c.Flashblocks.BuilderURL }},
	{"flashblocks-host", boostStream, "Address or name that subscribers connect to", func(c *Boost) any { return &c.Flashblocks.Host }},
	{"flashblocks-port", boostStream, "Port that subscribers connect to", func(c *Boost) any { return &c.Flashblocks.Port }},
	{"flashblocks-subscriber-limit", boostStream, "Most subscribers; more are closed with code 1013", func(c *Boost) any { return &c.Flashblocks.SubscriberLimit }},
	{"flashblocks-max-message-bytes", boostStream, "Longest flashblock", func(c *Boost) any { return &c.Flashblocks.MaxMessageBytes }},
	{"flashblock-builder-ws-initial-reconnect-ms", boostStream, "Milliseconds before the builder's stream is first dialled again", func(c *Boost) any { return inMillis{&c.Flashblocks.BackoffMin} }},
	{"flashblock-builder-ws-max-reconnect-ms", boostStream, "Longest pause between two attempts, in milliseconds", func(c *Boost) any { return inMillis{&c.Flashblocks.BackoffMax} }},
	{"flashblock-builder-ws-connect-timeout-ms", boostStream, "Milliseconds for a connection to the builder's stream", func(c *Boost) any { return inMillis{&c.Flashblocks.ConnectTimeout} }},
	{"flashblock-builder-ws-ping-interval-ms", boostStream, "Milliseconds between two pings to the builder's stream", func(c *Boost) any { return inMillis{&c.Flashblocks.PingInterval} }},
	{"flashblock-builder-ws-pong-timeout-ms", boostStream, "Milliseconds without a sign of life after which the builder's stream is dialled again", func(c *Boost) any { return inMillis{&c.Flashblocks.PongTimeout} }},

	{"tracing", boostLogs, "Accepted, and answered with a line in the log: all metrics are there without it, and no spans are exported", func(c *Boost) any { return &c.Tracing }},
	{"otlp-endpoint", boostLogs, "Accepted as --tracing is", func(c *Boost) any { return &c.OTLPEndpoint }},
	{"log-level", boostLogs, "Least level to log: trace, debug, info, warn, error", func(c *Boost) any { return &c.LogLevel }},
	{"log-format", boostLogs, "Format of the log: text or json", func(c *Boost) any { return &c.LogFormat }},
	{"log-file", boostLogs, "File to append the log to instead of stdout", func(c *Boost) any { return &c.LogFile }},
}

// boostP2PFlags are rollup-boost's flags of the mode that is not here.
var boostP2PFlags = []string{"flashblocks-p2p", "flashblocks-authorizer-sk", "flashblocks-builder-vk"}

// BoostFlags returns the flags that ApplyFlags reads. Every call returns new ones, because urfave/cli
// writes what it finds in the environment into them.
func BoostFlags() []cli.Flag {
	defaults := DefaultBoost
	out := make([]cli.Flag, 0, len(boostFlags)+len(boostP2PFlags))
	for _, f := range boostFlags {
		env := []string{boostEnv(f.name)}
		number := func(n int64) cli.Flag {
			return &cli.Int64Flag{Name: f.name, EnvVars: env, Usage: f.usage, Category: f.group, Value: n}
		}
		text := func(s string) cli.Flag {
			return &cli.StringFlag{Name: f.name, EnvVars: env, Usage: f.usage, Category: f.group, Value: s}
		}
		switch dst := f.dst(&defaults).(type) {
		case *string:
			out = append(out, text(*dst))
		case *ExecutionMode:
			out = append(out, text(strings.ReplaceAll(dst.String(), "_", "-")))
		case *map[string]time.Duration:
			out = append(out, text(formatTimeouts(*dst)))
		case *bool:
			out = append(out, &cli.BoolFlag{Name: f.name, EnvVars: env, Usage: f.usage, Category: f.group, Value: *dst})
		case *int:
			out = append(out, number(int64(*dst)))
		case inMillis:
			out = append(out, number(dst.Milliseconds()))
		case inSeconds:
			out = append(out, number(int64(*dst.Duration/time.Second)))
		}
	}
	for i, name := range boostP2PFlags {
		env := []string{boostEnv(name)}
		if i == 0 {
			out = append(out, &cli.BoolFlag{Name: name, EnvVars: env, Hidden: true})
			continue
		}
		out = append(out, &cli.StringFlag{Name: name, EnvVars: env, Hidden: true})
	}
	return out
}

// boostEnv is the environment name of a flag.
func boostEnv(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// ApplyFlags overwrites in c what was given on the command line or in the environment, where an empty
// text is nothing given. It reports what no value can be made of; everything else is for Check.
func (c *Boost) ApplyFlags(ctx *cli.Context) error {
	for _, name := range boostP2PFlags {
		if v := ctx.String(name); v != "" && v != "false" {
			return errP2P
		}
	}
	for _, f := range boostFlags {
		if !ctx.IsSet(f.name) {
			continue
		}
		if err := f.apply(ctx, c); err != nil {
			return fmt.Errorf("--%s: %w", f.name, err)
		}
	}
	if ctx.IsSet("l2-timeout") && !ctx.IsSet("l2-method-timeouts") {
		c.L2.MethodTimeouts = nil // as in rollup-boost: one limit for all
	}
	if c.Builder.URL == "" && (c.Builder.JWTToken != "" || c.Builder.JWTPath != "") {
		c.Builder.URL = defaultEngineURL
	}
	c.L2.URL = withScheme(c.L2.URL, "http")
	c.Builder.URL = withScheme(c.Builder.URL, "http")
	c.Flashblocks.BuilderURL = withScheme(c.Flashblocks.BuilderURL, "ws")
	return nil
}

// apply reads one flag.
func (f *boostFlag) apply(ctx *cli.Context, c *Boost) error {
	switch dst := f.dst(c).(type) {
	case *bool:
		*dst = ctx.Bool(f.name)
		return nil
	case *int:
		*dst = int(ctx.Int64(f.name))
		return nil
	case inMillis:
		return setDuration(dst.Duration, ctx.Int64(f.name), time.Millisecond)
	case inSeconds:
		return setDuration(dst.Duration, ctx.Int64(f.name), time.Second)
	}
	given := strings.TrimSpace(ctx.String(f.name))
	if given == "" {
		return nil
	}
	var err error
	switch dst := f.dst(c).(type) {
	case *string:
		*dst = given
	case *ExecutionMode:
		*dst, err = ParseExecutionMode(given)
	case *map[string]time.Duration:
		*dst, err = parseTimeouts(given)
	}
	return err
}

// setDuration sets dst to n units, if that is a time anybody would wait for.
func setDuration(dst *time.Duration, n int64, unit time.Duration) error {
	if most := maxMillis / int64(unit/time.Millisecond); n < 0 || n > most {
		return fmt.Errorf("%d is out of range: from 0 to %d", n, most)
	}
	*dst = time.Duration(n) * unit
	return nil
}

// formatTimeouts is what parseTimeouts reads.
func formatTimeouts(timeouts map[string]time.Duration) string {
	entries := make([]string, 0, len(timeouts))
	for _, method := range slices.Sorted(maps.Keys(timeouts)) {
		entries = append(entries, fmt.Sprintf("%s=%d", method, timeouts[method].Milliseconds()))
	}
	return strings.Join(entries, ",")
}

// parseTimeouts reads method=milliseconds pairs separated by commas.
func parseTimeouts(list string) (map[string]time.Duration, error) {
	out := make(map[string]time.Duration)
	for _, entry := range splitList(list) {
		method, ms, ok := strings.Cut(entry, "=")
		method = strings.TrimSpace(method)
		n, err := strconv.ParseInt(strings.TrimSpace(ms), 10, 64)
		if !ok || method == "" || err != nil {
			return nil, fmt.Errorf("%q is not method=milliseconds", entry)
		}
		var timeout time.Duration
		if err := setDuration(&timeout, n, time.Millisecond); err != nil {
			return nil, fmt.Errorf("%s: %w", method, err)
		}
		out[method] = timeout
	}
	return out, nil
}
