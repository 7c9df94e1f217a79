// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package bench

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/proxy/load/fanout"
)

func TestMain(m *testing.M) {
	shapes := fanout.Shapes()
	shapes[shapeGWS] = func() (fanout.Shape, error) { return newGWS(), nil }
	shapes[shapeCoder] = func() (fanout.Shape, error) { return newCoder(), nil }
	fanout.Role(shapes)
	m.Run()
}

// BenchmarkPeers is one table of everybody, each in a process of its own.
func BenchmarkPeers(b *testing.B) {
	for b.Loop() {
		table, err := fanout.NewTable(b.Context(),
			fanout.ShapeBare, fanout.ShapeHub, fanout.ShapeChat, shapeGWS, shapeCoder)
		require.NoError(b, err)
		b.Log("\n" + table.String())
		for name, ratio := range table.Ratios() {
			b.ReportMetric(ratio, name)
		}
	}
}
