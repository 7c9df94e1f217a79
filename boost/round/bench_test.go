// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// benchBlock is the number of flashblocks in a benchmark's block.
const benchBlock = 10

// blockOf is a block of the given number of bytes of transactions, in equal flashblocks with the metadata of
// op-rbuilder's form.
func blockOf(size int) []*flashblocks.Flashblock {
	const txSize = 200
	fbs := make([]*flashblocks.Flashblock, benchBlock)
	for i := range fbs {
		fbs[i] = flashblock(9, uint64(i))
		for n := range size / benchBlock / txSize {
			tx := bytes.Repeat([]byte{0xab}, txSize)
			binary.BigEndian.PutUint64(tx[1:], uint64(i*1000+n))
			fbs[i].Diff.Transactions = append(fbs[i].Diff.Transactions, tx)
		}
	}
	return fbs
}

// BenchmarkEnvelope is the assembly of a 500 KB block beside one json.Marshal of the same response.
func BenchmarkEnvelope(b *testing.B) {
	texts := encode(blockOf(500 << 10)...)
	typed := assembled(b, texts, forksOf(4))
	var deliveries []stream.Delivery
	for _, text := range texts {
		deliveries = append(deliveries, delivery(b, text))
	}
	var cutting, splicing, marshaling time.Duration
	for b.Loop() {
		start := time.Now()
		p := new(Prefix)
		for _, d := range deliveries {
			piece, err := cut(d)
			require.NoError(b, err)
			p.pieces = append(p.pieces, piece)
		}
		cutting += time.Since(start)

		start = time.Now()
		_, err := p.Envelope(4)
		splicing += time.Since(start)
		require.NoError(b, err)

		start = time.Now()
		_, err = json.Marshal(typed)
		marshaling += time.Since(start)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(splicing)/float64(marshaling), "envelope/marshal")
	b.ReportMetric(float64(cutting+splicing)/float64(marshaling), "with-cutting/marshal")
}

// BenchmarkRelay is what a subscriber waits for a flashblock that goes through the relay, beside a bare loop
// that reads a message and writes it. Both take every message in turn, in one run.
func BenchmarkRelay(b *testing.B) {
	for _, size := range []int{4 << 10, 32 << 10, 128 << 10} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) { benchRelay(b, size) })
	}
}

func benchRelay(b *testing.B, size int) {
	b.Helper()
	block := encode(blockOf(size / 2 * benchBlock)...)
	ours, theirs := teststream.NewUpstream(b, nil), teststream.NewUpstream(b, nil)
	h := newRelayHarness(b, RelayConfig{Upstream: ours.URL(), PingInterval: time.Hour, PongTimeout: time.Hour})
	in, out := ours.Client(), h.dial("/")
	bare := dialBare(b, theirs.URL())
	bareIn := theirs.Client()

	pass := func(in, out *websocket.Conn, text []byte) time.Duration {
		start := time.Now()
		require.NoError(b, in.WriteMessage(websocket.TextMessage, text))
		_, got, err := out.ReadMessage()
		took := time.Since(start)
		require.NoError(b, err)
		require.Len(b, got, len(text))
		return took
	}
	var relay, loop []time.Duration
	for n := 0; b.Loop(); n++ {
		index := n % benchBlock
		builder := benchID(n/benchBlock, 2)
		text := bytes.Replace(block[index], []byte(id(9).String()), []byte(builder.String()), 1)
		if index == 0 {
			r := h.relay.Store().Begin(testRequest(b))
			r.BindLocal(benchID(n/benchBlock, 1))
			r.BindBuilder(builder)
			h.relay.Store().mu.Lock()
			for _, before := range h.relay.Store().rounds[:len(h.relay.Store().rounds)-1] {
				before.resolved, before.published = true, 0
			}
			h.relay.Store().mu.Unlock()
		}
		if n%2 == 0 {
			relay = append(relay, pass(in, out, text))
			loop = append(loop, pass(bareIn, bare, text))
		} else {
			loop = append(loop, pass(bareIn, bare, text))
			relay = append(relay, pass(in, out, text))
		}
	}
	slices.Sort(relay)
	slices.Sort(loop)
	at := func(list []time.Duration, percent int) float64 {
		return float64(list[len(list)*percent/100].Microseconds())
	}
	b.ReportMetric(at(relay, 50), "p50-µs")
	b.ReportMetric(at(relay, 50)/at(loop, 50), "p50/bare")
	b.ReportMetric(at(relay, 99)/at(loop, 99), "p99/bare")
}

func benchID(n int, kind byte) (id engine.PayloadID) {
	binary.BigEndian.PutUint64(id[:], uint64(n))
	id[0] = kind
	return id
}

// dialBare connects to a server that passes on each message of an upstream as it comes.
func dialBare(b *testing.B, upstream string) *websocket.Conn {
	b.Helper()
	from, resp, err := websocket.DefaultDialer.DialContext(b.Context(), upstream, nil)
	require.NoError(b, err)
	_ = resp.Body.Close()
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		to, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = to.Close() }()
		for {
			kind, text, err := from.ReadMessage()
			if err != nil || to.WriteMessage(kind, text) != nil {
				return
			}
		}
	}))
	ws, resp, err := websocket.DefaultDialer.DialContext(b.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), nil)
	require.NoError(b, err)
	_ = resp.Body.Close()
	b.Cleanup(func() {
		_ = from.Close()
		_ = ws.Close()
		<-done
		server.Close()
	})
	return ws
}

// BenchmarkRounds100k runs a hundred thousand rounds of ten flashblocks, and reports the heap after a tenth
// of them and after all.
func BenchmarkRounds100k(b *testing.B) {
	const rounds = 100_000
	block := encode(blockOf(20 << 10)...)
	deliveries := make([]stream.Delivery, len(block))
	for i, text := range block {
		deliveries[i] = delivery(b, text)
	}
	for b.Loop() {
		store := NewStore(Config{})
		var early, late uint64
		for n := range rounds {
			r := store.Begin(testRequest(b))
			r.BindLocal(benchID(n, 1))
			if n%2 == 0 {
				r.BindBuilder(benchID(n, 2)) // else the flashblocks come first
			}
			for _, d := range deliveries {
				d.PayloadID = benchID(n, 2)
				d.JSON = bytes.Clone(d.JSON)
				store.Add(d)
			}
			r.BindBuilder(benchID(n, 2))
			switch n % 3 {
			case 0:
				if _, err := r.Freeze().Envelope(4); err != nil {
					b.Fatal(err)
				}
				r.Keep(Sealed{})
			case 1:
				r.Discard(ReasonInvalid)
			}
			if n == rounds/10 {
				early = heap()
			}
		}
		late = heap()
		runtime.KeepAlive(store)
		b.ReportMetric(float64(early)/1e6, "MB-heap@10k")
		b.ReportMetric(float64(late)/1e6, "MB-heap@100k")
	}
}

// heap is what is in use after a collection, in bytes.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
