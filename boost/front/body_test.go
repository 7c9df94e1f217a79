// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package front

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
)

// What is too long is refused, whether its length is declared or not; what is not whole is nobody's.
func TestBodies(t *testing.T) {
	t.Parallel()
	const most = 64 << 10
	r := newRig(t, func(c *Config) { c.MaxBody = most })
	block := func(size int) []byte { return eltest.Encode("engine_newPayloadV4", strings.Repeat("a", size)) }
	for name, tc := range map[string]struct {
		body   io.Reader
		length int64
		status int
	}{
		"too long":               {bytes.NewReader(block(2 * most)), int64(len(block(2 * most))), http.StatusRequestEntityTooLarge},
		"too long, not declared": {bytes.NewReader(block(2 * most)), -1, http.StatusRequestEntityTooLarge},
		"not declared":           {bytes.NewReader(block(most / 2)), -1, http.StatusOK},
		"small":                  {bytes.NewReader(block(10)), int64(len(block(10))), http.StatusOK},
		"large":                  {bytes.NewReader(block(most / 2)), int64(len(block(most / 2))), http.StatusOK},
		"large, not a block":     {strings.NewReader(strings.Repeat(" ", most/2) + `{"jsonrpc":"2.0","id":1,"method":"engine_x"}`), most/2 + 44, http.StatusOK},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url(), tc.body)
		require.NoError(t, err)
		req.ContentLength = tc.length
		got := r.do(req)
		require.Equal(t, tc.status, got.status, "%s: %s", name, got.body)
		require.Equal(t, tc.status == http.StatusOK, bytes.Contains(got.body, []byte(`"result":"engine_`)), "%s: %s", name, got.body)
	}
	require.Len(t, r.routes.made(), 4)
	require.Equal(t, 2, r.counter("rollup_boost_oversized_requests_total"))

	for _, size := range []int{1 << 10, most / 2} { // the larger one in memory that is used again
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.server.Addr().String())
		require.NoError(t, err)
		body := block(size)
		_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: sidecar\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:len(body)/2])
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	}
	require.NoError(t, r.server.Stop(t.Context()))
	require.Len(t, r.routes.made(), 4)
}
