// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonrpc

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseSingle(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body   string
		id     string // "-" for absent
		method string
		params string // "-" for absent
	}{
		"usual":                     {`{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}`, `1`, "eth_chainId", `[]`},
		"order and space":           {" {\n\"params\" : [ 1 ,\t2 ] , \"method\":\"m\",\"id\":\"x\" }\r\n", `"x"`, "m", `[ 1 ,	2 ]`},
		"notification":              {`{"method":"m"}`, "-", "m", "-"},
		"null id is not none":       {`{"id":null,"method":"m"}`, "null", "m", "-"},
		"float id":                  {`{"id":1.50e+3,"method":"m"}`, "1.50e+3", "m", "-"},
		"huge id":                   {`{"id":123456789012345678901234567890,"method":"m"}`, "123456789012345678901234567890", "m", "-"},
		"escaped id":                {`{"id":"\u0041\/","method":"m"}`, `"\u0041\/"`, "m", "-"},
		"id of an object":           {`{"id":{"a": [1]},"method":"m"}`, `{"a": [1]}`, "m", "-"},
		"id of an array":            {`{"id":[ 1],"method":"m"}`, `[ 1]`, "m", "-"},
		"boolean id":                {`{"id":false,"method":"m"}`, "false", "m", "-"},
		"escaped key and method":    {`{"id":1,"\u006dethod":"eth\u005fcall"}`, "1", "eth_call", "-"},
		"params by name":            {`{"id":1,"method":"m","params":{"a":1}}`, "1", "m", `{"a":1}`},
		"unknown members stay":      {`{"id":1,"method":"m","x":[{}],"x":2}`, "1", "m", "-"},
		"version is the backend's":  {`{"jsonrpc":"1.0","id":1,"method":"m"}`, "1", "m", "-"},
		"text that is not ASCII":    {`{"id":1,"method":"m","params":["äöü€😀 longer than a word"]}`, "1", "m", `["äöü€😀 longer than a word"]`},
		"lone surrogate as escapes": {`{"id":1,"method":"m","params":["\ud800"]}`, "1", "m", `["\ud800"]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reqs, batch, err := ParseBody([]byte(tc.body))
			require.NoError(t, err)
			require.False(t, batch)
			require.Len(t, reqs, 1)
			r := reqs[0]
			require.Nil(t, r.Err)
			require.Equal(t, strings.TrimSpace(tc.body), string(r.Raw))
			require.Equal(t, tc.method, r.Method)
			requireSlice(t, tc.id, r.ID)
			requireSlice(t, tc.params, r.Params)
			require.Equal(t, tc.id == "-", r.Notification())
		})
	}
}

// requireBytes wants the same bytes, not only the same JSON.
func requireBytes(t *testing.T, want string, got []byte) {
	t.Helper()
	require.Equal(t, want, string(got))
}

func requireSlice(t *testing.T, want string, got json.RawMessage) {
	t.Helper()
	if want == "-" {
		require.Nil(t, got)
		return
	}
	require.Equal(t, want, string(got))
	require.Len(t, got, cap(got), "an append must not write into the body")
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", rules.MaxDepth) + strings.Repeat("]", rules.MaxDepth)
	for name, tc := range map[string]struct {
		body string
		code int
		text string
	}{
		"empty":                      {"", CodeParse, "unexpected end"},
		"space only":                 {" \n", CodeParse, "unexpected end"},
		"not JSON":                   {"hello", CodeParse, "no value"},
		"cut off":                    {`{"id":1,"method":"m"`, CodeParse, "unexpected end"},
		"cut off in a string":        {`{"id":1,"method":"m`, CodeParse, "unexpected end"},
		"cut off in an escape":       {`{"id":"\u00`, CodeParse, "unexpected end"},
		"trailing garbage":           {`{"id":1,"method":"m"} x`, CodeParse, "something follows"},
		"two objects":                {`{"id":1,"method":"m"}{"id":2,"method":"m"}`, CodeParse, "something follows"},
		"garbage after a batch":      {`[{"id":1,"method":"m"}]]`, CodeParse, "something follows"},
		"comma before the end":       {`{"id":1,"method":"m",}`, CodeParse, "key must be a string"},
		"comma in an array":          {`{"id":1,"method":"m","params":[1,]}`, CodeParse, "no value"},
		"no colon":                   {`{"id" 1}`, CodeParse, "no colon"},
		"no comma":                   {`{"id":1 "method":"m"}`, CodeParse, "neither"},
		"leading zero":               {`{"id":01,"method":"m"}`, CodeParse, "neither"},
		"plus sign":                  {`{"id":+1,"method":"m"}`, CodeParse, "no value"},
		"bare minus":                 {`{"id":-,"method":"m"}`, CodeParse, "no digit"},
		"bare point":                 {`{"id":1.,"method":"m"}`, CodeParse, "no digit"},
		"bare exponent":              {`{"id":1e,"method":"m"}`, CodeParse, "no digit"},
		"bad literal":                {`{"id":nul1,"method":"m"}`, CodeParse, "unknown literal"},
		"bad escape":                 {`{"id":"\x","method":"m"}`, CodeParse, "unknown escape"},
		"bad hex escape":             {`{"id":"\u00g0","method":"m"}`, CodeParse, "no hex digit"},
		"control character":          {"{\"id\":\"a\nb\",\"method\":\"m\"}", CodeParse, "control character"},
		"not UTF-8":                  {"{\"id\":\"\xff\",\"method\":\"m\"}", CodeParse, "not UTF-8"},
		"surrogate as bytes":         {"{\"id\":\"\xed\xa0\x80\",\"method\":\"m\"}", CodeParse, "not UTF-8"},
		"cut UTF-8":                  {"{\"id\":\"12345678\xe2\x82\",\"method\":\"m\"}", CodeParse, "not UTF-8"},
		"byte order mark":            {"\ufeff{\"id\":1,\"method\":\"m\"}", CodeParse, "no value"},
		"nul":                        {"{\"id\":1,\"method\":\"m\"\x00}", CodeParse, "neither"},
		"too deep":                   {`{"id":1,"method":"m","params":` + deep + `}`, CodeParse, "nested too deep"},
		"endless depth":              {strings.Repeat("[", 1<<20), CodeParse, "nested too deep"},
		"endless depth of objects":   {strings.Repeat(`{"a":`, 1<<20), CodeParse, "nested too deep"},
		"number":                     {"1", CodeInvalidRequest, "neither an object nor an array"},
		"string":                     {`"m"`, CodeInvalidRequest, "neither an object nor an array"},
		"no method":                  {`{"id":7}`, CodeInvalidRequest, "no method"},
		"a response":                 {`{"id":7,"result":1}`, CodeInvalidRequest, "no method"},
		"empty method":               {`{"id":7,"method":""}`, CodeInvalidRequest, "empty"},
		"method of a number":         {`{"id":7,"method":1}`, CodeInvalidRequest, "not a string"},
		"method twice":               {`{"id":7,"method":"eth_call","method":"miner_setExtra"}`, CodeInvalidRequest, "occurs twice"},
		"method twice by escapes":    {`{"id":7,"method":"eth_call","m\u0065thod":"miner_setExtra"}`, CodeInvalidRequest, "occurs twice"},
		"id twice":                   {`{"id":7,"id":2,"method":"m"}`, CodeInvalidRequest, "occurs twice"},
		"params twice":               {`{"id":7,"params":[],"method":"m","params":[]}`, CodeInvalidRequest, "occurs twice"},
		"version twice":              {`{"id":7,"jsonrpc":"2.0","method":"m","jsonrpc":"2.0"}`, CodeInvalidRequest, "occurs twice"},
		"method in another case":     {`{"id":7,"method":"eth_call","Method":"miner_setExtra"}`, CodeInvalidRequest, "in case only"},
		"params in another case":     {`{"id":7,"method":"m","PARAMS":[]}`, CodeInvalidRequest, "in case only"},
		"params with a long s":       {`{"id":7,"method":"m","paramſ":[]}`, CodeInvalidRequest, "in case only"},
		"empty batch":                {" [ ] ", CodeInvalidRequest, "empty batch"},
		"batch of too many":          {"[" + strings.Repeat("1,", maxBatch) + "1]", CodeInvalidRequest, "too many"},
		"batch cut off":              {`[{"id":1,"method":"m"},`, CodeParse, "unexpected end"},
		"syntax error in an element": {`[{"id":1,"method":"m"},{"id":}]`, CodeParse, "no value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reqs, _, err := ParseBody([]byte(tc.body))
			var rpc *Error
			require.ErrorAs(t, err, &rpc)
			require.Equal(t, tc.code, rpc.Code)
			require.Contains(t, rpc.Message, tc.text)
			if strings.Contains(tc.body, `"id":7`) {
				require.Len(t, reqs, 1)
				require.Equal(t, "7", string(reqs[0].ID), "the answer needs the id")
			} else {
				require.Empty(t, reqs)
			}
		})
	}
}

func TestParseDepth(t *testing.T) {
	t.Parallel()
	inner := strings.Repeat("[", rules.MaxDepth-1) + strings.Repeat("]", rules.MaxDepth-1)
	_, _, err := ParseBody([]byte(`{"id":1,"method":"m","params":` + inner + `}`))
	require.NoError(t, err)
}

func TestParseBatch(t *testing.T) {
	t.Parallel()
	body := ` [ {"id":1,"method":"a"} , 5,{"method":"b"},{"id":3}, [], {"id":"x","method":"c","method":"d"} ] `
	reqs, batch, err := ParseBody([]byte(body))
	require.NoError(t, err)
	require.True(t, batch)
	require.Len(t, reqs, 6)
	raws := make([]string, 0, len(reqs))
	for _, r := range reqs {
		raws = append(raws, string(r.Raw))
	}
	require.Equal(t, []string{`{"id":1,"method":"a"}`, `5`, `{"method":"b"}`, `{"id":3}`, `[]`, `{"id":"x","method":"c","method":"d"}`}, raws)
	require.Equal(t, "a", reqs[0].Method)
	require.False(t, reqs[0].Notification())
	require.True(t, reqs[2].Notification())
	require.Equal(t, "3", string(reqs[3].ID))
	for i, bad := range []bool{false, true, false, true, true, true} {
		require.Equal(t, bad, reqs[i].Err != nil, "element %d", i)
		if bad {
			require.Equal(t, CodeInvalidRequest, reqs[i].Err.Code)
			require.False(t, reqs[i].Notification(), "element %d is answered", i)
		}
	}
}

func TestBatchLimit(t *testing.T) {
	t.Parallel()
	one := `{"id":1,"method":"m"}`
	reqs, _, err := ParseBody([]byte("[" + strings.Repeat(one+",", maxBatch-1) + one + "]"))
	require.NoError(t, err)
	require.Len(t, reqs, maxBatch)
}

func TestArgs(t *testing.T) {
	t.Parallel()
	for params, want := range map[string][]string{
		``:                             nil,
		`null`:                         nil,
		`[]`:                           {},
		`[ ]`:                          {},
		`[1]`:                          {`1`},
		` [ {"a": [1,2]} , null,"," ]`: {`{"a": [1,2]}`, `null`, `","`},
	} {
		member := ""
		if params != "" {
			member = `,"params":` + params
		}
		reqs, _, err := ParseBody([]byte(`{"method":"m"` + member + `}`))
		require.NoError(t, err)
		args, err := reqs[0].Args()
		require.NoError(t, err)
		require.Len(t, args, len(want))
		for i := range want {
			require.Equal(t, want[i], string(args[i]))
		}
	}
	for params, text := range map[string]string{
		`{"a":1}`: "not an array",
		`"x"`:     "not an array",
		"[" + strings.Repeat("1,", maxArgs) + "1]": "too many",
	} {
		r := Request{Params: json.RawMessage(params)}
		_, err := r.Args()
		var rpc *Error
		require.ErrorAs(t, err, &rpc)
		require.Equal(t, CodeInvalidParams, rpc.Code)
		require.Contains(t, rpc.Message, text)
	}
}

func TestNewRequest(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		id     string
		method string
		params []json.RawMessage
		want   string
	}{
		{`1`, "eth_chainId", nil, `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}`},
		{`"a"`, "m", []json.RawMessage{json.RawMessage(`{"x": 1}`), json.RawMessage(`null`)}, `{"jsonrpc":"2.0","id":"a","method":"m","params":[{"x": 1},null]}`},
		{``, `odd"name`, nil, `{"jsonrpc":"2.0","method":"odd\"name","params":[]}`},
	} {
		var id json.RawMessage
		if tc.id != "" {
			id = json.RawMessage(tc.id)
		}
		r := NewRequest(id, tc.method, tc.params...)
		require.Equal(t, tc.want, string(r.Raw))
		parsed, _, err := ParseBody(r.Raw)
		require.NoError(t, err)
		require.Equal(t, parsed[0], r)
	}
}
