// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package front

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/route"
)

// A body is taken apart, and each call goes where its kind goes; the builder is told when the answer is away.
func TestDispatch(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body     string
		status   int
		want     string
		made     []string
		answered int64
		woken    int64
	}{
		"passed on":             {`{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}`, http.StatusAccepted, "as it is", []string{"eth_chainId"}, 0, 0},
		"a batch passed on":     {`[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","id":2,"method":"b"}]`, http.StatusAccepted, "as it is", []string{"a", "b"}, 0, 0},
		"a block, as op-node's": {`{"jsonrpc":"2.0","id":3,"method":"engine_newPayloadV4","params":[]}`, http.StatusOK, `{"jsonrpc":"2.0","id":3,"result":"engine_newPayloadV4"}`, []string{"engine_newPayloadV4"}, 1, 0},
		"any other form":        {`{"id":"x","method":"engine_getPayloadV4","jsonrpc":"2.0"}`, http.StatusOK, `{"jsonrpc":"2.0","id":"x","result":"engine_getPayloadV4"}`, []string{"engine_getPayloadV4"}, 1, 0},
		"a notification":        {`{"method":"engine_x","jsonrpc":"2.0"}`, http.StatusOK, "", []string{"engine_x"}, 1, 0},
		"a mixed batch": {
			`[{"jsonrpc":"2.0","id":1,"method":"engine_a"},5,{"jsonrpc":"2.0","method":"engine_b"},{"jsonrpc":"2.0","id":2,"method":"engine_c"}]`,
			http.StatusOK, `[{"jsonrpc":"2.0","id":1,"result":"engine_a"},{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"invalid request: an element of the batch is not an object"}},{"jsonrpc":"2.0","id":2,"result":"engine_c"}]`,
			[]string{"engine_a", "", "engine_b", "engine_c"},
			0, 4,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			got := r.post([]byte(tc.body))
			require.Equal(t, tc.status, got.status)
			require.Equal(t, tc.want, string(got.body))
			require.Equal(t, tc.made, r.routes.made())
			require.Eventually(t, func() bool { return r.hold.answered.Load() == tc.answered }, eltest.Patience, time.Millisecond)
			require.Equal(t, tc.woken, r.hold.woken.Load())
			if tc.status == http.StatusAccepted {
				require.Equal(t, "yes", got.header.Get("X-Seen"))
			}
		})
	}
}

// A body that is not answered fails call by call, but for notifications.
func TestFailures(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.routes.forward = func(context.Context, *route.Body) (*backend.Reply, error) { return nil, eltest.ErrInjected }
	for body, want := range map[string]string{
		`{"jsonrpc":"2.0","id":1,"method":"a"}`: `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"injected"}}`,
		`{"jsonrpc":"2.0","method":"a"}`:        "",
		`[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","id":2,"method":"a"}]`: `[{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"injected"}},{"jsonrpc":"2.0","id":2,"error":{"code":-32603,"message":"injected"}}]`,
		`[{"jsonrpc":"2.0","method":"a"}]`: "",
	} {
		got := r.post([]byte(body))
		require.Equal(t, http.StatusOK, got.status)
		require.Equal(t, want, string(got.body), body)
	}
}

// The answers to a batch are put together, up to a size.
func TestBatchAnswer(t *testing.T) {
	t.Parallel()
	list := newBatch(2)
	list.add([]byte("1"))
	list.add(nil)
	list.add([]byte("2"))
	require.Equal(t, "[1,2]", string(list.bytes()))

	const most = 1 << 10
	r := newRig(t, func(c *Config) { c.MaxBatch = most })
	r.routes.long = strings.Repeat("a", most/2)
	answer := r.post([]byte(`[{"jsonrpc":"2.0","id":1,"method":"engine_a"},{"jsonrpc":"2.0","id":2,"method":"b"}]`)).body
	require.Less(t, len(answer), most)
	require.Contains(t, string(answer[most/2:]), `"id":2,"error":{"code":-32003`)
}
