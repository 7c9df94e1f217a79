// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package route

import (
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
)

// Bodies are passed on with the time limit of what is in them, and then seen by who copies.
func TestForward(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body   string
		limits []string
		copied []string
		span   string
	}{
		"a call":         {`{"jsonrpc":"2.0","id":1,"method":"eth_a"}`, []string{"eth_a"}, []string{"eth_a"}, "forward"},
		"capabilities":   {`{"jsonrpc":"2.0","id":1,"method":"engine_exchangeCapabilities"}`, []string{"engine_exchangeCapabilities"}, []string{"engine_exchangeCapabilities"}, "exchange_capabilities"},
		"a batch":        {`[{"jsonrpc":"2.0","id":1,"method":"eth_a"},{"jsonrpc":"2.0","id":2,"method":"eth_b"}]`, nil, []string{"eth_a", "eth_b"}, "forward"},
		"one that waits": {`[{"jsonrpc":"2.0","id":1,"method":"eth_a"},{"jsonrpc":"2.0","id":2,"method":"eth_sendRawTransactionSync"}]`, []string{"eth_sendRawTransactionSync"}, []string{"meanwhile 2", "eth_a", "eth_sendRawTransactionSync"}, "forward"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 0)
			r.l2.On("", "fine")
			answer, err := r.forward([]byte(tc.body))
			require.NoError(t, err)
			require.Contains(t, string(answer), `"fine"`)
			require.Equal(t, tc.limits, r.l2.Limits())
			require.Equal(t, tc.copied, r.parts.copied)
			require.Contains(t, exposition(r.set), "rollup_boost_"+tc.span+`_duration_count{span_kind="Server",status="ok"} 1`)
		})
	}
}

// One that is not answered is counted, and seen by who copies all the same: the builder may have what the other lacks.
func TestForwardFails(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	r.l2.On("", eltest.ErrInjected)
	_, err := r.forward([]byte(`{"jsonrpc":"2.0","id":1,"method":"eth_a"}`))
	require.ErrorIs(t, err, eltest.ErrInjected)
	require.Contains(t, string(r.call("eth_a")), "injected")
	require.EqualValues(t, 2, r.set.GetOrCreateCounter("rollup_boost_forward_errors_total").Get())
	require.Equal(t, []string{"eth_a", "eth_a"}, r.parts.copied)
	require.Contains(t, exposition(r.set), `rollup_boost_forward_duration_count{span_kind="Server",status="error"} 1`)
}

func exposition(set *metrics.Set) string {
	var out strings.Builder
	set.WritePrometheus(&out)
	return out.String()
}
