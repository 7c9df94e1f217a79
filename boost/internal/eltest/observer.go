// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eltest

import (
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
)

// Observer remembers how calls and builds ended.
type Observer struct {
	mu       sync.Mutex
	withhold bool
	calls    map[health.Which][]error
	builds   []error
}

// NewObserver returns an observer that lets the builder build.
func NewObserver() *Observer { return &Observer{calls: make(map[health.Which][]error)} }

// Withhold has the builder asked for no block.
func (o *Observer) Withhold() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.withhold = true
}

// MayBuild reports whether the builder should be asked for a block.
func (o *Observer) MayBuild() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.withhold
}

// ObserveCall remembers how a call ended.
func (o *Observer) ObserveCall(which health.Which, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls[which] = append(o.calls[which], err)
}

// Calls returns how the calls to either side ended.
func (o *Observer) Calls(which health.Which) []error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.calls[which])
}

// Failures returns the errors of the calls to both sides.
func (o *Observer) Failures() (list []error) {
	for _, which := range []health.Which{health.L2, health.Builder} {
		for _, err := range o.Calls(which) {
			if err != nil {
				list = append(list, err)
			}
		}
	}
	return list
}

// ObserveBuild remembers how a build ended.
func (o *Observer) ObserveBuild(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.builds = append(o.builds, err)
}

// Builds returns how the builds ended.
func (o *Observer) Builds() []error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.builds)
}
