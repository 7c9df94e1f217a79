// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLaneOf(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		method string
		params []string
		want   laneID
	}{
		{"engine_newPayloadV4", nil, laneCritical},
		{"engine_getPayloadV5", []string{`"0x0"`}, laneCritical},
		{"engine_forkchoiceUpdatedV3", []string{`{}`, `{"timestamp":"0x1"}`}, laneCritical},
		{"engine_forkchoiceUpdatedV3", []string{`{}`, `null`}, laneForkchoice},
		{"engine_forkchoiceUpdatedV3", []string{`{}`}, laneForkchoice},
		{"engine_forkchoiceUpdatedV3", nil, laneForkchoice},
		{"engine_getPayloadBodiesByHashV1", nil, laneProxied},
		{"engine_exchangeCapabilities", nil, laneProxied},
		{"eth_call", nil, laneProxied},
	} {
		require.Equal(t, tc.want, laneOf(request(tc.method, tc.params...)), tc.method)
	}
}

// TestLanesShareNothing: with every connection of one lane taken by calls that hang, the others answer,
// over connections of their own.
func TestLanesShareNothing(t *testing.T) {
	t.Parallel()
	var hanging atomic.Int64
	release := make(chan struct{})
	e := newEL(t, func(w http.ResponseWriter, r *http.Request) {
		if body := body(t, r); body != "" && body[len(body)-2] == 'g' {
			hanging.Add(1)
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
		_, _ = io.WriteString(w, `{"id":1,"result":1}`)
	})
	defer close(release)
	c := newClient(t, e.URL, nil)
	ctx, cancel := context.WithCancel(t.Context())
	conns := laneConns[laneForkchoice]
	done := make(chan struct{})
	for range conns {
		req := request("engine_forkchoiceUpdatedV3", "{}")
		req.Raw = append(req.Raw, " g "...) // Space that marks the call; the backend does not mind
		go func() {
			_, _ = c.Call(ctx, req)
			done <- struct{}{}
		}()
	}
	require.Eventually(t, func() bool { return hanging.Load() == int64(conns) }, long, 1e6)
	for _, req := range []string{"engine_newPayloadV4", "engine_getPayloadV4", "eth_call"} {
		_, err := c.Call(t.Context(), request(req))
		require.NoError(t, err)
	}
	_, err := c.Call(t.Context(), request("engine_forkchoiceUpdatedV3", "{}", "{}"))
	require.NoError(t, err)
	remotes := map[string]laneID{}
	for _, s := range e.requests() {
		id := laneProxied
		switch {
		case s.method == "" || s.method == "engine_forkchoiceUpdatedV3" && !containsAttributes(s.body):
			id = laneForkchoice
		case s.method != "eth_call":
			id = laneCritical
		}
		if before, ok := remotes[s.remote]; ok {
			require.Equal(t, before, id, "%s shares a connection", s.method)
		}
		remotes[s.remote] = id
	}
	cancel()
	for range conns {
		<-done
	}
}

func containsAttributes(body string) bool {
	return body == string(request("engine_forkchoiceUpdatedV3", "{}", "{}").Raw)
}

// TestLaneIsBounded: what a hung backend leaves waiting has a limit.
func TestLaneIsBounded(t *testing.T) {
	t.Parallel()
	l := &lane{most: 3}
	for range 3 {
		require.True(t, l.enter())
	}
	require.False(t, l.enter())
	l.leave()
	require.True(t, l.enter())

	c := newClient(t, newEL(t, nil).URL, nil)
	c.lanes[laneProxied].most = 0
	_, err := c.Call(t.Context(), request("eth_call"))
	require.ErrorIs(t, err, ErrBusy)
	_, err = c.Call(t.Context(), request("engine_newPayloadV4"))
	require.NoError(t, err)
}

// dying is an EL that answers the first call on its first connection, takes the second one and dies
// without an answer. Other connections work.
func dying(t *testing.T) (url string, second func() int64) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var conns, after atomic.Int64
	var wg sync.WaitGroup
	t.Cleanup(func() { // The client's own, which closes the connections, runs before
		_ = listener.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			first := conns.Add(1) == 1
			wg.Go(func() {
				defer func() { _ = conn.Close() }()
				in := bufio.NewReader(conn)
				for n := 0; ; n++ {
					req, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if _, err := io.Copy(io.Discard, req.Body); err != nil {
						return
					}
					if n > 0 || !first {
						after.Add(1)
					}
					if first && n > 0 {
						return // Read, perhaps executed, never answered
					}
					const answer = `{"id":1,"result":1}`
					_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
				}
			})
		}
	})
	return "http://" + listener.Addr().String(), after.Load
}

// TestRepeat: a restarted EL costs no call that may be made twice, and no other call is made twice.
func TestRepeat(t *testing.T) {
	t.Parallel()
	for method, again := range map[string]bool{
		"engine_newPayloadV4":               true,
		"engine_getPayloadV4":               true,
		"engine_forkchoiceUpdatedV3":        true,
		"engine_exchangeCapabilities":       true,
		"eth_getBlockByNumber":              true,
		"eth_sendRawTransaction":            false,
		"eth_sendRawTransactionConditional": false,
		"miner_setMaxDASize":                false,
		"eth_getFilterChanges":              false,
		"engine_getPayloadBodiesByHashV1":   false,
		"anything":                          false,
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			url, later := dying(t)
			c := newClient(t, url, nil)
			_, err := c.Call(t.Context(), request(method))
			require.NoError(t, err)
			_, err = c.Call(t.Context(), request(method))
			if again {
				require.NoError(t, err)
				require.EqualValues(t, 2, later())
				return
			}
			require.ErrorIs(t, err, ErrTransport)
			require.EqualValues(t, 1, later(), "sent twice")
		})
	}
}

// TestForwardRepeat: a client cannot ask for a repetition.
func TestForwardRepeat(t *testing.T) {
	t.Parallel()
	url, later := dying(t)
	c := newClient(t, url, nil)
	header := http.Header{"Idempotency-Key": {"a"}, "X-Idempotency-Key": {"b"}}
	_, err := c.Forward(t.Context(), header, request("eth_sendRawTransaction").Raw)
	require.NoError(t, err)
	_, err = c.Forward(t.Context(), header, request("eth_sendRawTransaction").Raw)
	require.ErrorIs(t, err, ErrTransport)
	require.EqualValues(t, 1, later(), "sent twice")
}

// TestRestartedEL: connections that an EL has closed while they idled cost nothing, whatever the method.
func TestRestartedEL(t *testing.T) {
	t.Parallel()
	e := newEL(t, nil)
	c := newClient(t, e.URL, nil)
	for range 20 {
		_, err := c.Call(t.Context(), request("engine_newPayloadV4"))
		require.NoError(t, err)
		e.CloseClientConnections()
	}
	require.Len(t, e.requests(), 20)
}
