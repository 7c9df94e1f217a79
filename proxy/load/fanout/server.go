// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package fanout

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/proxy/load"
)

// Job is one measurement.
type Job struct {
	Shape    string        `json:"shape"`
	Clients  int           `json:"clients"`
	Bytes    int           `json:"bytes"`    // size of a message
	Messages int           `json:"messages"` // how many are sent
	Interval time.Duration `json:"interval"` // from one to the next
}

// Result is what a measurement gave. Times are in microseconds.
type Result struct {
	Job         Job     `json:"job"`
	AllWritten  float64 `json:"all_written_p50_us"` // from Publish until the last client has been written to
	AllP99      float64 `json:"all_written_p99_us"`
	Publish     float64 `json:"publish_p50_us"` // the call of Publish alone
	CPU         float64 `json:"cpu_us_per_delivery"`
	IdleRSS     float64 `json:"idle_resident_bytes_per_client"` // after a forced return of unused memory
	Heap        float64 `json:"heap_bytes_per_client"`
	Goroutines  float64 `json:"goroutines_per_client"`
	LoadAverage string  `json:"load_average"`
}

// counter counts the bytes written to all connections of a listener.
type counter struct {
	net.Listener
	written atomic.Int64
}

// Accept returns connections that count.
func (c *counter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &counted{Conn: conn, sum: &c.written}, nil
}

type counted struct {
	net.Conn
	sum *atomic.Int64
}

// Write implements net.Conn.
func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.sum.Add(int64(n))
	return n, err
}

// serve runs a measurement; ready is called with the address that the clients connect to.
func serve(job Job, shape Shape, ready func(addr string) error) (*Result, error) {
	if err := load.RaiseFileLimit(job.Clients); err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	inner, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	var listener net.Listener = inner
	per := int64(1)
	var written func() int64
	if counting, ok := shape.(Counting); ok {
		written = counting.Deliveries
	} else {
		counter := &counter{Listener: inner}
		listener, written = counter, counter.written.Load
		per = int64(len(appendFrame(nil, make([]byte, job.Bytes))))
	}
	server := &http.Server{Handler: shape.Handler(), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()

	rss, heap, goroutines := footprint()
	if err := ready(inner.Addr().String()); err != nil {
		return nil, err
	}
	await(func() bool { return shape.Clients() == job.Clients })
	idleRSS, idleHeap, idleGoroutines := footprint()
	n := float64(job.Clients)
	out := &Result{
		Job:        job,
		IdleRSS:    (idleRSS - rss) / n,
		Heap:       (idleHeap - heap) / n,
		Goroutines: (idleGoroutines - goroutines) / n,
	}
	return out, measure(job, shape, func() int64 { return written() / per }, out)
}

// measure sends the messages and waits for each to be written, as deliveries says.
func measure(job Job, shape Shape, deliveries func() int64, out *Result) error {
	message := bytes.Repeat([]byte("f"), job.Bytes)
	var all, publish []float64
	before := processCPU()
	tick := time.NewTicker(job.Interval)
	defer tick.Stop()
	for range job.Messages {
		<-tick.C
		want := deliveries() + int64(job.Clients)
		started := time.Now()
		shape.Publish(message)
		publish = append(publish, float64(time.Since(started).Nanoseconds())/1e3)
		await(func() bool { return deliveries() >= want })
		all = append(all, float64(time.Since(started).Nanoseconds())/1e3)
	}
	out.CPU = float64((processCPU() - before).Microseconds()) / float64(job.Clients*job.Messages)
	slices.Sort(all)
	slices.Sort(publish)
	out.AllWritten, out.AllP99, out.Publish = all[len(all)/2], all[len(all)*99/100], publish[len(publish)/2]
	average, err := os.ReadFile("/proc/loadavg")
	out.LoadAverage = string(bytes.TrimSpace(average))
	return err
}

// await looks for a condition often enough to time it and rarely enough to cost little.
func await(condition func() bool) {
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for !condition() {
		<-tick.C
	}
}

// footprint is the memory of this process once what is unused has been given back.
func footprint() (rss, heap, goroutines float64) {
	runtime.GC()
	debug.FreeOSMemory()
	usage, err := load.Measure(os.Getpid())
	if err != nil {
		panic(fmt.Errorf("memory of this process: %w", err))
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(usage.Resident), float64(m.HeapAlloc), float64(runtime.NumGoroutine())
}

// processCPU is the CPU time of this process.
func processCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
