// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package params

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"
)

// applyBoost runs a command line over the defaults.
func applyBoost(t *testing.T, args ...string) (Boost, error) {
	t.Helper()
	cfg := DefaultBoost
	cfg.L2.MethodTimeouts = maps.Clone(cfg.L2.MethodTimeouts)
	var applyErr error
	app := &cli.App{Flags: BoostFlags(), Action: func(ctx *cli.Context) error {
		applyErr = cfg.ApplyFlags(ctx)
		return nil
	}}
	require.NoError(t, app.Run(append([]string{"test"}, args...)))
	return cfg, applyErr
}

// boostCase is one flag of flashboost: its environment name, its default, and what it is set to here.
type boostCase struct {
	name, env, value string
	get              func(*Boost) any
	def, want        any
}

// rollupBoostFlags are the flags of rollup-boost, with the values its own reference gives as defaults.
var rollupBoostFlags = []boostCase{
	{"l2-url", "L2_URL", "https://h:1", func(c *Boost) any { return c.L2.URL }, "http://127.0.0.1:8551", "https://h:1"},
	{"l2-jwt-token", "L2_JWT_TOKEN", "ab", func(c *Boost) any { return c.L2.JWTToken }, "", "ab"},
	{"l2-jwt-path", "L2_JWT_PATH", "/f", func(c *Boost) any { return c.L2.JWTPath }, "", "/f"},
	{"l2-timeout", "L2_TIMEOUT", "7", func(c *Boost) any { return c.L2.Timeout }, time.Second, 7 * time.Millisecond},
	{"builder-url", "BUILDER_URL", "10.0.0.1:8551", func(c *Boost) any { return c.Builder.URL }, "", "http://10.0.0.1:8551"},
	{"builder-jwt-token", "BUILDER_JWT_TOKEN", "ab", func(c *Boost) any { return c.Builder.JWTToken }, "", "ab"},
	{"builder-jwt-path", "BUILDER_JWT_PATH", "/f", func(c *Boost) any { return c.Builder.JWTPath }, "", "/f"},
	{"builder-timeout", "BUILDER_TIMEOUT", "7", func(c *Boost) any { return c.Builder.Timeout }, time.Second, 7 * time.Millisecond},
	{"execution-mode", "EXECUTION_MODE", "dry-run", func(c *Boost) any { return c.Mode }, ModeEnabled, ModeDryRun},
	{"block-selection-policy", "BLOCK_SELECTION_POLICY", "gas-used", func(c *Boost) any { return c.Selection }, "", SelectGasUsed},
	{"external-state-root", "EXTERNAL_STATE_ROOT", "true", func(c *Boost) any { return c.ExternalStateRoot }, false, true},
	{"ignore-unhealthy-builders", "IGNORE_UNHEALTHY_BUILDERS", "true", func(c *Boost) any { return c.IgnoreUnhealthyBuilders }, false, true},
	{"health-check-interval", "HEALTH_CHECK_INTERVAL", "7", func(c *Boost) any { return c.HealthInterval }, time.Minute, 7 * time.Second},
	{"max-unsafe-interval", "MAX_UNSAFE_INTERVAL", "7", func(c *Boost) any { return c.MaxUnsafeInterval }, 10 * time.Second, 7 * time.Second},
	{"rpc-host", "RPC_HOST", "::1", func(c *Boost) any { return c.RPCAddr() }, "127.0.0.1:8081", "[::1]:8081"},
	{"rpc-port", "RPC_PORT", "7", func(c *Boost) any { return c.RPCAddr() }, "127.0.0.1:8081", "127.0.0.1:7"},
	{"debug-host", "DEBUG_HOST", "localhost", func(c *Boost) any { return c.DebugAddr() }, "127.0.0.1:5555", "localhost:5555"},
	{"debug-server-port", "DEBUG_SERVER_PORT", "7", func(c *Boost) any { return c.DebugAddr() }, "127.0.0.1:5555", "127.0.0.1:7"},
	{"metrics", "METRICS", "true", func(c *Boost) any { return c.Metrics }, false, true},
	{"metrics-host", "METRICS_HOST", "[::]", func(c *Boost) any { return c.MetricsAddr() }, "127.0.0.1:9090", "[::]:9090"},
	{"metrics-port", "METRICS_PORT", "7", func(c *Boost) any { return c.MetricsAddr() }, "127.0.0.1:9090", "127.0.0.1:7"},
	{"tracing", "TRACING", "true", func(c *Boost) any { return c.Tracing }, false, true},
	{"otlp-endpoint", "OTLP_ENDPOINT", "http://h", func(c *Boost) any { return c.OTLPEndpoint }, "http://localhost:4317", "http://h"},
	{"log-level", "LOG_LEVEL", "debug", func(c *Boost) any { return c.LogLevel }, "info", "debug"},
	{"log-format", "LOG_FORMAT", "json", func(c *Boost) any { return c.LogFormat }, "text", "json"},
	{"log-file", "LOG_FILE", "/f", func(c *Boost) any { return c.LogFile }, "", "/f"},
	{"flashblocks", "FLASHBLOCKS", "true", func(c *Boost) any { return c.Flashblocks.Enabled }, false, true},
	{"flashblocks-builder-url", "FLASHBLOCKS_BUILDER_URL", "wss://h", func(c *Boost) any { return c.Flashblocks.BuilderURL }, "ws://127.0.0.1:1111", "wss://h"},
	{"flashblocks-host", "FLASHBLOCKS_HOST", "0.0.0.0", func(c *Boost) any { return c.Flashblocks.Addr() }, "127.0.0.1:1112", "0.0.0.0:1112"},
	{"flashblocks-port", "FLASHBLOCKS_PORT", "7", func(c *Boost) any { return c.Flashblocks.Addr() }, "127.0.0.1:1112", "127.0.0.1:7"},
	{"flashblock-builder-ws-initial-reconnect-ms", "FLASHBLOCK_BUILDER_WS_INITIAL_RECONNECT_MS", "7", func(c *Boost) any { return c.Flashblocks.BackoffMin }, 10 * time.Millisecond, 7 * time.Millisecond},
	{"flashblock-builder-ws-max-reconnect-ms", "FLASHBLOCK_BUILDER_WS_MAX_RECONNECT_MS", "7", func(c *Boost) any { return c.Flashblocks.BackoffMax }, 5 * time.Second, 7 * time.Millisecond},
	{"flashblock-builder-ws-connect-timeout-ms", "FLASHBLOCK_BUILDER_WS_CONNECT_TIMEOUT_MS", "7", func(c *Boost) any { return c.Flashblocks.ConnectTimeout }, 5 * time.Second, 7 * time.Millisecond},
	{"flashblock-builder-ws-ping-interval-ms", "FLASHBLOCK_BUILDER_WS_PING_INTERVAL_MS", "7", func(c *Boost) any { return c.Flashblocks.PingInterval }, 500 * time.Millisecond, 7 * time.Millisecond},
	{"flashblock-builder-ws-pong-timeout-ms", "FLASHBLOCK_BUILDER_WS_PONG_TIMEOUT_MS", "7", func(c *Boost) any { return c.Flashblocks.PongTimeout }, 1500 * time.Millisecond, 7 * time.Millisecond},
}

