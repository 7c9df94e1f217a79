// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import (
	"fmt"
	"time"
)

const (
	// failuresToDoubt is how many calls in a row a backend leaves unanswered before it counts as down. After the
	// first one the Poller asks at once, so that a dead backend is found in two round trips and a single
	// lost packet is not a change of leadership.
	failuresToDoubt = 2

	// memory is how long failed engine calls and builds count after the last of them. Who still asks adds
	// new ones well within it; who does not (the leadership has moved on) must not be red for ever.
	memory = 15 * time.Second
)

// Config says how Evaluate judges.
type Config struct {
	MaxAge        time.Duration // Greatest age of a backend's latest block
	Interval      time.Duration // Time between two polls of a healthy backend
	BuildFailures int           // Builds in a row that fail before the builder counts as unhealthy, at least 1
}

// Head is what a poll has found.
type Head struct {
	At   time.Time // When the answer came, zero if none ever did
	Time time.Time // Timestamp of the latest block
}

// Streak counts failures since the last success.
type Streak struct {
	Failures int
	Last     time.Time // When the last failure was
}

// fail counts one more.
func (s *Streak) fail(at time.Time) { *s = Streak{s.Failures + 1, at} }

// Backend is what is known of one backend.
type Backend struct {
	Head       Head
	Unanswered Streak // Calls of any kind that got no answer, since any answer
	Engine     Streak // forkchoiceUpdated and newPayload that got none, or an internal error, since a good one
}

// Observations are all that Evaluate knows.
type Observations struct {
	L2          Backend
	Builder     Backend
	Builds      Streak // Builds that the builder was asked for and no usable block came of
	BuilderIdle bool   // There is no builder, or the mode is disabled: it does not matter how it is
}

// Evaluate judges what was observed, and says why in half a sentence, which is empty for Healthy.
func Evaluate(o *Observations, now time.Time, cfg Config) (status Status, why string) {
	if why := cfg.fault(&o.L2, now); why != "" {
		return ServiceUnavailable, "the local execution layer " + why
	}
	if o.BuilderIdle {
		return Healthy, ""
	}
	if why := cfg.fault(&o.Builder, now); why != "" {
		return PartialContent, "the builder " + why
	}
	if cfg.fails(o.Builds, now) {
		return PartialContent, fmt.Sprintf("the builder has failed %d blocks in a row", o.Builds.Failures)
	}
	return Healthy, ""
}

// MayBuild judges whether an unhealthy builder should be asked for a block again. It forgets failed
// builds as soon as the builder answers a poll well: who is not asked cannot prove that it can build.
func MayBuild(o *Observations, now time.Time, cfg Config) bool {
	if o.BuilderIdle || cfg.fault(&o.Builder, now) != "" {
		return false
	}
	return !cfg.fails(o.Builds, now) || o.Builder.Head.At.After(o.Builds.Last)
}

// fails reports whether the builder has failed too many builds lately.
func (cfg *Config) fails(builds Streak, now time.Time) bool {
	return builds.Failures >= cfg.BuildFailures && now.Sub(builds.Last) <= memory
}

// fault says what is wrong with a backend, nothing if it is well.
func (cfg *Config) fault(b *Backend, now time.Time) string {
	switch {
	case b.Head.At.IsZero() && b.Unanswered.Failures == 0:
		return "has not been asked yet"
	case b.Head.At.IsZero() || b.Unanswered.Failures >= failuresToDoubt:
		return "does not answer"
	case now.Sub(b.Head.At) > 2*cfg.Interval+memory:
		// Polls never pause for so long, but this machine may have.
		return fmt.Sprintf("was last seen %v ago", now.Sub(b.Head.At).Round(time.Second))
	case b.Head.At.Sub(b.Head.Time) > cfg.MaxAge:
		return fmt.Sprintf("has a latest block of %v ago", b.Head.At.Sub(b.Head.Time).Round(time.Second))
	case b.Engine.Failures >= failuresToDoubt && now.Sub(b.Engine.Last) <= memory:
		return "fails engine calls"
	}
	return ""
}
