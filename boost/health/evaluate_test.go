// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	noon   = time.Date(2026, 8, 20, 12, 0, 0, 500_000_000, time.UTC)
	config = Config{MaxAge: 10 * time.Second, Interval: time.Minute, BuildFailures: 2}
)

// aged is a backend that was asked a second ago and whose latest block was that old then.
func aged(age time.Duration) Backend {
	at := noon.Add(-time.Second)
	return Backend{Head: Head{At: at, Time: at.Add(-age)}}
}

// silent is a backend that answered a minute ago, and then left calls unanswered.
func silent(failures int) Backend {
	b := aged(time.Second)
	b.Head.At = noon.Add(-time.Minute)
	b.Head.Time = b.Head.At
	b.Unanswered = Streak{failures, noon}
	return b
}

// TestEvaluate holds every rule of rollup-boost's health.rs, and where this judge differs on purpose.
func TestEvaluate(t *testing.T) {
	t.Parallel()
	fresh, stale := aged(2*time.Second), aged(10*time.Second+1)
	failing := func(b Backend, failures int, ago time.Duration) Backend {
		b.Engine = Streak{failures, noon.Add(-ago)}
		return b
	}
	for name, tc := range map[string]struct {
		o    Observations
		want Status
		why  string
	}{
		"both fresh":                       {Observations{L2: fresh, Builder: fresh}, Healthy, ""},
		"at the limit":                     {Observations{L2: aged(10 * time.Second), Builder: aged(10 * time.Second)}, Healthy, ""},
		"a block of the future":            {Observations{L2: aged(-time.Second), Builder: fresh}, Healthy, ""},
		"stale builder":                    {Observations{L2: fresh, Builder: stale}, PartialContent, "the builder has a latest block of 10s ago"},
		"stale l2":                         {Observations{L2: stale, Builder: fresh}, ServiceUnavailable, "the local execution layer has a latest block"},
		"both stale":                       {Observations{L2: stale, Builder: stale}, ServiceUnavailable, "local"},
		"builder away":                     {Observations{L2: fresh, Builder: silent(2)}, PartialContent, "does not answer"},
		"l2 away":                          {Observations{L2: silent(2), Builder: fresh}, ServiceUnavailable, "does not answer"},
		"both away":                        {Observations{L2: silent(9), Builder: silent(9)}, ServiceUnavailable, "local"},
		"builder idle, l2 fresh":           {Observations{L2: fresh, Builder: stale, BuilderIdle: true}, Healthy, ""},
		"builder idle, never asked":        {Observations{L2: fresh, BuilderIdle: true}, Healthy, ""},
		"builder idle, l2 stale":           {Observations{L2: stale, Builder: fresh, BuilderIdle: true}, ServiceUnavailable, "local"},
		"builder idle, builds failed":      {Observations{L2: fresh, Builds: Streak{9, noon}, BuilderIdle: true}, Healthy, ""},
		"nothing known (F8)":               {Observations{}, ServiceUnavailable, "has not been asked yet"},
		"l2 known only (F8)":               {Observations{L2: fresh}, PartialContent, "the builder has not been asked yet"},
		"away from the start":              {Observations{L2: Backend{Unanswered: Streak{1, noon}}}, ServiceUnavailable, "does not answer"},
		"one lost answer of l2":            {Observations{L2: silent(1), Builder: fresh}, Healthy, ""},
		"one lost answer of the builder":   {Observations{L2: fresh, Builder: silent(1)}, Healthy, ""},
		"one failed build":                 {Observations{L2: fresh, Builder: fresh, Builds: Streak{1, noon}}, Healthy, ""},
		"builds fail":                      {Observations{L2: fresh, Builder: fresh, Builds: Streak{2, noon}}, PartialContent, "2 blocks in a row"},
		"builds failed in another age":     {Observations{L2: fresh, Builder: fresh, Builds: Streak{9, noon.Add(-memory - 1)}}, Healthy, ""},
		"engine calls of l2 fail":          {Observations{L2: failing(fresh, 2, 0), Builder: fresh}, ServiceUnavailable, "fails engine calls"},
		"engine calls of the builder fail": {Observations{L2: fresh, Builder: failing(fresh, 2, 0)}, PartialContent, "fails engine calls"},
		"one engine call failed":           {Observations{L2: failing(fresh, 1, 0), Builder: fresh}, Healthy, ""},
		"engine calls failed once":         {Observations{L2: failing(fresh, 9, memory+1), Builder: fresh}, Healthy, ""},
		"polls have stopped":               {Observations{L2: Backend{Head: Head{At: noon.Add(-3 * time.Minute), Time: noon.Add(-3 * time.Minute)}}}, ServiceUnavailable, "was last seen 3m0s ago"},
	} {
		status, why := Evaluate(&tc.o, noon, config)
		require.Equal(t, tc.want, status, name)
		if tc.why == "" {
			require.Empty(t, why, name)
		} else {
			require.Contains(t, why, tc.why, name)
		}
	}
}

// TestEvaluateChangesNothing: it is asked by several goroutines and about several times.
func TestEvaluateChangesNothing(t *testing.T) {
	t.Parallel()
	o := Observations{L2: aged(2 * time.Second), Builder: silent(1), Builds: Streak{2, noon}}
	before := o
	for at := range 100 {
		Evaluate(&o, noon.Add(time.Duration(at)*time.Second), config)
		MayBuild(&o, noon.Add(time.Duration(at)*time.Second), config)
	}
	require.Equal(t, before, o)
	status, _ := Evaluate(&o, noon, config)
	require.Equal(t, PartialContent, status)
}

// TestMayBuild: a builder that is not asked has to have a way back (F6).
func TestMayBuild(t *testing.T) {
	t.Parallel()
	well := aged(time.Second) // asked a second before noon
	for name, tc := range map[string]struct {
		o    Observations
		want bool
	}{
		"well":                             {Observations{Builder: well}, true},
		"never asked":                      {Observations{}, false},
		"away":                             {Observations{Builder: silent(2)}, false},
		"one lost answer":                  {Observations{Builder: silent(1)}, true},
		"stale":                            {Observations{Builder: aged(time.Minute)}, false},
		"one failed build":                 {Observations{Builder: well, Builds: Streak{1, noon}}, true},
		"builds failed after the poll":     {Observations{Builder: well, Builds: Streak{2, noon}}, false},
		"builds failed before the poll":    {Observations{Builder: well, Builds: Streak{2, noon.Add(-2 * time.Second)}}, true},
		"l2 is away, which is not its own": {Observations{L2: silent(9), Builder: well}, true},
		"idle":                             {Observations{Builder: well, BuilderIdle: true}, false},
	} {
		require.Equal(t, tc.want, MayBuild(&tc.o, noon, config), name)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	require.Zero(t, ServiceUnavailable, "what is not known is not healthy")
	for status, want := range map[Status]struct {
		code int
		name string
	}{Healthy: {200, "Healthy"}, PartialContent: {206, "PartialContent"}, ServiceUnavailable: {503, "ServiceUnavailable"}} {
		require.Equal(t, want.code, status.Code())
		require.Equal(t, want.name, status.String())
	}
}
