// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// The runbook names every metric of a builder and of a follower, and no other.
func TestRunbookNamesTheMetrics(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/runbook.md")
	require.NoError(t, err)
	var documented []string
	for _, m := range regexp.MustCompile("`((?:builder|flashblocks|follower|overlay)_[a-z0-9_]+)(?:\\{[a-z]+\\})?`").FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, m[1])
	}

	follows := testConfig()
	follows.Enabled, follows.URLs = false, []string{"ws://127.0.0.1:1"}
	var registered []string
	for _, cfg := range []Config{testConfig(), follows} {
		n := newUnstarted(t, ethtest.Jovian, ethtest.Jovian.Genesis())
		service, err := Register(n.Stack, n.Eth, cfg)
		require.NoError(t, err)
		n.Start() // a follower's streams register theirs when they are dialled
		for _, name := range service.Metrics().ListMetricNames() {
			name, _, _ = strings.Cut(name, "{")
			registered = append(registered, name)
		}
	}
	slices.Sort(registered)
	slices.Sort(documented)
	require.Equal(t, slices.Compact(registered), slices.Compact(documented))
}

// The values of labels are words that need no quoting in a query.
func TestMetricLabels(t *testing.T) {
	t.Parallel()
	follows := testConfig()
	follows.Enabled, follows.URLs = false, []string{"ws://127.0.0.1:1"}
	value := regexp.MustCompile(`^[a-z0-9_.:#+/]+$`)
	for _, cfg := range []Config{testConfig(), follows} {
		n := newUnstarted(t, ethtest.Jovian, ethtest.Jovian.Genesis())
		service, err := Register(n.Stack, n.Eth, cfg)
		require.NoError(t, err)
		n.Start()
		for _, name := range service.Metrics().ListMetricNames() {
			for _, label := range regexp.MustCompile(`="([^"]*)"`).FindAllStringSubmatch(name, -1) {
				require.Regexp(t, value, label[1], name)
			}
		}
	}
}
