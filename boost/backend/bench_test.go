// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// BenchmarkCall measures one call over loopback against what a bare HTTP client needs for the same bytes,
// which is what httputil.ReverseProxy does behind its front.
func BenchmarkCall(b *testing.B) {
	answer := []byte(`{"jsonrpc":"2.0","id":1,"result":{"payloadStatus":{"status":"VALID"},"payloadId":null}}`)
	block := []byte(`{"jsonrpc":"2.0","id":1,"result":{"executionPayload":"` + strings.Repeat("0", 500<<10) + `"}}`)
	get := request("engine_getPayloadV4", `"0x0102030405060708"`)
	backend := newServer(b, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		if n == int64(len(get.Raw)) {
			_, _ = w.Write(block)
			return
		}
		_, _ = w.Write(answer)
	})
	large := `"` + strings.Repeat("0", 500<<10) + `"`
	for _, tc := range []struct {
		name string
		req  *jsonrpc.Request
	}{
		{"fcu", request("engine_forkchoiceUpdatedV3", `{"headBlockHash":"`+strings.Repeat("0", 240)+`"}`, "null")},
		{"newPayload500KB", request("engine_newPayloadV4", large)},
		{"getPayload500KB", get},
	} {
		b.Run(tc.name+"/client", func(b *testing.B) {
			c := newClient(b, backend, nil)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Call(b.Context(), tc.req); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(tc.name+"/queue", func(b *testing.B) {
			q := newQueue(b, QueueConfig{}, newClient(b, backend, nil))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := q.Do(b.Context(), KindNewPayload, tc.req); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(tc.name+"/bare", func(b *testing.B) {
			transport := new(http.Transport)
			defer transport.CloseIdleConnections()
			b.ReportAllocs()
			for b.Loop() {
				bare(b, transport, backend, tc.req.Raw)
			}
		})
	}
}

func newServer(b *testing.B, handler http.HandlerFunc) string {
	b.Helper()
	e := newEL(b, nil)
	e.Config.Handler = handler
	return e.URL
}

func bare(b *testing.B, transport *http.Transport, url string, body []byte) {
	b.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		b.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		b.Fatal(err)
	}
}
