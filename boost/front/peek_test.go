// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package front

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// What peek recognises, it reads as the scanner does; anything else is left to the scanner.
func TestPeek(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		`{"jsonrpc":"2.0","id":12,"method":"engine_newPayloadV4","params":[{},[],"0x00",[]]}`: true,
		`{"jsonrpc":"2.0","id":0,"method":"engine_newPayloadV1"}` + "\n":                      true,
		`{"jsonrpc":"2.0","id":1,"method":"engine_newPayloadV","params":[]}`:                  false,
		`{"jsonrpc":"2.0","id":1,"method":"engine_newPayloadV0","params":[]}`:                 false,
		`{"jsonrpc":"2.0","id":1,"method":"engine_newPayloadV44","params":[]}`:                false,
		`{"jsonrpc":"2.0","id":1,"method":"engine_newPayloadV\"","params":[]}`:                false,
		`{"jsonrpc":"2.0","id":1,"method":"engine_getPayloadV4","params":[]}`:                 false,
		`{"jsonrpc":"2.0","id":"1","method":"engine_newPayloadV4","params":[]}`:               false,
		`{"jsonrpc":"2.0","id":01,"method":"engine_newPayloadV4","params":[]}`:                false,
		`{"jsonrpc":"2.0","id":123456789012345678901,"method":"engine_newPayloadV4"}`:         false,
		`{"id":1,"jsonrpc":"2.0","method":"engine_newPayloadV4","params":[]}`:                 false,
		`[{"jsonrpc":"2.0","id":1,"method":"engine_newPayloadV4","params":[]}]`:               false,
		`{"jsonrpc":"2.0","id":1,"method":"engine_newPayloadV4","params":[`:                   false,
		`{"jsonrpc":"2.0","id":1,"method":"engine_newPayloadV4`:                               false,
		`{"jsonrpc":"2.0","id":`: false,
		``:                       false,
	} {
		req, ok := peek([]byte(body))
		require.Equal(t, want, ok, body)
		if !ok {
			continue
		}
		scanned, _, err := jsonrpc.ParseBody([]byte(body))
		require.NoError(t, err, body)
		require.Equal(t, scanned[0].Method, req.Method)
		require.Equal(t, scanned[0].ID, req.ID)
		require.Equal(t, body, string(req.Raw))
	}
}