// ownBoostFlags are those that rollup-boost does not have.
var ownBoostFlags = []boostCase{
	{"l2-method-timeouts", "L2_METHOD_TIMEOUTS", "engine_getPayload=300, eth_=9000", func(c *Boost) any { return c.L2.MethodTimeouts }, DefaultBoost.L2.MethodTimeouts, map[string]time.Duration{"engine_getPayload": 300 * time.Millisecond, "eth_": 9 * time.Second}},
	{"builder-method-timeouts", "BUILDER_METHOD_TIMEOUTS", "engine_getPayload=300", func(c *Boost) any { return c.Builder.MethodTimeouts }, map[string]time.Duration(nil), map[string]time.Duration{"engine_getPayload": 300 * time.Millisecond}},
	{"health-builder-failures", "HEALTH_BUILDER_FAILURES", "7", func(c *Boost) any { return c.HealthBuilderFailures }, 2, 7},
	{"health-json", "HEALTH_JSON", "true", func(c *Boost) any { return c.HealthJSON }, false, true},
	{"rpc-jwt-token", "RPC_JWT_TOKEN", "ab", func(c *Boost) any { return c.RPCJWTToken }, "", "ab"},
	{"rpc-jwt-path", "RPC_JWT_PATH", "/f", func(c *Boost) any { return c.RPCJWTPath }, "", "/f"},
	{"max-body-bytes", "MAX_BODY_BYTES", "7", func(c *Boost) any { return c.MaxBodyBytes }, 32 << 20, 7},
	{"max-reply-bytes", "MAX_REPLY_BYTES", "7", func(c *Boost) any { return c.MaxReplyBytes }, 128 << 20, 7},
	{"shutdown-timeout-ms", "SHUTDOWN_TIMEOUT_MS", "7", func(c *Boost) any { return c.DrainTimeout }, 5 * time.Second, 7 * time.Millisecond},
	{"pprof", "PPROF", "true", func(c *Boost) any { return c.Pprof }, false, true},
	{"pprof-addr", "PPROF_ADDR", "h:7", func(c *Boost) any { return c.PprofAddr }, "127.0.0.1:6060", "h:7"},
	{"flashblocks-subscriber-limit", "FLASHBLOCKS_SUBSCRIBER_LIMIT", "7", func(c *Boost) any { return c.Flashblocks.SubscriberLimit }, 256, 7},
	{"flashblocks-max-message-bytes", "FLASHBLOCKS_MAX_MESSAGE_BYTES", "7", func(c *Boost) any { return c.Flashblocks.MaxMessageBytes }, 64 << 20, 7},
}

