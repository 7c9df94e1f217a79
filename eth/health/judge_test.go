// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	good := observation{Now: now, Follows: true, Connected: 1, Newest: now.Add(-time.Second), MaxAge: 2 * time.Second}
	for name, tc := range map[string]struct {
		change func(*observation)
		reason string
	}{
		"good":                 {func(*observation) {}, ""},
		"at the bound":         {func(o *observation) { o.Newest = now.Add(-2 * time.Second) }, ""},
		"old":                  {func(o *observation) { o.Newest = now.Add(-2*time.Second - 1) }, "the newest pending state is older than 2s"},
		"nothing yet":          {func(o *observation) { o.Newest = time.Time{} }, "no flashblock has been executed yet"},
		"upstream gone":        {func(o *observation) { o.Connected = 0 }, "no flashblocks stream is connected"},
		"syncing":              {func(o *observation) { o.Syncing, o.Connected = true, 0 }, "the node is syncing"},
		"builder that idles":   {func(o *observation) { *o = observation{Now: now} }, ""},
		"builder that syncs":   {func(o *observation) { *o = observation{Now: now, Syncing: true} }, "the node is syncing"},
		"builder long unasked": {func(o *observation) { o.Follows, o.Newest = false, now.Add(-time.Hour) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := good
			tc.change(&o)
			r := judge(o)
			require.Equal(t, tc.reason, r.Reason)
			require.Equal(t, tc.reason == "", r.Ready)
			require.Equal(t, o.Follows, r.Upstreams != nil)
			require.Equal(t, o.Newest.IsZero(), r.AgeMS == nil)
		})
	}
}
