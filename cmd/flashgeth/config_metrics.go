// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/metrics"
)

// applyMetricsFlags overwrites what was given on the command line. It reports flags that belong to
// the other of the two InfluxDB versions than the one switched on.
func applyMetricsFlags(ctx *cli.Context, cfg *metrics.Config) error {
	override(ctx, utils.MetricsEnabledFlag.Name, ctx.Bool, &cfg.Enabled)
	override(ctx, utils.MetricsHTTPFlag.Name, ctx.String, &cfg.HTTP)
	override(ctx, utils.MetricsPortFlag.Name, ctx.Int, &cfg.Port)
	override(ctx, utils.MetricsEnableInfluxDBFlag.Name, ctx.Bool, &cfg.EnableInfluxDB)
	override(ctx, utils.MetricsInfluxDBEndpointFlag.Name, ctx.String, &cfg.InfluxDBEndpoint)
	override(ctx, utils.MetricsInfluxDBDatabaseFlag.Name, ctx.String, &cfg.InfluxDBDatabase)
	override(ctx, utils.MetricsInfluxDBUsernameFlag.Name, ctx.String, &cfg.InfluxDBUsername)
	override(ctx, utils.MetricsInfluxDBPasswordFlag.Name, ctx.String, &cfg.InfluxDBPassword)
	override(ctx, utils.MetricsInfluxDBTagsFlag.Name, ctx.String, &cfg.InfluxDBTags)
	override(ctx, utils.MetricsInfluxDBIntervalFlag.Name, ctx.Duration, &cfg.InfluxDBInterval)
	override(ctx, utils.MetricsEnableInfluxDBV2Flag.Name, ctx.Bool, &cfg.EnableInfluxDBV2)
	override(ctx, utils.MetricsInfluxDBTokenFlag.Name, ctx.String, &cfg.InfluxDBToken)
	override(ctx, utils.MetricsInfluxDBBucketFlag.Name, ctx.String, &cfg.InfluxDBBucket)
	override(ctx, utils.MetricsInfluxDBOrganizationFlag.Name, ctx.String, &cfg.InfluxDBOrganization)

	// Only the command line is judged: a file may carry the settings of both versions.
	v1 := []string{utils.MetricsInfluxDBUsernameFlag.Name, utils.MetricsInfluxDBPasswordFlag.Name}
	v2 := []string{
		utils.MetricsInfluxDBTokenFlag.Name, utils.MetricsInfluxDBOrganizationFlag.Name,
		utils.MetricsInfluxDBBucketFlag.Name,
	}
	switch {
	case ctx.Bool(utils.MetricsEnableInfluxDBFlag.Name) && anySet(ctx, v2):
		return fmt.Errorf("--%s are for InfluxDB v2 only", strings.Join(v2, ", --"))
	case ctx.Bool(utils.MetricsEnableInfluxDBV2Flag.Name) && anySet(ctx, v1):
		return fmt.Errorf("--%s are for InfluxDB v1 only", strings.Join(v1, ", --"))
	}
	return nil
}

// override sets dst to the flag's value if somebody has given one.
func override[T any](ctx *cli.Context, name string, value func(string) T, dst *T) {
	if ctx.IsSet(name) {
		*dst = value(name)
	}
}

func anySet(ctx *cli.Context, names []string) bool {
	for _, name := range names {
		if ctx.IsSet(name) {
			return true
		}
	}
	return false
}
