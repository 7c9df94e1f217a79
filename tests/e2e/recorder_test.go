// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"testing"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// What a stream published, and everything published under one payload id.
type (
	recorder = harness.Recorder
	attempt  = harness.Attempt
)

// record follows a stream until the end of the test. It judges nothing: the audit does.
func record(t *testing.T, url string) *recorder {
	t.Helper()
	return harness.Record(t, url, false)
}

// newest is the highest block number that something was published for.
func newest(r *recorder) uint64 {
	numbers := r.Numbers()
	return numbers[len(numbers)-1]
}

// userFlashblocks counts what was published behind index 0.
func userFlashblocks(r *recorder) (count int) {
	for _, number := range r.Numbers() {
		for _, a := range r.At(number) {
			count += a.User()
		}
	}
	return count
}

// attemptsBeyondOne counts the attempts at numbers up to last that were not the only ones.
func attemptsBeyondOne(r *recorder, last uint64) (count int) {
	for _, number := range r.Numbers() {
		if number <= last {
			count += len(r.At(number)) - 1
		}
	}
	return count
}

// nonEmpty matches a position with transactions in any block.
func nonEmpty(i uint64) func(*flashblocks.Flashblock) bool {
	return func(fb *flashblocks.Flashblock) bool { return fb.Index == i && len(fb.Diff.Transactions) > 0 }
}
