// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// fuzzLimits keeps hostile inputs cheap enough for many of them a second.
var fuzzLimits = Limits{MaxCompressed: 1 << 20, MaxDecoded: 1 << 20}

func fuzzSeeds(f *testing.F) [][]byte {
	f.Helper()
	var seeds [][]byte
	for _, fb := range goldenCases() {
		seeds = append(seeds, fb.AppendJSON(nil))
	}
	for seed := range uint64(8) {
		seeds = append(seeds, newGenerator(seed).flashblock(2).AppendJSON(nil))
	}
	for _, name := range []string{unichainVector, baseVector} {
		messages, _ := vector(f, name)
		for _, message := range messages {
			seeds = append(seeds, message)
		}
	}
	return append(seeds,
		[]byte(withMetadata(`{"block_number":7,"receipts":{"0x1":{"Deposit":{"status":true}}}}`)),
		[]byte(withMetadata(`{"block_number":7,"block_number":"0x7","access_list":[[]]}`)),
		[]byte(`{"payload_id":"0x\u0030","index":1e9,"diff":{}}`),
	)
}

// checkDecode holds everything that is true of any input.
func checkDecode(t *testing.T, frame []byte) {
	t.Helper()
	fb, original, err := Decode(frame, fuzzLimits)
	if err != nil {
		require.Nil(t, fb)
		return
	}
	require.True(t, json.Valid(original), "accepted what encoding/json does not: %s", original)
	header, again, err := DecodeHeader(frame, fuzzLimits)
	require.NoError(t, err)
	require.Equal(t, fb.Header(), header)
	require.Equal(t, original, again)

	// What was understood survives a round trip; what was left out is left out of both.
	second, _, err := Decode(fb.AppendJSON(nil), Limits{})
	require.NoError(t, err)
	fb.Metadata.UnknownReceipts = 0
	if fb.Metadata.Dialect == DialectFull {
		fb.Metadata.PrevFlashblockID = nil // not part of the full form that we write
	}
	if fb.Metadata.Dialect == DialectOpaque && fb.Metadata.Raw == nil {
		fb.Metadata.Raw = []byte(`{}`) // metadata is always written, also if it was absent
	}
	require.Equal(t, fb, second)
}

func FuzzDecode(f *testing.F) {
	for _, seed := range fuzzSeeds(f) {
		f.Add(seed)
	}
	f.Fuzz(checkDecode)
}

func FuzzDecodeCompressed(f *testing.F) {
	for _, seed := range fuzzSeeds(f) {
		f.Add(compress(f, seed))
	}
	f.Add([]byte{0x1b})
	f.Fuzz(func(t *testing.T, frame []byte) {
		plain, err := Plain(frame, fuzzLimits)
		if err == nil {
			require.LessOrEqual(t, len(plain), fuzzLimits.MaxDecoded)
		}
		checkDecode(t, frame)
	})
}
