// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package testchain

import (
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common/mclock"
)

// JumpClock is a monotonic clock that stands still while work is done and jumps over every wait, so that a
// slot takes no longer than its work.
type JumpClock struct{ now atomic.Int64 }

var _ mclock.Clock = (*JumpClock)(nil)

// Now implements mclock.Clock.
func (c *JumpClock) Now() mclock.AbsTime { return mclock.AbsTime(c.now.Load()) }

// Sleep implements mclock.Clock.
func (c *JumpClock) Sleep(d time.Duration) { c.now.Add(int64(d)) }

// After implements mclock.Clock.
func (c *JumpClock) After(d time.Duration) <-chan mclock.AbsTime { return c.NewTimer(d).C() }

// AfterFunc implements mclock.Clock.
func (c *JumpClock) AfterFunc(d time.Duration, f func()) mclock.Timer {
	c.now.Add(int64(d))
	f()
	return firedTimer{}
}

// NewTimer implements mclock.Clock.
func (c *JumpClock) NewTimer(d time.Duration) mclock.ChanTimer {
	fired := make(chan mclock.AbsTime, 1)
	fired <- mclock.AbsTime(c.now.Add(int64(d)))
	return firedTimer{c: fired}
}

type firedTimer struct{ c chan mclock.AbsTime }

func (t firedTimer) Stop() bool               { return false }
func (t firedTimer) C() <-chan mclock.AbsTime { return t.c }
func (t firedTimer) Reset(time.Duration)      {}
