// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Attributes that come while the node starts wait for the builder, but not for ever.
func TestAttributesAwaitTheBuilder(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		opens time.Duration // after the attributes came, 0 for before them
		ends  time.Duration // the call is given up by its client, 0 for never
		want  time.Duration // the wait
	}{
		"started":       {opens: 0, want: 0},
		"starts":        {opens: time.Second, want: time.Second},
		"start hangs":   {opens: time.Hour, want: startGrace},
		"client leaves": {opens: time.Hour, ends: time.Second, want: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(nil, nil, nil)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tc.opens == 0 {
					api.open()
				} else {
					defer time.AfterFunc(tc.opens, api.open).Stop()
				}
				if tc.ends != 0 {
					defer time.AfterFunc(tc.ends, cancel).Stop()
				}
				begin := time.Now()
				api.awaitBuilder(ctx)
				require.Equal(t, tc.want, time.Since(begin))
				require.Equal(t, tc.want < tc.opens, !api.ready.Load())
			})
		})
	}
}
