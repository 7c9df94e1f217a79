// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
)

func probeHash(i int) (h common.Hash) {
	binary.BigEndian.PutUint64(h[:], uint64(i))
	return h
}

func TestProbeSummary(t *testing.T) {
	t.Parallel()
	p, begin := NewProbe(""), time.Now()
	require.Empty(t, p.Summary().String())
	for i := range 100 {
		p.Sent(probeHash(i), begin)
	}
	for i := range 100 {
		p.arrived(probeHash(i), begin.Add(time.Duration(i+1)*time.Millisecond))
		p.arrived(probeHash(i), begin.Add(time.Hour)) // again, after a reorganisation
	}
	p.arrived(probeHash(1000), begin) // of somebody else
	require.Equal(t, Preconfirmation{Count: 100, P50: 50 * time.Millisecond, P99: 99 * time.Millisecond}, p.Summary())
	require.Equal(t, "submit to follower receipt: p50 50 ms, p99 99 ms over 100 transactions", p.Summary().String())
	require.Empty(t, p.sent)
}

// Neither a long run nor transactions that never come back make the probe grow.
func TestProbeIsBounded(t *testing.T) {
	t.Parallel()
	p, begin := NewProbe(""), time.Now()
	for i := range probeWaiting + probeSamples {
		p.Sent(probeHash(i), begin)
		require.LessOrEqual(t, len(p.sent), probeWaiting)
	}
	for i := range 3 * probeSamples {
		p.Sent(probeHash(i), begin)
		p.arrived(probeHash(i), begin.Add(time.Second))
	}
	require.Len(t, p.samples, probeSamples)
	require.Equal(t, 3*probeSamples, p.Summary().Count)
}
