// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
)

// goodAttributes is an encoding of attributes with every member set.
const goodAttributes = `{"timestamp":"0x6553f102","prevRandao":"0x0700000000000000000000000000000000000000000000000000000000000000",` +
	`"suggestedFeeRecipient":"0x4200000000000000000000000000000000000011","withdrawals":[],` +
	`"parentBeaconBlockRoot":"0x0900000000000000000000000000000000000000000000000000000000000000","slotNumber":"0x5",` +
	`"targetGasLimit":"0x1c9c380","transactions":["0x7eff"],"noTxPool":true,"gasLimit":"0x1c9c380",` +
	`"eip1559Params":"0x000000fa00000006","minBaseFee":7}`

// withOverride adds a "flashblocks" member to the good attributes.
func withOverride(override string) string {
	return strings.TrimSuffix(goodAttributes, "}") + `,"flashblocks":` + override + `}`
}

func TestOverride(t *testing.T) {
	t.Parallel()
	const slot = 2 * time.Second
	for _, tt := range []struct {
		name     string
		override string
		err      string // beginning of the error, empty for none
		disabled bool
		interval time.Duration
	}{
		{name: "empty", override: `{}`},
		{name: "null", override: `null`},
		{name: "enabled", override: `{"enabled":true}`},
		{name: "disabled", override: `{"enabled":false}`, disabled: true},
		{name: "null members", override: `{"enabled":null,"intervalMs":null}`},
		{name: "interval", override: `{"intervalMs":50}`, interval: 50 * time.Millisecond},
		{name: "both", override: `{"enabled":true,"intervalMs":250}`, interval: 250 * time.Millisecond},
		{name: "disabled with interval", override: `{"enabled":false,"intervalMs":250}`, disabled: true, interval: 250 * time.Millisecond},
		{name: "shortest", override: `{"intervalMs":5}`, interval: 5 * time.Millisecond},
		{name: "whole slot", override: `{"intervalMs":2000}`, interval: slot},

		{name: "zero", override: `{"intervalMs":0}`, err: "flashblocks.intervalMs must be greater than zero"},
		{name: "too short", override: `{"intervalMs":4}`, err: "flashblocks.intervalMs 4 is below the shortest supported, 5"},
		{name: "longer than the slot", override: `{"intervalMs":2001}`, err: "flashblocks.intervalMs 2001 is longer than the slot of 2000 ms"},
		{name: "huge", override: `{"intervalMs":18446744073709551615}`, err: "flashblocks.intervalMs 18446744073709551615 is longer than the slot"},
		{name: "overflow", override: `{"intervalMs":18446744073709551616}`, err: "flashblocks.intervalMs must be a whole number of milliseconds, got 18446744073709551616"},
		{name: "negative", override: `{"intervalMs":-200}`, err: "flashblocks.intervalMs must be a whole number of milliseconds, got -200"},
		{name: "fraction", override: `{"intervalMs":0.5}`, err: "flashblocks.intervalMs must be a whole number of milliseconds, got 0.5"},
		{name: "interval as text", override: `{"intervalMs":"200"}`, err: `flashblocks.intervalMs must be a whole number of milliseconds, got "200"`},
		{name: "interval as list", override: `{"intervalMs":[200]}`, err: "flashblocks.intervalMs must be a whole number of milliseconds, got [200]"},
		{name: "enabled as number", override: `{"enabled":1}`, err: "flashblocks.enabled must be true or false, got 1"},
		{name: "enabled as text", override: `{"enabled":"yes"}`, err: `flashblocks.enabled must be true or false, got "yes"`},
		{name: "number", override: `200`, err: "flashblocks must be an object, got 200"},
		{name: "boolean", override: `true`, err: "flashblocks must be an object, got true"},
		{name: "list", override: `[]`, err: "flashblocks must be an object, got []"},
		{name: "unknown member", override: `{"interval":200}`, err: `flashblocks has an unknown member "interval"`},
		{name: "other case", override: `{"Enabled":false}`, err: `flashblocks has an unknown member "Enabled"`},
		{name: "long nonsense", override: `"` + strings.Repeat("x", 1000) + `"`, err: `flashblocks must be an object, got "` + strings.Repeat("x", maxEcho-1) + "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var attrs PayloadAttributes
			require.NoError(t, json.Unmarshal([]byte(withOverride(tt.override)), &attrs), "a bad override must not fail the decoding")
			err := attrs.checkOverride(slot)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				require.Less(t, len(err.Error()), 200)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.disabled, attrs.options().Whole)
			require.Equal(t, tt.interval, attrs.options().Interval)
		})
	}
}

