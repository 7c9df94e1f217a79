// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// send sends a body over its own client and returns the answer.
func (r *rig) send(ctx context.Context, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.sidecar.Addr().String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// However many proxied calls hang, engine calls get through; more than may wait are refused.
func TestEngineCallsPassProxiedOnes(t *testing.T) {
	t.Parallel()
	const slots = 2
	r := newRig(t, func(c *Config) { c.Proxied = slots })
	gate := make(chan struct{})
	r.l2.on("eth_call", handler(func(context.Context, *jsonrpc.Request) (any, error) {
		<-gate
		return "0x", nil
	}))
	const most = slots * (1 + waitingPerSlot)
	var wg sync.WaitGroup
	answers := make(chan []byte, most)
	for range most {
		wg.Go(func() {
			answer, err := r.send(t.Context(), encode("eth_call"))
			if err == nil {
				answers <- answer
			}
		})
	}
	r.eventually("all wait", func() bool { return r.sidecar.waiting.Load() == most })
	r.eventually("the slots are taken", func() bool { return len(r.l2.asked("eth_call")) == slots })

	r.begin()
	require.Equal(t, builderHash, hashOf(r.payload()))
	resp := r.call("engine_newPayloadV4", map[string]any{}, []any{}, beacon, []any{})
	require.Nil(t, resp.Error)
	refused := r.call("eth_call")
	require.NotNil(t, refused.Error)
	require.Equal(t, codeBusy, refused.Error.Code)

	close(gate)
	wg.Wait()
	close(answers)
	count := 0
	for answer := range answers {
		require.Contains(t, string(answer), `"result":"0x"`)
		count++
	}
	require.Equal(t, most, count)
	require.Len(t, r.l2.asked("eth_call"), most)
	r.eventually("all have left", func() bool { return r.sidecar.waiting.Load() == 0 })
}

// The Engine API speaks HTTP/2 without TLS, as reth's client may.
func TestH2C(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.sidecar.Addr().String(),
		bytes.NewReader(encode("engine_newPayloadV4", map[string]any{}, []any{}, beacon, []any{})))
	require.NoError(t, err)
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 2, resp.ProtoMajor)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), engine.VALID)
}

// The answers to a batch are bounded like any other.
func TestBatchAnswerIsBounded(t *testing.T) {
	t.Parallel()
	list := newBatch(2)
	list.add([]byte("1"))
	list.add(nil)
	list.add([]byte("2"))
	require.Equal(t, "[1,2]", string(list.bytes()))

	const most = 4 << 10
	r := newRig(t, func(c *Config) { c.MaxBatch = most })
	r.l2.on("eth_getLogs", string(bytes.Repeat([]byte("a"), most/2)))
	status, answer := r.post([]byte(`[{"jsonrpc":"2.0","id":1,"method":"eth_getLogs"},{"jsonrpc":"2.0","id":2,"method":"eth_getLogs"},{"jsonrpc":"2.0","id":3,"method":"engine_newPayloadV4"}]`))
	require.Equal(t, http.StatusOK, status)
	require.Less(t, len(answer), most)
	require.Contains(t, string(answer[most/2:]), `"id":2,"error":{"code":-32003`)
	require.Contains(t, string(answer[most/2:]), `"id":3,"result"`)
}
