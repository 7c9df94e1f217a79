// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package fanout

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// EnvClients sets the number of subscribers of a table.
const EnvClients = "PROXY_BENCH_CLIENTS"

// The settings of the table: 8 KiB five times a second.
const (
	tableClients  = 9000
	tableBytes    = 8 << 10
	tableMessages = 25
	tableInterval = 200 * time.Millisecond
)

// The shapes that every table has.
const (
	ShapeBare = "bare write loop"
	ShapeHub  = "flashproxy"
	ShapeChat = "gorilla chat"
)

// Shapes are the ones of this package.
func Shapes() map[string]func() (Shape, error) {
	return map[string]func() (Shape, error){
		ShapeBare: func() (Shape, error) { return new(Bare), nil },
		ShapeHub:  func() (Shape, error) { return NewHub() },
		ShapeChat: func() (Shape, error) { return NewChat(), nil },
	}
}

// Table is one run of several shapes, one after the other.
type Table struct {
	Results map[string]*Result
	Alone   *Result // flashproxy with one subscriber
	order   []string
}

// NewTable measures the shapes in turn.
func NewTable(ctx context.Context, shapes ...string) (*Table, error) {
	clients := tableClients
	if text := os.Getenv(EnvClients); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s must be a number of clients, not %q", EnvClients, text)
		}
		clients = n
	}
	t := &Table{Results: make(map[string]*Result), order: shapes}
	job := Job{Clients: clients, Bytes: tableBytes, Messages: tableMessages, Interval: tableInterval}
	for _, shape := range shapes {
		job.Shape = shape
		result, err := Measure(ctx, job)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", shape, err)
		}
		t.Results[shape] = result
	}
	job.Shape, job.Clients = ShapeHub, 1
	alone, err := Measure(ctx, job)
	t.Alone = alone
	return t, err
}

// Ratios are the figures of the table that are ratios.
func (t *Table) Ratios() map[string]float64 {
	hub, bare := t.Results[ShapeHub], t.Results[ShapeBare]
	return map[string]float64{
		"all-written/bare": hub.AllWritten / bare.AllWritten,
		"cpu/bare":         hub.CPU / bare.CPU,
		"publish/alone":    hub.Publish / t.Alone.Publish,
		"rss-B/conn":       hub.IdleRSS,
		"heap-B/conn":      hub.Heap,
	}
}

// String prints the table.
func (t *Table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s %9s %12s %12s %12s %10s %10s %10s %6s  %s\n",
		"shape", "clients", "all p50 ms", "all p99 ms", "publish us", "cpu us", "rss B", "heap B", "gor.", "load")
	row := func(r *Result) {
		fmt.Fprintf(&b, "%-18s %9d %12.1f %12.1f %12.1f %10.2f %10.0f %10.0f %6.1f  %s\n", r.Job.Shape, r.Job.Clients,
			r.AllWritten/1e3, r.AllP99/1e3, r.Publish, r.CPU, r.IdleRSS, r.Heap, r.Goroutines, r.LoadAverage)
	}
	for _, shape := range t.order {
		row(t.Results[shape])
	}
	row(t.Alone)
	return b.String()
}
