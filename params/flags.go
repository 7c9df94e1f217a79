// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package params

import (
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"
)

// FlagCategory is the heading of the builder's flags in --help.
const FlagCategory = "FLASHBLOCKS"

// maxMillis bounds every flag in milliseconds. An hour is far beyond any slot, and small enough that
// no later sum of durations overflows.
const maxMillis = int64(time.Hour / time.Millisecond)

// The builder's flags. Names and environment names are op-rbuilder's where it has the flag; the
// defaults are those of DefaultFlashblocks.
var (
	// FlashblocksEnabledFlag turns the builder on.
	FlashblocksEnabledFlag = &cli.BoolFlag{
		Name:     "flashblocks.enabled",
		Usage:    "Build blocks as flashblocks, stream them and serve them as the pending block",
		EnvVars:  []string{"ENABLE_FLASHBLOCKS"},
		Category: FlagCategory,
	}
	// FlashblocksURLFlag names the streams to follow. Aliases and environment are those of Base's node,
	// op-reth and the old rollup-boost RPC.
	FlashblocksURLFlag = &cli.StringFlag{
		Name:     "flashblocks.url",
		Aliases:  []string{"flashblocks-url", "websocket-url", "flashblocks.websocket-url"},
		Usage:    "Follow these streams (comma list of ws:// or wss:// URLs) and serve their flashblocks as the pending block",
		EnvVars:  []string{"FLASHBLOCKS_URL", "WEBSOCKET_URL", "RETH_FB_WEBSOCKET_URL"},
		Category: FlagCategory,
	}
	// FlashblocksStrictFlag withholds what does not agree with the stream.
	FlashblocksStrictFlag = &cli.BoolFlag{
		Name:     "flashblocks.strict",
		Usage:    "Withhold pending state whose gas, logs bloom or receipts root differ from what the stream says; otherwise it is served, logged and counted",
		EnvVars:  []string{"FLASHBLOCKS_STRICT"},
		Category: FlagCategory,
	}
	// FlashblocksUpstreamTimeoutFlag is how long a followed stream may be silent, in milliseconds. Its
	// pings and pongs count as signs of life.
	FlashblocksUpstreamTimeoutFlag = &cli.Int64Flag{
		Name:     "flashblocks.upstream-timeout-ms",
		Usage:    "Milliseconds after which a followed stream that gives no sign of life is dialled again; it is pinged three times in that time",
		Value:    DefaultFlashblocks.UpstreamTimeout.Milliseconds(),
		EnvVars:  []string{"FLASHBLOCKS_UPSTREAM_TIMEOUT_MS"},
		Category: FlagCategory,
	}
	// FlashblocksStaleAfterFlag bounds how long pending may stand still, in milliseconds.
	FlashblocksStaleAfterFlag = &cli.Int64Flag{
		Name:     "flashblocks.stale-after-ms",
		Usage:    "Milliseconds without a new flashblock and without a new block after which pending falls back to latest; 0 for three block times, at least 5000",
		Value:    DefaultFlashblocks.StaleAfter.Milliseconds(),
		EnvVars:  []string{"FLASHBLOCKS_STALE_AFTER_MS"},
		Category: FlagCategory,
	}
	// FlashblocksReadyMaxAgeFlag bounds the age of a ready follower's pending state, in milliseconds.
	FlashblocksReadyMaxAgeFlag = &cli.Int64Flag{
		Name:     "flashblocks.ready-max-age-ms",
		Usage:    "Milliseconds after which /readyz turns red on a follower because no new pending state came",
		Value:    DefaultFlashblocks.ReadyMaxAge.Milliseconds(),
		EnvVars:  []string{"FLASHBLOCKS_READY_MAX_AGE_MS"},
		Category: FlagCategory,
	}
	// FlashblocksAddrFlag is the address the stream listens on.
	FlashblocksAddrFlag = &cli.StringFlag{
		Name:     "flashblocks.addr",
		Usage:    "Address on which subscribers find the stream of flashblocks",
		Value:    DefaultFlashblocks.Addr,
		EnvVars:  []string{"FLASHBLOCKS_WS_ADDR"},
		Category: FlagCategory,
	}
	// FlashblocksPortFlag is the TCP port the stream listens on, 0 for a free one.
	FlashblocksPortFlag = &cli.IntFlag{
		Name:     "flashblocks.port",
		Usage:    "Port of the stream, 0 for a free one",
		Value:    DefaultFlashblocks.Port,
		EnvVars:  []string{"FLASHBLOCKS_WS_PORT"},
		Category: FlagCategory,
	}
	// FlashblocksBlockTimeFlag is the interval in milliseconds.
	FlashblocksBlockTimeFlag = &cli.Int64Flag{
		Name:     "flashblocks.block-time",
		Usage:    "Milliseconds between two flashblocks",
		Value:    DefaultFlashblocks.Interval.Milliseconds(),
		EnvVars:  []string{"FLASHBLOCK_BLOCK_TIME"},
		Category: FlagCategory,
	}
	// FlashblocksEndBufferFlag is the reserve at the end of the slot in milliseconds.
	FlashblocksEndBufferFlag = &cli.Int64Flag{
		Name:     "flashblocks.end-buffer-ms",
		Usage:    "Milliseconds kept free between the last flashblock and the block's timestamp",
		Value:    DefaultFlashblocks.EndBuffer.Milliseconds(),
		EnvVars:  []string{"FLASHBLOCK_END_BUFFER_MS"},
		Category: FlagCategory,
	}
	// FlashblocksSendOffsetFlag shifts every deadline, in milliseconds.
	FlashblocksSendOffsetFlag = &cli.Int64Flag{
		Name:     "flashblocks.send-offset-ms",
		Usage:    "Milliseconds by which every flashblock is sent later, or earlier if negative",
		Value:    DefaultFlashblocks.SendOffset.Milliseconds(),
		EnvVars:  []string{"FLASHBLOCK_SEND_OFFSET_MS"},
		Category: FlagCategory,
	}
	// FlashblocksSubscriberLimitFlag bounds the subscribers of the stream.
	FlashblocksSubscriberLimitFlag = &cli.IntFlag{
		Name:     "flashblocks.ws-subscriber-limit",
		Usage:    "Most subscribers of the stream at a time; more are closed with code 1013",
		Value:    DefaultFlashblocks.SubscriberLimit,
		EnvVars:  []string{"FLASHBLOCK_WS_SUBSCRIBER_LIMIT"},
		Category: FlagCategory,
	}
	// FlashblocksDisableStateRootFlag leaves the state root out of the stream. Unlike op-rbuilder's,
	// it never touches the sealed block, whose root is always real.
	FlashblocksDisableStateRootFlag = &cli.BoolFlag{
		Name:     "flashblocks.disable-state-root",
		Usage:    "Stream a zero state root; =false computes the real one for every flashblock. The sealed block always has the real one",
		Value:    !DefaultFlashblocks.PublishRoots,
		EnvVars:  []string{"FLASHBLOCKS_DISABLE_STATE_ROOT"},
		Category: FlagCategory,
	}
	// FlashblocksMetadataFlag picks the metadata of the v1 stream.
	FlashblocksMetadataFlag = &cli.StringFlag{
		Name:     "flashblocks.metadata",
		Usage:    `Metadata of a flashblock: "full" (block number, balances, receipts) or "trimmed" (block number, previous flashblock)`,
		Value:    string(DefaultFlashblocks.Metadata),
		EnvVars:  []string{"FLASHBLOCKS_METADATA"},
		Category: FlagCategory,
	}
	// FlashblocksReuseExecutionFlag lets newPayload of an own block skip the second execution.
	FlashblocksReuseExecutionFlag = &cli.BoolFlag{
		Name:     "flashblocks.reuse-execution",
		Usage:    "Import blocks this node has built from their sealed state, without executing them again",
		Value:    DefaultFlashblocks.ReuseExecution,
		EnvVars:  []string{"FLASHBLOCKS_REUSE_EXECUTION"},
		Category: FlagCategory,
	}
	// FlashblocksMetricsAddrFlag is where our Prometheus endpoint listens, with the health endpoints.
	FlashblocksMetricsAddrFlag = &cli.StringFlag{
		Name:     "flashblocks.metrics-addr",
		Usage:    "host:port of the Prometheus endpoint (/metrics, /healthz, /readyz), for example 127.0.0.1:9001; port 0 for a free one; off when empty",
		Value:    DefaultFlashblocks.MetricsAddr,
		EnvVars:  []string{"FLASHBLOCKS_METRICS_ADDR"},
		Category: FlagCategory,
	}
	// ChainBlockTimeFlag is the slot length in milliseconds, 0 to learn it from the chain.
	ChainBlockTimeFlag = &cli.Int64Flag{
		Name:     "rollup.chain-block-time",
		Usage:    "Milliseconds between two blocks, to check the flashblocks flags at start-up; 0 learns it from the chain",
		Value:    DefaultFlashblocks.BlockTime.Milliseconds(),
		EnvVars:  []string{"CHAIN_BLOCK_TIME"},
		Category: FlagCategory,
	}
	// BuilderMaxBlockSizeFlag caps the encoding of a block, in bytes.
	BuilderMaxBlockSizeFlag = &cli.Uint64Flag{
		Name:     "builder.max-uncompressed-block-size",
		Usage:    "Most bytes of an encoded block; 0 leaves op-geth's own limit",
		Value:    DefaultFlashblocks.MaxBlockSize,
		EnvVars:  []string{"BUILDER_MAX_UNCOMPRESSED_BLOCK_SIZE"},
		Category: FlagCategory,
	}
)