// TestBoostFlags pins every name, environment name, unit and default, on the command line, in the
// environment and absent.
func TestBoostFlags(t *testing.T) {
	cases := append(append([]boostCase(nil), rollupBoostFlags...), ownBoostFlags...)
	require.Len(t, boostFlags, len(cases), "a flag is not covered")
	for _, f := range cases {
		cfg, err := applyBoost(t)
		require.NoError(t, err)
		require.Equal(t, f.def, f.get(&cfg), f.name)

		args := []string{"--" + f.name, f.value}
		if f.value == "true" {
			args = args[:1] // on the command line, presence is enough
		}
		cfg, err = applyBoost(t, args...)
		require.NoError(t, err)
		require.Equal(t, f.want, f.get(&cfg), f.name)

		t.Run(f.env, func(t *testing.T) {
			t.Setenv(f.env, f.value)
			cfg, err := applyBoost(t)
			require.NoError(t, err)
			require.Equal(t, f.want, f.get(&cfg))
			t.Setenv(f.env, "")
			cfg, err = applyBoost(t)
			require.NoError(t, err)
			require.Equal(t, f.def, f.get(&cfg), "empty in the environment is not given")
		})
	}
}

// TestBoostBooleansInTheEnvironment: presence counts on the command line only.
func TestBoostBooleansInTheEnvironment(t *testing.T) {
	t.Setenv("FLASHBLOCKS", "false")
	t.Setenv("METRICS", "true")
	cfg, err := applyBoost(t)
	require.NoError(t, err)
	require.False(t, cfg.Flashblocks.Enabled)
	require.True(t, cfg.Metrics)
	t.Setenv("METRICS", "yes")
	app := &cli.App{Flags: BoostFlags()}
	require.ErrorContains(t, app.Run([]string{"test"}), "yes")
}

// TestBoostFlagDefaults compares what --help shows with what an absent flag does.
func TestBoostFlagDefaults(t *testing.T) {
	shown := DefaultBoost
	app := &cli.App{Flags: BoostFlags(), Action: func(ctx *cli.Context) error {
		for _, f := range boostFlags {
			if err := ctx.Set(f.name, ctx.String(f.name)); err != nil {
				return err
			}
		}
		return shown.ApplyFlags(ctx)
	}}
	require.NoError(t, app.Run([]string{"test"}))
	absent, err := applyBoost(t)
	require.NoError(t, err)
	require.Equal(t, absent, shown)
}

