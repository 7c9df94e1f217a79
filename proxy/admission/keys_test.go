// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseKeys(t *testing.T) {
	t.Parallel()
	ring, err := ParseKeys("app1:key1, app2:key2:0 ,app-3.x_Y:k/3?=+!:25")
	require.NoError(t, err)
	require.Equal(t, []string{"app1", "app2", "app-3.x_Y"}, ring.Apps())

	for _, want := range []struct {
		key, app string
		limit    int
		ok       bool
	}{
		{"key1", "app1", 0, true},
		{"key2", "app2", 0, true},
		{"k/3?=+!", "app-3.x_Y", 25, true},
		{"", "", 0, false},
		{"key", "", 0, false},
		{"key11", "", 0, false},
		{"app1", "", 0, false},
		{"app1:key1", "", 0, false},
		{strings.Repeat("k", 1<<16), "", 0, false},
	} {
		app, limit, ok := ring.Lookup(want.key)
		require.Equal(t, want.app, app, "key %q", want.key)
		require.Equal(t, want.limit, limit, "key %q", want.key)
		require.Equal(t, want.ok, ok, "key %q", want.key)
	}
}

func TestNoKeysConfigured(t *testing.T) {
	t.Parallel()
	for _, list := range []string{"", " ", "\t"} {
		ring, err := ParseKeys(list)
		require.NoError(t, err)
		require.Nil(t, ring)
		require.Empty(t, ring.Apps())
		_, _, ok := ring.Lookup("anything")
		require.False(t, ok)
	}
}

func TestParseKeysErrors(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t"
	tests := []struct{ name, list, want string }{
		{"empty entry", "a:" + secret + ",,b:x", "entry 2: it is empty"},
		{"trailing comma", "a:" + secret + ",", "entry 2: it is empty"},
		{"no colon", secret, "entry 1: it has no colon"},
		{"only a colon", ":", "entry 1: the application's name, before the first colon, is missing"},
		{"no application", ":" + secret, "the application's name, before the first colon, is missing"},
		{"no key", "app:", "the key, after the first colon, is missing"},
		{"no key but a limit", "app::5", "the key, after the first colon, is missing"},
		{"too many parts", "app:" + secret + ":1:2", "more than three parts"},
		{"limit is no number", "app:" + secret + ":" + secret, "the limit, after the second colon, must be a whole number"},
		{"limit is empty", "app:" + secret + ":", "the limit, after the second colon"},
		{"limit is negative", "app:" + secret + ":-1", "the limit, after the second colon"},
		{"limit is too large", "app:" + secret + ":2147483648", "the limit, after the second colon"},
		{"name breaks a label", `a"b:` + secret, "may have at most 64 letters"},
		{"parts swapped", secret + "/+:app", "may have at most 64 letters"},
		{"name is too long", strings.Repeat("a", 65) + ":" + secret, "may have at most 64 letters"},
		{"space in the key", "app:" + secret + " x", "visible ASCII"},
		{"control character in the key", "app:" + secret + "\x00", "visible ASCII"},
		{"same application twice", "app:" + secret + ",b:x,app:y", "entries 1 and 3 name the same application"},
		{"same key twice", "app:" + secret + ",b:" + secret, "entries 1 and 2 have the same key"},
		{"swapped and twice", secret + ":app," + secret + ":b", "entries 1 and 2 name the same application"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ring, err := ParseKeys(test.list)
			require.Nil(t, ring)
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), secret)
		})
	}
}

// A key must not come out of anything that a program prints: the configuration, the keyring, a
// refusal, a ticket, the metrics.
func TestKeysAreNotPrinted(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-key"
	h := newHarness(t, Config{}, "app:"+secret+":1")
	ticket := h.admit("192.0.2.1", secret)
	limited := h.refuses("192.0.2.1", secret, ReasonPerApp)
	unknown := h.refuses("192.0.2.1", secret+"x", ReasonUnauthorized)

	var text strings.Builder
	h.set.WritePrometheus(&text)
	for _, value := range []any{h.cfg, *h.cfg.Keys, h.cfg.Keys, *h.Gatekeeper, ticket, limited, unknown} {
		fmt.Fprintf(&text, "%v %+v %#v\n", value, value, value)
	}
	require.NotContains(t, text.String(), secret)
	require.Contains(t, text.String(), `connections_by_app{app="app"} 1`)
}
