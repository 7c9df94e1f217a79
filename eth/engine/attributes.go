// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/miner"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// overrideKey is the member of the payload attributes that belongs to flashgeth. It is matched exactly.
const overrideKey = "flashblocks"

// maxEcho bounds how much of a caller's own bytes an error repeats.
const maxEcho = 40

// PayloadAttributes are op-geth's payload attributes with an optional member "flashblocks" that
// overrides the node's flags for one payload. Every other member is decoded by op-geth's own code.
type PayloadAttributes struct {
	engine.PayloadAttributes

	Flashblocks *Override // nil when the attributes carry none, or a bad one

	// overrideErr is kept instead of being returned by UnmarshalJSON: a failed decoding is answered by
	// the RPC layer as invalid parameters, while a bad override has to be invalid attributes.
	overrideErr error
}

// Override is the "flashblocks" member of the payload attributes. Absent members leave the flags in force.
type Override struct {
	Enabled    *bool   `json:"enabled,omitempty"`    // false builds the payload without streaming it
	IntervalMs *uint64 `json:"intervalMs,omitempty"` // time between two flashblocks in milliseconds
}

// UnmarshalJSON decodes the attributes as op-geth does, then the override. Its error is op-geth's; a bad
// override is reported by the forkchoice update instead.
func (a *PayloadAttributes) UnmarshalJSON(input []byte) error {
	// The embedded type has a decoder of its own, which promotion would otherwise make ours.
	if err := a.PayloadAttributes.UnmarshalJSON(input); err != nil {
		return err
	}
	a.Flashblocks, a.overrideErr = nil, nil

	// Attributes can be megabytes of transactions, so look before parsing them a second time. An escape
	// could spell the key differently, and no encoder puts one into attributes otherwise.
	if !bytes.Contains(input, []byte(`"`+overrideKey+`"`)) && bytes.IndexByte(input, '\\') < 0 {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(input, &members); err != nil {
		return err
	}
	if raw, ok := members[overrideKey]; ok {
		a.Flashblocks, a.overrideErr = decodeOverride(raw)
	}
	return nil
}

// MarshalJSON encodes the attributes as op-geth does, and the override when there is one.
func (a PayloadAttributes) MarshalJSON() ([]byte, error) {
	enc, err := a.PayloadAttributes.MarshalJSON()
	if err != nil || a.Flashblocks == nil {
		return enc, err
	}
	override, err := json.Marshal(a.Flashblocks)
	if err != nil {
		return nil, err
	}
	// op-geth's encoding is an object that always has its required members, so a comma fits before ours.
	out := bytes.TrimSuffix(enc, []byte("}"))
	out = append(out, `,"`+overrideKey+`":`...)
	out = append(out, override...)
	return append(out, '}'), nil
}

// decodeOverride decodes the override strictly: an operator who misspells a member shall hear of it.
func decodeOverride(raw json.RawMessage) (*Override, error) {
	if string(raw) == "null" {
		return nil, nil //nolint:nilnil // null is an absent override, and that is no error
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, fmt.Errorf("flashblocks must be an object, got %s", echo(raw))
	}
	out := new(Override)
	for _, key := range slices.Sorted(maps.Keys(members)) {
		value := members[key]
		switch key {
		case "enabled":
			if err := json.Unmarshal(value, &out.Enabled); err != nil {
				return nil, fmt.Errorf("flashblocks.enabled must be true or false, got %s", echo(value))
			}
		case "intervalMs":
			if err := json.Unmarshal(value, &out.IntervalMs); err != nil {
				return nil, fmt.Errorf("flashblocks.intervalMs must be a whole number of milliseconds, got %s", echo(value))
			}
		default:
			return nil, fmt.Errorf("flashblocks has an unknown member %q", echo([]byte(key)))
		}
	}
	return out, nil
}

// echo returns the beginning of bytes that came from the caller.
func echo(raw []byte) string {
	if len(raw) > maxEcho {
		return string(raw[:maxEcho]) + "…"
	}
	return string(raw)
}

// checkOverride reports an override that makes no sense for a slot of the given length. The length is
// zero if it is not known, because the parent is not.
func (a *PayloadAttributes) checkOverride(slot time.Duration) error {
	if a.overrideErr != nil {
		return a.overrideErr
	}
	if a.Flashblocks == nil || a.Flashblocks.IntervalMs == nil {
		return nil
	}
	ms := *a.Flashblocks.IntervalMs
	switch {
	case ms == 0:
		return errZeroInterval
	case ms < uint64(params.MinInterval.Milliseconds()):
		return fmt.Errorf("flashblocks.intervalMs %d is below the shortest supported, %d", ms, params.MinInterval.Milliseconds())
	case slot > 0 && ms > uint64(slot.Milliseconds()):
		return fmt.Errorf("flashblocks.intervalMs %d is longer than the slot of %d ms", ms, slot.Milliseconds())
	case ms > maxIntervalMs:
		return fmt.Errorf("flashblocks.intervalMs %d is longer than any slot", ms)
	}
	return nil
}

// maxIntervalMs keeps an interval far from overflowing a time.Duration when the slot is not known.
const maxIntervalMs = 24 * 60 * 60 * 1000

// dropOverride forgets the override, as on a node that streams nothing it is a member that nobody knows.
func (a *PayloadAttributes) dropOverride() { a.Flashblocks, a.overrideErr = nil, nil }

// options returns what the override changes at the builder.
func (a *PayloadAttributes) options() (opts miner.Options) {
	if a.Flashblocks == nil {
		return opts
	}
	opts.Whole = a.Flashblocks.Enabled != nil && !*a.Flashblocks.Enabled
	if ms := a.Flashblocks.IntervalMs; ms != nil {
		opts.Interval = time.Duration(*ms) * time.Millisecond
	}
	return opts
}