func TestBoostBuilderIsOptional(t *testing.T) {
	secret := strings.Repeat("ab", 32)
	for name, tc := range map[string]struct {
		args []string
		url  string
		want string // part of the error of Secrets
	}{
		"neither URL nor secret": {nil, "", ""},
		"a secret alone":         {[]string{"--builder-jwt-token", secret}, "http://127.0.0.1:8551", ""},
		"a path alone":           {[]string{"--builder-jwt-path", "/nowhere/jwt"}, "http://127.0.0.1:8551", "--builder-jwt-path"},
		"both":                   {[]string{"--builder-url", "https://b", "--builder-jwt-token", secret}, "https://b", ""},
		"a URL alone":            {[]string{"--builder-url", "https://b"}, "https://b", "the builder has a URL but no JWT secret"},
	} {
		cfg, err := applyBoost(t, append([]string{"--l2-jwt-token", secret}, tc.args...)...)
		require.NoError(t, err, name)
		require.NoError(t, cfg.Check(), name)
		require.Equal(t, tc.url, cfg.Builder.URL, name)
		require.Equal(t, tc.url != "", cfg.HasBuilder(), name)
		_, builder, rpc, err := cfg.Secrets()
		require.Nil(t, rpc, name)
		if tc.want != "" {
			require.ErrorContains(t, err, tc.want, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, tc.url != "", builder != nil, name)
	}
}

func TestBoostSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "jwt.hex")
	require.NoError(t, os.WriteFile(file, []byte("0x"+strings.Repeat("cd", 32)+"\n"), 0o600))
	cfg := DefaultBoost
	_, _, _, err := cfg.Secrets()
	require.ErrorContains(t, err, "Missing Client JWT secret", "operators search for rollup-boost's words")
	require.ErrorContains(t, err, "--l2-jwt-path", "and are told what to do")

	cfg.L2.JWTPath = file
	cfg.RPCJWTPath = file
	l2, builder, rpc, err := cfg.Secrets()
	require.NoError(t, err)
	require.Equal(t, byte(0xcd), l2[31])
	require.Nil(t, builder)
	require.Equal(t, l2, rpc)

	cfg.L2.JWTToken = strings.Repeat("ab", 32)
	l2, _, _, err = cfg.Secrets()
	require.NoError(t, err)
	require.Equal(t, byte(0xab), l2[0], "the token wins")

	for _, bad := range []string{"abcd", strings.Repeat("zz", 32), strings.Repeat("ab", 33)} {
		cfg.L2.JWTToken = bad
		_, _, _, err = cfg.Secrets()
		require.ErrorContains(t, err, "--l2-jwt-token is not 32 bytes in hex")
		require.NotContains(t, err.Error(), bad, "no secret in an error")
	}
}

func TestBoostRefusesP2P(t *testing.T) {
	for _, args := range [][]string{
		{"--flashblocks-p2p"}, {"--flashblocks-authorizer-sk", "ab"}, {"--flashblocks-builder-vk=ab"},
	} {
		_, err := applyBoost(t, args...)
		require.ErrorContains(t, err, "not supported", args)
	}
	for env, value := range map[string]string{"FLASHBLOCKS_P2P": "true", "FLASHBLOCKS_AUTHORIZER_SK": "ab", "FLASHBLOCKS_BUILDER_VK": "ab"} {
		t.Run(env, func(t *testing.T) {
			t.Setenv(env, value)
			_, err := applyBoost(t)
			require.ErrorContains(t, err, "not supported")
		})
	}
	t.Setenv("FLASHBLOCKS_P2P", "false")
	_, err := applyBoost(t)
	require.NoError(t, err, "off is what it is here")
}

func TestBoostFlagsThatNoValueCanBeMadeOf(t *testing.T) {
	for arg, want := range map[string]string{
		"--l2-timeout=-1":                          "--l2-timeout: -1 is out of range",
		"--shutdown-timeout-ms=99999999999999":     "out of range",
		"--health-check-interval=3601":             "from 0 to 3600",
		"--execution-mode=dry":                     "none of enabled, dry-run, disabled",
		"--l2-method-timeouts=engine_getPayload":   "is not method=milliseconds",
		"--l2-method-timeouts=engine_getPayload=x": "is not method=milliseconds",
		"--builder-method-timeouts=a=-4":           "out of range",
	} {
		_, err := applyBoost(t, arg)
		require.ErrorContains(t, err, want, arg)
	}
}