// Without a known slot only what no slot could hold is refused.
func TestOverrideWithoutSlot(t *testing.T) {
	t.Parallel()
	for ms, ok := range map[uint64]bool{1: false, 200: true, 12_000: true, maxIntervalMs: true, maxIntervalMs + 1: false, 1 << 63: false} {
		attrs := PayloadAttributes{Flashblocks: &Override{IntervalMs: &ms}}
		err := attrs.checkOverride(0)
		require.Equal(t, ok, err == nil, "%d ms: %v", ms, err)
	}
}

// The promoted decoder of the embedded type must not swallow the override, nor the other way round.
func TestAttributesKeepEveryMember(t *testing.T) {
	t.Parallel()
	var want engine.PayloadAttributes
	require.NoError(t, json.Unmarshal([]byte(goodAttributes), &want))
	for i := range reflect.TypeOf(want).NumField() {
		require.False(t, reflect.ValueOf(want).Field(i).IsZero(), "test attributes lack %s", reflect.TypeOf(want).Field(i).Name)
	}
	for _, input := range []string{goodAttributes, withOverride(`{"enabled":false,"intervalMs":50}`), withOverride(`5`)} {
		var got PayloadAttributes
		require.NoError(t, json.Unmarshal([]byte(input), &got))
		require.Equal(t, want, got.PayloadAttributes)
	}
}

// An escaped key is the same key.
func TestOverrideEscapedKey(t *testing.T) {
	t.Parallel()
	var attrs PayloadAttributes
	input := strings.Replace(withOverride(`{"intervalMs":0}`), `"flashblocks"`, `"fl\u0061shblocks"`, 1)
	require.NoError(t, json.Unmarshal([]byte(input), &attrs))
	require.ErrorIs(t, attrs.checkOverride(0), errZeroInterval)
}

func TestAttributesRoundTrip(t *testing.T) {
	t.Parallel()
	for _, input := range []string{goodAttributes, withOverride(`{"enabled":false,"intervalMs":50}`), withOverride(`{}`)} {
		var attrs, again PayloadAttributes
		require.NoError(t, json.Unmarshal([]byte(input), &attrs))
		enc, err := json.Marshal(&attrs)
		require.NoError(t, err)
		require.JSONEq(t, input, string(enc))
		require.NoError(t, json.Unmarshal(enc, &again))
		require.Equal(t, attrs, again)
	}
}

// FuzzPayloadAttributes compares the decoder with op-geth's: same verdict and same members whatever the
// input, and an override that is found exactly when the object has one.
func FuzzPayloadAttributes(f *testing.F) {
	f.Add([]byte(goodAttributes))
	for _, override := range []string{`{}`, `null`, `{"enabled":false,"intervalMs":50}`, `{"intervalMs":-1}`, `[]`, `{"a":{"flashblocks":1}}`} {
		f.Add([]byte(withOverride(override)))
	}
	f.Add([]byte(`null`))
	f.Add([]byte(`{"flashblocks":{}}`))
	f.Add([]byte(strings.Replace(withOverride(`{}`), `flashblocks`, `flashblock\u0073`, 1)))
	f.Fuzz(func(t *testing.T, input []byte) {
		var want engine.PayloadAttributes
		var got PayloadAttributes
		wantErr, gotErr := json.Unmarshal(input, &want), json.Unmarshal(input, &got)
		require.Equal(t, wantErr, gotErr)
		require.Equal(t, want, got.PayloadAttributes)
		if gotErr != nil {
			return
		}
		var members map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(input, &members))
		raw, found := members["flashblocks"]
		found = found && string(raw) != "null"
		require.Equal(t, found, got.Flashblocks != nil || got.overrideErr != nil)
		if got.checkOverride(2*time.Second) == nil {
			require.LessOrEqual(t, got.options().Interval, 2*time.Second)
			require.GreaterOrEqual(t, got.options().Interval, time.Duration(0))
		}
	})
}
