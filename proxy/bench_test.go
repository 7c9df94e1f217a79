// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
	"github.com/ethereum/go-ethereum/flashgeth/proxy/load/fanout"
)

// BenchmarkFanout is the table of fan-outs against a bare loop of writes, in processes of their own.
// The peers that need other modules are in proxy/bench.
func BenchmarkFanout(b *testing.B) {
	for b.Loop() {
		table, err := fanout.NewTable(b.Context(), fanout.ShapeBare, fanout.ShapeHub, fanout.ShapeChat)
		require.NoError(b, err)
		b.Log("\n" + table.String())
		for name, ratio := range table.Ratios() {
			b.ReportMetric(ratio, name)
		}
	}
}

// BenchmarkRelay is what one message costs between arrival and the hub: once for every message,
// whatever the number of clients.
func BenchmarkRelay(b *testing.B) {
	for name, upstreams := range map[string]int{"one upstream": 1, "three upstreams": 3} {
		b.Run(name, func(b *testing.B) {
			r, _ := newTestRelay(b, upstreams)
			r.out = discard{}
			fb := teststream.Flashblock(1, 0)
			fb.Diff.Transactions = [][]byte{make([]byte, 4<<10)}
			text := fb.AppendJSON(nil)
			block := uint64(0)
			for b.Loop() {
				block++
				for i := range upstreams {
					r.deliver(i, stream.Delivery{Header: flashblocks.Header{PayloadID: teststream.PayloadID(block), BlockNumber: block, HasBase: true}, JSON: text})
				}
			}
		})
	}
}

type discard struct{}

func (discard) Publish(stream.Message) {}

// BenchmarkFilter is one more filtered client on a message whose content is derived already.
func BenchmarkFilter(b *testing.B) {
	f, err := parseFilter(query([]common.Address{nobody}, []common.Hash{topicB}, ""))
	require.NoError(b, err)
	m := &stream.Message{Aux: newContent(trade(b, 1, 1, flashblocks.DialectFull).AppendJSON(nil), flashblocks.Limits{})}
	for b.Loop() {
		_, err := f.Match(m)
		require.NoError(b, err)
	}
}
