// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParsePayload(t *testing.T) {
	t.Parallel()
	result, err := prefixOf(t, encode(flashblock(9, 0))).Envelope(4)
	require.NoError(t, err)
	payload, err := ParsePayload(result)
	require.NoError(t, err)
	bare, err := ParsePayload(payload.Execution)
	require.NoError(t, err)
	require.Equal(t, payload.BlockHash, bare.BlockHash)
	require.Nil(t, bare.ParentBeaconBlockRoot)
	_, params := bare.NewPayload(4, &testBeacon)
	require.JSONEq(t, `"`+testBeacon.Hex()+`"`, string(params[2]))
	for _, bad := range []string{
		``, `null`, `[]`, `{}`, `{"executionPayload":{}}`, `{"executionPayload":null}`,
		`{"executionPayload":[]}`, strings.Replace(string(result), `"0x64"`, `"0xzz"`, 1),
		strings.Replace(string(result), `"gasUsed"`, `"gasLimit"`, 1),
	} {
		_, err := ParsePayload(json.RawMessage(bad))
		require.ErrorIs(t, err, ErrMalformed, bad)
	}
}

// A block that op-node could not use is none: it reads envelopes, and from Ecotone on it takes the parent
// beacon root from them.
func TestPayloadFitsItsVersion(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	r := h.bound(1, 9)
	h.add(9, 0)
	result, err := r.Freeze().Envelope(4)
	require.NoError(t, err)
	whole, err := ParsePayload(result)
	require.NoError(t, err)
	require.NoError(t, whole.Fits(4))
	bare, err := ParsePayload(whole.Execution)
	require.NoError(t, err)
	require.NoError(t, bare.Fits(1))
	require.ErrorIs(t, bare.Fits(2), ErrMalformed)
	rootless, err := ParsePayload(append(append([]byte(`{"executionPayload":`), whole.Execution...), '}'))
	require.NoError(t, err)
	require.NoError(t, rootless.Fits(2))
	require.ErrorIs(t, rootless.Fits(3), ErrMalformed)
}
