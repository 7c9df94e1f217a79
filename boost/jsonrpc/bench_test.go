// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonrpc

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

const hash = `"0x0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"`

func forkchoiceBody() []byte {
	return []byte(`{"jsonrpc":"2.0","id":12345,"method":"engine_forkchoiceUpdatedV3","params":[{"headBlockHash":` + hash +
		`,"safeBlockHash":` + hash + `,"finalizedBlockHash":` + hash + `},null]}`)
}

// payloadBody is a newPayload of about size bytes in transactions of 500 bytes.
func payloadBody(size int) []byte {
	tx := `"0x` + strings.Repeat("f8a1", 250) + `"`
	txs := strings.Repeat(tx+",", size/len(tx)) + tx
	return []byte(`{"jsonrpc":"2.0","id":12345,"method":"engine_newPayloadV4","params":[{"parentHash":` + hash +
		`,"transactions":[` + txs + `],"withdrawals":[]},[],` + hash + `,[]]}`)
}

var sink int

func BenchmarkParseBody(b *testing.B) {
	for name, body := range map[string][]byte{"fcu": forkchoiceBody(), "newPayload1MB": payloadBody(1 << 20)} {
		b.Run(name+"/scan", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				reqs, _, err := ParseBody(body)
				if err != nil {
					b.Fatal(err)
				}
				sink += len(reqs)
			}
		})
		b.Run(name+"/encoding-json", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var req struct {
					ID     json.RawMessage `json:"id"`
					Method string          `json:"method"`
					Params json.RawMessage `json:"params"`
				}
				if err := json.Unmarshal(body, &req); err != nil {
					b.Fatal(err)
				}
				sink += len(req.Params)
			}
		})
		b.Run(name+"/bytes", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				for _, c := range body {
					if c == '"' {
						sink++
					}
				}
			}
		})
	}
}

func BenchmarkFor(b *testing.B) {
	body := `{"jsonrpc":"2.0","id":1,"result":` + string(payloadBody(500<<10)) + `}`
	res, err := ParseResponse([]byte(body))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		sink += len(res.For(json.RawMessage(strconv.Itoa(sink % 1000))))
	}
}
