// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonrpc

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestParseResponse(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body   string
		id     string
		result string
		err    *Error
	}{
		"result":              {`{"jsonrpc":"2.0","id":1,"result":{"status": "VALID","new":1}}`, `1`, `{"status": "VALID","new":1}`, nil},
		"null result":         {`{"id":1,"result":null}`, `1`, `null`, nil},
		"result, null error":  {`{"id":1,"error":null,"result":0}` + "\n", `1`, `0`, nil},
		"no id":               {`{"result":0}`, `-`, `0`, nil},
		"id last":             {`{"result":[0], "id" : "a"}`, `"a"`, `[0]`, nil},
		"error":               {`{"id":1,"error":{"code":-38001,"message":"Unknown payload","data":{"err":"x"}}}`, `1`, `-`, &Error{-38001, "Unknown payload", json.RawMessage(`{"err":"x"}`)}},
		"error and result":    {`{"id":null,"result":null,"error":{"message":"é\n","code":3}}`, `null`, `-`, &Error{3, "é\n", nil}},
		"error with unknowns": {`{"id":1,"error":{"code":1,"message":"","more":[]}}`, `1`, `-`, &Error{1, "", nil}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, err := ParseResponse([]byte(tc.body))
			require.NoError(t, err)
			require.Equal(t, strings.TrimSpace(tc.body), string(res.Raw))
			requireSlice(t, tc.id, res.ID)
			requireSlice(t, tc.result, res.Result)
			require.Equal(t, tc.err, res.Error)
		})
	}
}

func TestParseResponseRefuses(t *testing.T) {
	t.Parallel()
	for body, text := range map[string]string{
		"":                                        "starts with",
		"missing token":                           `"missing token"`,
		"[]":                                      "starts with",
		`[{"id":1,"result":1}]`:                   "starts with",
		`{"id":1}`:                                "neither a result nor an error",
		`{"id":1,"error":null}`:                   "neither a result nor an error",
		`{"id":1,"result":1,"result":2}`:          "occurs twice",
		`{"id":1,"result":1,"Result":2}`:          "in case only",
		`{"id":1,"result":1`:                      "unexpected end",
		`{"id":1,"result":1}x`:                    "something follows",
		`{"id":1,"error":"no"}`:                   "not an object",
		`{"id":1,"error":{}}`:                     "no integer code",
		`{"id":1,"error":{"code":"1"}}`:           "no integer code",
		`{"id":1,"error":{"code":1.5}}`:           "no integer code",
		`{"id":1,"error":{"code":1}}`:             "no message",
		`{"id":1,"error":{"code":1,"message":2}}`: "no message",
		`{"id":1,"error":{"code":1,"code":2,"message":""}}`:           "occurs twice",
		`{"id":1,"error":{"code":99999999999999999999,"message":""}}`: "no integer code",
		strings.Repeat("x", 1<<20):                                    "(shortened)",
	} {
		_, err := ParseResponse([]byte(body))
		require.ErrorIs(t, err, ErrResponse)
		require.ErrorContains(t, err, text)
		require.Less(t, len(err.Error()), 500)
	}
}

func TestFor(t *testing.T) {
	t.Parallel()
	body := ` {"jsonrpc":"2.0", "x":[1], "id" : 17 ,"result":{"id":17}} `
	res, err := ParseResponse([]byte(body))
	require.NoError(t, err)
	same := res.For(json.RawMessage("17"))
	require.Equal(t, &res.Raw[0], &same[0], "the bytes of the backend, not a copy")
	requireBytes(t, `{"jsonrpc":"2.0", "x":[1], "id" : "abc" ,"result":{"id":17}}`, res.For(json.RawMessage(`"abc"`)))
	requireBytes(t, `{"jsonrpc":"2.0", "x":[1], "id" : null ,"result":{"id":17}}`, res.For(nil))
	require.Equal(t, strings.TrimSpace(body), string(res.Raw), "the original stays as it was")

	without, err := ParseResponse([]byte(`{"result":1}`))
	require.NoError(t, err)
	requireBytes(t, `{"jsonrpc":"2.0","id":5,"result":1}`, without.For(json.RawMessage("5")))
	failed := &Response{Error: &Error{Code: -32000, Message: `a "quoted" one`, Data: json.RawMessage(`[1]`)}}
	requireBytes(t, `{"jsonrpc":"2.0","id":5,"error":{"code":-32000,"message":"a \"quoted\" one","data":[1]}}`, failed.For(json.RawMessage("5")))
}

func TestAppend(t *testing.T) {
	t.Parallel()
	requireBytes(t, `x{"jsonrpc":"2.0","id":null,"result":null}`, AppendResult([]byte("x"), nil, nil))
	requireBytes(t, `{"jsonrpc":"2.0","id":"a","result":[1]}`, AppendResult(nil, json.RawMessage(`"a"`), json.RawMessage(`[1]`)))
	requireBytes(t, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}`, AppendError(nil, json.RawMessage("1"), &Error{Code: CodeMethodNotFound, Message: "no"}))
	require.Equal(t, "no (JSON-RPC error -32601)", (&Error{Code: CodeMethodNotFound, Message: "no"}).Error())
}

// A peer's message is repeated to a bounded length, and whoever keeps the error keeps no more than that.
func TestErrorIsBrief(t *testing.T) {
	t.Parallel()
	long := &Error{Code: -32000, Message: strings.Repeat("é", 1<<20), Data: json.RawMessage(`"x"`)}
	require.Less(t, len(long.Error()), 400)
	require.True(t, utf8.ValidString(long.Error()))
	brief := long.Brief()
	require.Equal(t, -32000, brief.Code)
	require.LessOrEqual(t, len(brief.Message), briefMessage)
	require.Nil(t, brief.Data)
	short := &Error{Code: 4, Message: "Unknown payload"}
	require.Equal(t, "Unknown payload (JSON-RPC error 4)", short.Error())
	require.Equal(t, short, short.Brief())
}