// TestBoostL2Timeout: whoever gives rollup-boost's one limit gets one limit.
func TestBoostL2Timeout(t *testing.T) {
	cfg, err := applyBoost(t)
	require.NoError(t, err)
	require.Equal(t, 5*time.Second, cfg.L2.MethodTimeouts["engine_newPayload"])
	cfg, err = applyBoost(t, "--l2-timeout=2000")
	require.NoError(t, err)
	require.Empty(t, cfg.L2.MethodTimeouts)
	cfg, err = applyBoost(t, "--l2-timeout=2000", "--l2-method-timeouts=engine_newPayload=4000")
	require.NoError(t, err)
	require.Equal(t, map[string]time.Duration{"engine_newPayload": 4 * time.Second}, cfg.L2.MethodTimeouts)
	t.Setenv("L2_TIMEOUT", "")
	cfg, err = applyBoost(t)
	require.NoError(t, err)
	require.NotEmpty(t, cfg.L2.MethodTimeouts, "empty in the environment is not given")
	require.NotEmpty(t, DefaultBoost.L2.MethodTimeouts, "the defaults are not written to")
}

func TestBoostCheck(t *testing.T) {
	t.Parallel()
	good := DefaultBoost
	good.L2.URL, good.Builder.URL = "http://l:1", "https://b"
	good.Metrics, good.Pprof, good.Flashblocks.Enabled = true, true, true
	require.NoError(t, good.Check())
	for sentence, change := range map[string]func(*Boost){
		"--l2-url) must be a URL":                   func(c *Boost) { c.L2.URL = "ws://l" },
		"--builder-url) is not a URL":               func(c *Boost) { c.Builder.URL = "http://" },
		"--l2-timeout 0s":                           func(c *Boost) { c.L2.Timeout = 0 },
		"--builder-timeout 0s":                      func(c *Boost) { c.Builder.Timeout = 0 },
		"--l2-method-timeouts":                      func(c *Boost) { c.L2.MethodTimeouts = map[string]time.Duration{"x": 0} },
		"the rpc host is empty":                     func(c *Boost) { c.RPCHost = "" },
		"the debug port 70000":                      func(c *Boost) { c.DebugPort = 70000 },
		"the metrics port -1":                       func(c *Boost) { c.MetricsPort = -1 },
		"the flashblocks port 65536":                func(c *Boost) { c.Flashblocks.Port = 65536 },
		`the pprof address "h:http"`:                func(c *Boost) { c.PprofAddr = "h:http" },
		"--health-builder-failures 0":               func(c *Boost) { c.HealthBuilderFailures = 0 },
		"--max-body-bytes 10 is too small":          func(c *Boost) { c.MaxBodyBytes = 10 },
		"--max-unsafe-interval 0s":                  func(c *Boost) { c.MaxUnsafeInterval = 0 },
		"--flashblocks-builder-url) must be":        func(c *Boost) { c.Flashblocks.BuilderURL = "http://b" },
		"is shorter than the first":                 func(c *Boost) { c.Flashblocks.BackoffMax = time.Millisecond },
		"must be longer than the ping":              func(c *Boost) { c.Flashblocks.PongTimeout = time.Millisecond },
		`block selection policy "fees" is unknown:`: func(c *Boost) { c.Selection = "fees" },
		`log format "xml"`:                          func(c *Boost) { c.LogFormat = "xml" },
	} {
		bad := good
		change(&bad)
		require.ErrorContains(t, bad.Check(), sentence)
	}
	unused := good
	unused.Metrics, unused.Pprof, unused.Flashblocks.Enabled = false, false, false
	unused.MetricsPort, unused.PprofAddr, unused.Flashblocks.BuilderURL = -1, "nonsense", "nonsense"
	unused.Builder = BoostBackend{}
	require.NoError(t, unused.Check(), "what is not used is not checked")
}
