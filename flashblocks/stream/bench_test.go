// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// newBench is a hub for clients that are read by goroutines counting bytes only.
func newBench(b *testing.B, clients int) (*harness, *sync.WaitGroup) {
	b.Helper()
	h := newHarness(b, HubConfig{Limit: clients + 1, PingInterval: time.Hour, ReadTimeout: time.Hour, WriteTimeout: patience}, ServerConfig{})
	var wg sync.WaitGroup
	for range clients {
		conn := h.upgradeRaw("/")
		require.NoError(b, conn.SetDeadline(time.Time{}))
		tcp, ok := conn.(*net.TCPConn)
		require.True(b, ok)
		require.NoError(b, tcp.SetReadBuffer(64<<10))
		wg.Go(func() { _, _ = io.Copy(io.Discard, conn) })
	}
	h.eventually("everybody is connected", func() bool { return int(h.hub.m.connections.Get()) == clients })
	return h, &wg
}

// awaitDelivered waits until one more message has been written to every client, looking rarely enough
// to cost nothing.
func (h *harness) awaitDelivered(sent *uint64, clients int) {
	*sent += uint64(clients)
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for h.hub.m.delivered.Get() < *sent {
		<-tick.C
	}
}

// BenchmarkPublish measures Publish alone: what the builder pays. The clients take every message
// before the next one, outside p50 and p99 but inside ns/op.
func BenchmarkPublish(b *testing.B) {
	for _, clients := range []int{0, 1, 2000} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			h, _ := newBench(b, clients)
			m := message(teststream.PayloadID(1), 1, 0, 8<<10)
			sent, took := uint64(0), []time.Duration{}
			for b.Loop() {
				// Every Publish meets an idle process, as at the deadline of a flashblock.
				<-time.After(2 * time.Millisecond)
				start := time.Now()
				h.hub.Publish(m)
				took = append(took, time.Since(start))
				h.awaitDelivered(&sent, clients)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2]), "p50-ns/publish")
			b.ReportMetric(float64(took[len(took)*99/100]), "p99-ns/publish")
		})
	}
}

// processCPU is the CPU time of the process, which a busy machine distorts less than elapsed time. It
// includes the clients, which are the same in everything compared.
func processCPU(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkDelivery measures one message from Publish until it is written to every client, beside the
// least there can be: the same bytes in a loop of writes over the same number of connections.
func BenchmarkDelivery(b *testing.B) {
	const clients, pad = 1000, 8 << 10
	b.Run("hub", func(b *testing.B) {
		h, _ := newBench(b, clients)
		m := message(teststream.PayloadID(1), 1, 0, pad)
		sent, before := uint64(0), processCPU(b)
		for b.Loop() {
			h.hub.Publish(m)
			h.awaitDelivered(&sent, clients)
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/clients, "µs/client")
		b.ReportMetric(float64((processCPU(b)-before).Microseconds())/float64(b.N)/clients, "cpu-µs/client")
	})
	b.Run("bare", func(b *testing.B) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(b, err)
		defer func() { _ = listener.Close() }()
		var conns []net.Conn
		for range clients {
			down, err := net.Dial("tcp", listener.Addr().String())
			require.NoError(b, err)
			up, err := listener.Accept()
			require.NoError(b, err)
			go func() { _, _ = io.Copy(io.Discard, down); _ = down.Close() }()
			conns = append(conns, up)
		}
		frame := make([]byte, len(message(teststream.PayloadID(1), 1, 0, pad).V1)+4)
		before := processCPU(b)
		for b.Loop() {
			for _, conn := range conns {
				_, _ = conn.Write(frame)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/clients, "µs/client")
		b.ReportMetric(float64((processCPU(b)-before).Microseconds())/float64(b.N)/clients, "cpu-µs/client")
		for _, conn := range conns {
			_ = conn.Close()
		}
	})
}

// BenchmarkIdleConnection measures the memory of connected clients, theirs and the hub's side in one
// process; the client's side is a bare TCP connection without goroutine or buffer.
func BenchmarkIdleConnection(b *testing.B) {
	const clients = 2000
	memory := func() (heap, stack float64) {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc), float64(m.StackInuse)
	}
	for b.Loop() {
		h := newHarness(b, HubConfig{Limit: clients}, ServerConfig{})
		heap, stack := memory()
		conns := make([]net.Conn, clients)
		for i := range conns {
			conns[i] = h.upgradeRaw("/")
		}
		h.eventually("everybody is connected", func() bool { return int(h.hub.m.connections.Get()) == clients })
		h.eventually("the handshakes have ended", func() bool { return h.server.pending.Load() == 0 })
		heapAfter, stackAfter := memory()
		b.ReportMetric((heapAfter-heap)/clients, "heap-B/conn")
		b.ReportMetric((stackAfter-stack)/clients, "stack-B/conn")
		for _, conn := range conns {
			_ = conn.Close()
		}
	}
}

// BenchmarkBrotli is the cost of the one compression per message.
func BenchmarkBrotli(b *testing.B) {
	text := message(teststream.PayloadID(1), 1, 0, 64<<10).V1
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		_, err := compress(text)
		require.NoError(b, err)
	}
}
