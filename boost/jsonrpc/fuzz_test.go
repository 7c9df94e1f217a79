// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonrpc

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var seeds = []string{
	``, `{}`, `[]`, `[[]]`, `null`, `"x"`, `-0.5E+7`, ` {"id":1,"method":"m"} `, `{"id":1,"method":"m","params":[1,{"a":"b\\\""}]}`,
	`[{"id":"a","method":"m"},{"method":"n"},3]`, `{"id":1,"method":"m","Method":"n"}`, `{"\u0069d":[],"method":"\ud83d\ude00"}`,
	`{"jsonrpc":"2.0","id":1,"result":{"status":"VALID"}}`, `{"id":null,"error":{"code":-32000,"message":"x","data":{}}}`,
	"{\"id\":\"\xff\"}", `{"id":01}`, `{"id":1,}`, `{"a":{"b":{"c":[[[[true,false,null]]]]}}}`, "{\"method\":\"\x01\"}",
	`{"id":1,"result":"0123456789abcdef0123456789abcdef\u0030"}`,
}

// FuzzParseBody checks the scanner against encoding/json: both accept the same, except that the scanner
// also wants UTF-8 and bounded depth, and what it returns is what the body says.
func FuzzParseBody(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		reqs, batch, err := ParseBody(body)
		require.Equal(t, before, body, "the body was written to")
		if err != nil {
			var rpc *Error
			require.ErrorAs(t, err, &rpc)
			if rpc.Code == CodeParse && utf8.Valid(body) && bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) < rules.MaxDepth {
				require.False(t, json.Valid(body), "%v", err)
			} else if rpc.Code == CodeInvalidRequest && !bytes.Contains(body, []byte("[")) {
				require.True(t, json.Valid(body))
			}
			return
		}
		require.True(t, json.Valid(body))
		require.True(t, utf8.Valid(body))
		require.True(t, batch || len(reqs) == 1)
		for _, r := range reqs {
			if r.Err != nil {
				continue
			}
			var want struct {
				ID     json.RawMessage `json:"id"`
				Method string          `json:"method"`
				Params json.RawMessage `json:"params"`
			}
			require.NoError(t, json.Unmarshal(r.Raw, &want))
			require.Equal(t, want.Method, r.Method)
			require.Equal(t, want.ID, r.ID)
			require.Equal(t, want.Params, r.Params)
			args, err := r.Args()
			if err == nil && len(args) > 0 {
				var list []json.RawMessage
				require.NoError(t, json.Unmarshal(r.Params, &list))
				require.Equal(t, list, args)
			}
		}
	})
}

// FuzzParseResponse checks that whatever is accepted is JSON, and stays the same but for its id.
func FuzzParseResponse(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		res, err := ParseResponse(body)
		if err != nil {
			require.ErrorIs(t, err, ErrResponse)
			return
		}
		require.True(t, json.Valid(body))
		require.NotEqual(t, res.Error == nil, res.Result == nil)
		again, err := ParseResponse(res.For(json.RawMessage(`"another"`)))
		require.NoError(t, err)
		require.Equal(t, `"another"`, string(again.ID))
		require.Equal(t, res.Result, again.Result)
		require.Equal(t, res.Error, again.Error)
		if res.ID != nil {
			require.Equal(t, string(res.Raw), string(again.For(res.ID)))
		}
	})
}