// FlashblocksFlags are all flags that ApplyFlags reads.
var FlashblocksFlags = []cli.Flag{
	FlashblocksEnabledFlag,
	FlashblocksURLFlag,
	FlashblocksStrictFlag,
	FlashblocksStaleAfterFlag,
	FlashblocksUpstreamTimeoutFlag,
	FlashblocksReadyMaxAgeFlag,
	FlashblocksAddrFlag,
	FlashblocksPortFlag,
	FlashblocksBlockTimeFlag,
	FlashblocksEndBufferFlag,
	FlashblocksSendOffsetFlag,
	FlashblocksSubscriberLimitFlag,
	FlashblocksDisableStateRootFlag,
	FlashblocksMetadataFlag,
	FlashblocksReuseExecutionFlag,
	FlashblocksMetricsAddrFlag,
	ChainBlockTimeFlag,
	BuilderMaxBlockSizeFlag,
}

// FollowerFlags are those of FlashblocksFlags that mean something to a follower.
var FollowerFlags = []cli.Flag{
	FlashblocksURLFlag,
	FlashblocksStrictFlag,
	FlashblocksStaleAfterFlag,
	FlashblocksUpstreamTimeoutFlag,
	FlashblocksReadyMaxAgeFlag,
	FlashblocksMetricsAddrFlag,
}

