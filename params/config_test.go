// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package params

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*Flashblocks)
		want   string // part of the error, empty for none
	}{
		"default":                 {func(*Flashblocks) {}, ""},
		"fastest":                 {func(c *Flashblocks) { c.Interval = MinInterval }, ""},
		"free ports":              {func(c *Flashblocks) { c.Port, c.MetricsAddr = 0, "127.0.0.1:0" }, ""},
		"interval as block time":  {func(c *Flashblocks) { c.BlockTime = c.Interval }, ""},
		"disabled":                {func(c *Flashblocks) { *c = Flashblocks{} }, ""},
		"interval zero":           {func(c *Flashblocks) { c.Interval = 0 }, "greater than zero"},
		"interval negative":       {func(c *Flashblocks) { c.Interval = -1 }, "greater than zero"},
		"interval too short":      {func(c *Flashblocks) { c.Interval = MinInterval - 1 }, "shortest supported"},
		"interval over block":     {func(c *Flashblocks) { c.BlockTime = c.Interval - 1 }, "longer than the block time"},
		"buffer negative":         {func(c *Flashblocks) { c.EndBuffer = -1 }, "must not be negative"},
		"buffer over block":       {func(c *Flashblocks) { c.BlockTime, c.EndBuffer = time.Second, time.Second }, "leaves nothing"},
		"offset over block":       {func(c *Flashblocks) { c.BlockTime, c.SendOffset = time.Second, -time.Second }, "out of the block time"},
		"offset within block":     {func(c *Flashblocks) { c.BlockTime, c.SendOffset = time.Second, -time.Second/2 }, ""},
		"block time negative":     {func(c *Flashblocks) { c.BlockTime = -1 }, "block time"},
		"port negative":           {func(c *Flashblocks) { c.Port = -1 }, "not a TCP port"},
		"port too high":           {func(c *Flashblocks) { c.Port = 65536 }, "not a TCP port"},
		"no subscribers":          {func(c *Flashblocks) { c.SubscriberLimit = 0 }, "subscriber limit"},
		"unknown metadata":        {func(c *Flashblocks) { c.Metadata = "Full" }, `"Full" is unknown`},
		"metrics without port":    {func(c *Flashblocks) { c.MetricsAddr = "127.0.0.1" }, "not host:port"},
		"metrics with named port": {func(c *Flashblocks) { c.MetricsAddr = "127.0.0.1:http" }, "no TCP port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := DefaultFlashblocks
			cfg.Enabled = true
			tc.change(&cfg)
			err := cfg.Check()
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestCheckFollower(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*Flashblocks)
		want   string // the error, empty for none
	}{
		"one":             {func(*Flashblocks) {}, ""},
		"two":             {func(c *Flashblocks) { c.URLs = []string{"ws://a", "wss://b:1/key?x=y"} }, ""},
		"builder too":     {func(c *Flashblocks) { c.Enabled = true }, errBoth.Error()},
		"builder's flags": {func(c *Flashblocks) { c.Interval, c.Port, c.SubscriberLimit = 0, -1, 0 }, ""},
		"http":            {func(c *Flashblocks) { c.URLs[0] = "http://a" }, `flashblocks.url, stream 1: the URL must begin with ws:// or wss://, not "http"`},
		"no scheme":       {func(c *Flashblocks) { c.URLs[0] = "stream.example" }, `flashblocks.url, stream 1: the URL must begin with ws:// or wss://, not ""`},
		"no host":         {func(c *Flashblocks) { c.URLs[0] = "ws:///x" }, "flashblocks.url, stream 1: the URL has no host"},
		"fragment":        {func(c *Flashblocks) { c.URLs[0] = "ws://a#b" }, "flashblocks.url, stream 1: the URL must have no fragment"},
		"malformed":       {func(c *Flashblocks) { c.URLs = append(c.URLs, "ws://secret:%zz") }, `flashblocks.url, stream 2: the URL is malformed: invalid port ":%zz" after host`},
		"twice":           {func(c *Flashblocks) { c.URLs = append(c.URLs, c.URLs[0]) }, "flashblocks.url, stream 2: it is given twice"},
		"stale at birth":  {func(c *Flashblocks) { c.StaleAfter = -1 }, "flashblocks staleness -1ns must not be negative"},
		"no patience":     {func(c *Flashblocks) { c.UpstreamTimeout = 0 }, "flashblocks upstream timeout 0s is below the shortest supported, 300ms"},
		"no age":          {func(c *Flashblocks) { c.ReadyMaxAge = 0 }, "flashblocks readiness age 0s must be greater than zero"},
		"metrics":         {func(c *Flashblocks) { c.MetricsAddr = "x" }, `flashblocks metrics address "x" is not host:port: address x: missing port in address`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := DefaultFlashblocks
			cfg.URLs = []string{"ws://127.0.0.1:1111"}
			tc.change(&cfg)
			err := cfg.Check()
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tc.want)
			require.NotContains(t, err.Error(), "secret@")
		})
	}
}
