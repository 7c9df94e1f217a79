// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package params

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"
)

// cleanFlags copies the flags, because urfave/cli writes what it finds in the environment into them.
func cleanFlags() []cli.Flag {
	var clean []cli.Flag
	for _, flag := range FlashblocksFlags {
		dup := reflect.New(reflect.TypeOf(flag).Elem())
		dup.Elem().Set(reflect.ValueOf(flag).Elem())
		if own, ok := dup.Interface().(cli.Flag); ok { // it is: flag's type is a pointer to dup's
			clean = append(clean, own)
		}
	}
	return clean
}

// apply runs a command line over a configuration, as a configuration file would have left it.
func apply(t *testing.T, cfg Flashblocks, args ...string) (Flashblocks, error) {
	t.Helper()
	var applyErr error
	app := &cli.App{
		Flags: cleanFlags(),
		Action: func(ctx *cli.Context) error {
			applyErr = cfg.ApplyFlags(ctx)
			return nil
		},
	}
	require.NoError(t, app.Run(append([]string{"test"}, args...)))
	return cfg, applyErr
}

// everyFlag sets every flag to something that is not the default, in arguments and in the environment.
var everyFlag = []struct {
	arg, env, value string
}{
	{"flashblocks.enabled", "ENABLE_FLASHBLOCKS", "true"},
	{"flashblocks.url", "FLASHBLOCKS_URL", "ws://a:1, wss://b/key,"},
	{"flashblocks.strict", "FLASHBLOCKS_STRICT", "true"},
	{"flashblocks.stale-after-ms", "FLASHBLOCKS_STALE_AFTER_MS", "700"},
	{"flashblocks.upstream-timeout-ms", "FLASHBLOCKS_UPSTREAM_TIMEOUT_MS", "900"},
	{"flashblocks.ready-max-age-ms", "FLASHBLOCKS_READY_MAX_AGE_MS", "800"},
	{"flashblocks.addr", "FLASHBLOCKS_WS_ADDR", "0.0.0.0"},
	{"flashblocks.port", "FLASHBLOCKS_WS_PORT", "1112"},
	{"flashblocks.block-time", "FLASHBLOCK_BLOCK_TIME", "250"},
	{"flashblocks.end-buffer-ms", "FLASHBLOCK_END_BUFFER_MS", "50"},
	{"flashblocks.send-offset-ms", "FLASHBLOCK_SEND_OFFSET_MS", "-30"},
	{"flashblocks.ws-subscriber-limit", "FLASHBLOCK_WS_SUBSCRIBER_LIMIT", "7"},
	{"flashblocks.disable-state-root", "FLASHBLOCKS_DISABLE_STATE_ROOT", "false"},
	{"flashblocks.metadata", "FLASHBLOCKS_METADATA", "trimmed"},
	{"flashblocks.reuse-execution", "FLASHBLOCKS_REUSE_EXECUTION", "false"},
	{"flashblocks.metrics-addr", "FLASHBLOCKS_METRICS_ADDR", "127.0.0.1:9001"},
	{"rollup.chain-block-time", "CHAIN_BLOCK_TIME", "2000"},
	{"builder.max-uncompressed-block-size", "BUILDER_MAX_UNCOMPRESSED_BLOCK_SIZE", "1000000"},
}

// everyFlagSet is the configuration that everyFlag results in.
var everyFlagSet = Flashblocks{
	Enabled:         true,
	URLs:            []string{"ws://a:1", "wss://b/key"},
	Strict:          true,
	StaleAfter:      700 * time.Millisecond,
	UpstreamTimeout: 900 * time.Millisecond,
	ReadyMaxAge:     800 * time.Millisecond,
	Interval:        250 * time.Millisecond,
	EndBuffer:       50 * time.Millisecond,
	SendOffset:      -30 * time.Millisecond,
	BlockTime:       2 * time.Second,
	Metadata:        MetadataTrimmed,
	PublishRoots:    true,
	ReuseExecution:  false,
	MaxBlockSize:    1_000_000,
	Addr:            "0.0.0.0",
	Port:            1112,
	SubscriberLimit: 7,
	MetricsAddr:     "127.0.0.1:9001",
}

func TestFlagsFromArguments(t *testing.T) {
	require.Len(t, everyFlag, len(cleanFlags()), "a flag is not covered")
	require.Len(t, FlashblocksFlags, len(cleanFlags()))
	var args []string
	for _, f := range everyFlag {
		args = append(args, "--"+f.arg+"="+f.value)
	}
	got, err := apply(t, DefaultFlashblocks, args...)
	require.NoError(t, err)
	require.Equal(t, everyFlagSet, got)
	require.ErrorIs(t, got.Check(), errBoth)
	got.Enabled = false
	require.NoError(t, got.Check(), "as a follower")
	got.Enabled, got.URLs = true, nil
	require.NoError(t, got.Check(), "as a builder")
}

// The names that other nodes have for the stream to follow work too.
func TestStreamURLByOtherNames(t *testing.T) {
	for _, alias := range []string{"--flashblocks-url", "--websocket-url", "--flashblocks.websocket-url"} {
		got, err := apply(t, DefaultFlashblocks, alias+"=ws://c")
		require.NoError(t, err)
		require.Equal(t, []string{"ws://c"}, got.URLs, alias)
	}
	for _, env := range []string{"RETH_FB_WEBSOCKET_URL", "WEBSOCKET_URL", "FLASHBLOCKS_URL"} { // later ones win
		t.Setenv(env, "ws://"+env)
		got, err := apply(t, DefaultFlashblocks)
		require.NoError(t, err)
		require.Equal(t, []string{"ws://" + env}, got.URLs)
	}
}

func TestFlagsFromEnvironment(t *testing.T) {
	for _, f := range everyFlag {
		t.Setenv(f.env, f.value)
	}
	got, err := apply(t, DefaultFlashblocks)
	require.NoError(t, err)
	require.Equal(t, everyFlagSet, got)
}

func TestFlagsAbsentKeepTheFile(t *testing.T) {
	got, err := apply(t, everyFlagSet)
	require.NoError(t, err)
	require.Equal(t, everyFlagSet, got)
}

func TestFlagsOverrideTheFile(t *testing.T) {
	got, err := apply(t, everyFlagSet, "--flashblocks.enabled=false", "--flashblocks.block-time=20", "--flashblocks.disable-state-root")
	require.NoError(t, err)
	want := everyFlagSet
	want.Enabled, want.Interval, want.PublishRoots = false, 20*time.Millisecond, false
	require.Equal(t, want, got)
}

// TestFlagDefaults compares what --help shows with what an absent flag does.
func TestFlagDefaults(t *testing.T) {
	var shown Flashblocks
	app := &cli.App{
		Flags: cleanFlags(),
		Action: func(ctx *cli.Context) error {
			for _, f := range FlashblocksFlags {
				name := f.Names()[0]
				if err := ctx.Set(name, ctx.String(name)); err != nil {
					return err
				}
			}
			return shown.ApplyFlags(ctx)
		},
	}
	require.NoError(t, app.Run([]string{"test"}))
	require.Equal(t, DefaultFlashblocks, shown)
}

func TestFlagsOutOfRange(t *testing.T) {
	for _, arg := range []string{
		"--flashblocks.block-time=3600001",
		"--flashblocks.end-buffer-ms=9223372036854775807",
		"--flashblocks.send-offset-ms=-9223372036854775808",
		"--rollup.chain-block-time=99999999999",
	} {
		_, err := apply(t, DefaultFlashblocks, arg)
		require.ErrorContains(t, err, "out of range", arg)
	}
}