// BuilderFlags are those of FlashblocksFlags that mean something to a builder.
var BuilderFlags = slices.DeleteFunc(slices.Clone(FlashblocksFlags), func(flag cli.Flag) bool {
	return flag == FlashblocksURLFlag || flag == FlashblocksStrictFlag || flag == FlashblocksUpstreamTimeoutFlag || flag == FlashblocksReadyMaxAgeFlag
})

// ApplyFlags overwrites in c what was given on the command line or in the environment and leaves the
// rest, so that a configuration file can be loaded into c before. It reports a number of milliseconds
// that is out of range; everything else is for Check.
func (c *Flashblocks) ApplyFlags(ctx *cli.Context) error {
	override(ctx, FlashblocksEnabledFlag.Name, ctx.Bool, &c.Enabled)
	override(ctx, FlashblocksStrictFlag.Name, ctx.Bool, &c.Strict)
	override(ctx, FlashblocksAddrFlag.Name, ctx.String, &c.Addr)
	override(ctx, FlashblocksPortFlag.Name, ctx.Int, &c.Port)
	override(ctx, FlashblocksSubscriberLimitFlag.Name, ctx.Int, &c.SubscriberLimit)
	override(ctx, FlashblocksReuseExecutionFlag.Name, ctx.Bool, &c.ReuseExecution)
	override(ctx, FlashblocksMetricsAddrFlag.Name, ctx.String, &c.MetricsAddr)
	override(ctx, BuilderMaxBlockSizeFlag.Name, ctx.Uint64, &c.MaxBlockSize)
	if ctx.IsSet(FlashblocksURLFlag.Name) {
		c.URLs = SplitURLs(ctx.String(FlashblocksURLFlag.Name))
	}
	if ctx.IsSet(FlashblocksDisableStateRootFlag.Name) {
		c.PublishRoots = !ctx.Bool(FlashblocksDisableStateRootFlag.Name)
	}
	if ctx.IsSet(FlashblocksMetadataFlag.Name) {
		c.Metadata = MetadataForm(ctx.String(FlashblocksMetadataFlag.Name))
	}
	for _, m := range []struct {
		flag *cli.Int64Flag
		dst  *time.Duration
	}{
		{FlashblocksBlockTimeFlag, &c.Interval},
		{FlashblocksEndBufferFlag, &c.EndBuffer},
		{FlashblocksSendOffsetFlag, &c.SendOffset},
		{ChainBlockTimeFlag, &c.BlockTime},
		{FlashblocksStaleAfterFlag, &c.StaleAfter},
		{FlashblocksUpstreamTimeoutFlag, &c.UpstreamTimeout},
		{FlashblocksReadyMaxAgeFlag, &c.ReadyMaxAge},
	} {
		if !ctx.IsSet(m.flag.Name) {
			continue
		}
		ms := ctx.Int64(m.flag.Name)
		if ms > maxMillis || ms < -maxMillis {
			return fmt.Errorf("--%s %d is out of range: at most %d milliseconds", m.flag.Name, ms, maxMillis)
		}
		*m.dst = time.Duration(ms) * time.Millisecond
	}
	return nil
}

// override sets dst to the flag's value if somebody has given one.
func override[T any](ctx *cli.Context, name string, value func(string) T, dst *T) {
	if ctx.IsSet(name) {
		*dst = value(name)
	}
}
