// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// A builder without an answer is an unknown payload to the consensus client, by every version.
func TestGetPayloadWithoutAnswer(t *testing.T) {
	t.Parallel()
	fake := new(fakeBuilder)
	n := newNode(t, ethtest.Regolith, withBuilder(fake))
	fake.payloads = map[engine.PayloadID]*engine.ExecutionPayloadEnvelope{{1}: {}, {3}: {}, {4}: {}}
	for method, id := range map[string]engine.PayloadID{
		"engine_getPayloadV1": {1}, "engine_getPayloadV2": {1}, "engine_getPayloadV3": {3},
		"engine_getPayloadV4": {3}, "engine_getPayloadV5": {3}, "engine_getPayloadV6": {4},
	} {
		require.Equal(t, answer{Code: -38001, Error: "Unknown payload"}, n.Call(method, id), "%s", method)
	}
}

// A version that cannot serve a payload's id does not end its building.
func TestGetPayloadOfAnotherVersion(t *testing.T) {
	t.Parallel()
	fake := new(fakeBuilder)
	n := newNode(t, ethtest.Jovian, withBuilder(fake))
	serves := map[string][]byte{
		"engine_getPayloadV1": {1}, "engine_getPayloadV2": {1, 2}, "engine_getPayloadV3": {3},
		"engine_getPayloadV4": {3}, "engine_getPayloadV5": {3}, "engine_getPayloadV6": {4},
	}
	for method, versions := range serves {
		for version := range byte(6) {
			if slices.Contains(versions, version) {
				continue
			}
			fake.payloads = map[engine.PayloadID]*engine.ExecutionPayloadEnvelope{{version}: {}}
			require.Equal(t, answer{Code: -38005, Error: "Unsupported fork"}, n.Call(method, engine.PayloadID{version}), "%s of %d", method, version)
		}
	}
	require.Empty(t, fake.sealed)
}
