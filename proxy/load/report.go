// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package load

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// Report is what a run saw. Times are in milliseconds.
type Report struct {
	URL         string         `json:"url"`
	Seconds     float64        `json:"seconds"`
	Connections int            `json:"connections"`    // wanted
	Connected   int            `json:"connected"`      // admitted
	Lost        map[string]int `json:"lost,omitempty"` // refused, or ended early, by reason

	Flashblocks int     `json:"flashblocks"` // different ones
	Deliveries  uint64  `json:"deliveries"`  // messages over all connections
	Bytes       uint64  `json:"bytes"`       // of their payloads
	SpreadP50   float64 `json:"spread_p50_ms"`
	SpreadP99   float64 `json:"spread_p99_ms"`
	SpreadMax   float64 `json:"spread_max_ms"`

	Gaps       uint64 `json:"gaps"`         // messages that a connection missed and another got
	Holes      int    `json:"stream_holes"` // indices that no connection got
	Duplicates uint64 `json:"duplicates"`   // the same message twice in a row on one connection
	Disorder   uint64 `json:"out_of_order"` // an older message after a newer one on one connection
	Garbage    uint64 `json:"not_flashblocks"`

	Server *ServerUsage `json:"server,omitempty"`
}

// ServerUsage is what the watched process needed.
type ServerUsage struct {
	Idle         uint64  `json:"resident_before_bytes"`
	Connected    uint64  `json:"resident_connected_bytes"`
	After        uint64  `json:"resident_after_bytes"`
	PerConn      float64 `json:"bytes_per_connection"` // connected minus before
	CPUSeconds   float64 `json:"cpu_seconds"`          // while counting
	CPUDelivered float64 `json:"cpu_us_per_delivery"`
}

func (r *run) report(took time.Duration, before, connected, after Usage) *Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	out := &Report{
		URL:         r.cfg.URL,
		Seconds:     took.Seconds(),
		Connections: r.cfg.Connections,
		Connected:   len(r.conns),
		Lost:        maps.Clone(r.lost),
		Flashblocks: len(r.ledger.first),
		Deliveries:  r.messages.Load(),
		Bytes:       r.bytes.Load(),
		SpreadP50:   ms(r.ledger.spread.quantile(0.5)),
		SpreadP99:   ms(r.ledger.spread.quantile(0.99)),
		SpreadMax:   ms(r.ledger.spread.max),
		Gaps:        r.gaps.Load(),
		Holes:       r.ledger.holes,
		Duplicates:  r.repeats.Load(),
		Disorder:    r.disorder.Load(),
		Garbage:     r.garbage.Load(),
	}
	if connected.Resident > 0 {
		out.Server = &ServerUsage{
			Idle: before.Resident, Connected: connected.Resident, After: after.Resident,
			PerConn:    (float64(connected.Resident) - float64(before.Resident)) / float64(max(len(r.conns), 1)),
			CPUSeconds: (after.CPU - connected.CPU).Seconds(),
		}
		out.Server.CPUDelivered = 1e6 * out.Server.CPUSeconds / float64(max(out.Deliveries, 1))
	}
	return out
}

// Write prints the report for people.
func (r *Report) Write(w io.Writer) error {
	lines := []string{
		fmt.Sprintf("connections   %d of %d admitted, %.1f s", r.Connected, r.Connections, r.Seconds),
		fmt.Sprintf("flashblocks   %d different, %d deliveries, %d bytes", r.Flashblocks, r.Deliveries, r.Bytes),
		fmt.Sprintf("spread        p50 %.2f ms, p99 %.2f ms, max %.2f ms after the first connection had it", r.SpreadP50, r.SpreadP99, r.SpreadMax),
		fmt.Sprintf("lost          %d gaps, %d holes in the stream itself", r.Gaps, r.Holes),
		fmt.Sprintf("repeated      %d duplicates, %d out of order, %d not flashblocks", r.Duplicates, r.Disorder, r.Garbage),
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Lost)) {
		lines = append(lines, fmt.Sprintf("disconnected  %d: %s", r.Lost[reason], reason))
	}
	if s := r.Server; s != nil {
		lines = append(lines,
			fmt.Sprintf("memory        %.1f KiB per connection (%d KiB before, %d KiB connected, %d KiB after)",
				s.PerConn/1024, s.Idle>>10, s.Connected>>10, s.After>>10),
			fmt.Sprintf("CPU           %.2f s, %.1f us per delivery", s.CPUSeconds, s.CPUDelivered))
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
