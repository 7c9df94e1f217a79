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
