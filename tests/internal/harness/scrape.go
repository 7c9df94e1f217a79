// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package harness

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Samples are the values of a Prometheus endpoint by name and labels.
type Samples map[string]float64

// Scrape reads a Prometheus endpoint.
func Scrape(ctx context.Context, t testing.TB, url string) Samples {
	t.Helper()
	values, err := TryScrape(ctx, url)
	require.NoError(t, err)
	return values
}

// TryScrape is Scrape for an endpoint that may not be there.
func TryScrape(ctx context.Context, url string) (Samples, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %s", url, resp.Status)
	}
	values := make(Samples)
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		line := lines.Text()
		i := strings.LastIndexByte(line, ' ') // labels may have spaces in them
		if i < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		value, err := strconv.ParseFloat(line[i+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("metric line %q: %w", line, err)
		}
		values[line[:i]] = value
	}
	return values, lines.Err()
}

// Mean returns the mean of a summary since the start of the node.
func (s Samples) Mean(name string) float64 {
	if s[name+"_count"] == 0 {
		return 0
	}
	return s[name+"_sum"] / s[name+"_count"]
}

// Since returns what came after an earlier scrape. It is meant for counters, sums and counts.
func (s Samples) Since(earlier Samples) Samples {
	change := make(Samples, len(s))
	for name, value := range s {
		change[name] = value - earlier[name]
	}
	return change
}
