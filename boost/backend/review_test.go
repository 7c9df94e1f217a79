// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// A status that net/http does not write, or that means an upgrade, is no answer that could be passed on.
func TestForwardRefusesOddStatus(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"099 Odd", "000 Odd", "101 Switching Protocols"} {
		e := newEL(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, buf, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			_, _ = io.WriteString(buf, "HTTP/1.1 "+status+"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
			_ = buf.Flush()
			_ = conn.Close()
		})
		c := newClient(t, e.URL, nil)
		_, err := c.Forward(t.Context(), nil, []byte("{}"))
		require.ErrorIs(t, err, ErrStatus, status)
	}
}
