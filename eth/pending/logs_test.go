// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// places lists logs by block and index, with a minus for removed ones.
func places(logs []types.Log) []string {
	out := []string{}
	for _, log := range logs {
		sign := ""
		if log.Removed {
			sign = "-"
		}
		out = append(out, sign+ethtest.HexUint(log.BlockNumber)+"/"+ethtest.HexUint(uint64(log.Index)))
	}
	return out
}

// Bounds are exact on both sides of the boundary, on a canonical and on a pending parent.
func TestPendingLogBounds(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.Flashblock(h.Poke(), h.Poke())
	h.Settle(h.Seal())
	h.Begin()
	h.Flashblock(h.Poke())
	env := h.Seal()
	h.Begin()
	h.Flashblock(h.Poke())
	h.Flashblock(h.Poke())

	tests := map[string]struct {
		crit object
		want []string
		err  string
	}{
		"all":               {crit: object{"fromBlock": "0x0", "toBlock": "pending"}, want: []string{"0x1/0x0", "0x1/0x1", "0x2/0x0", "0x3/0x0", "0x3/0x1"}},
		"from earliest":     {crit: object{"fromBlock": "earliest", "toBlock": "pending"}, want: []string{"0x1/0x0", "0x1/0x1", "0x2/0x0", "0x3/0x0", "0x3/0x1"}},
		"from the ancestor": {crit: object{"fromBlock": "0x2", "toBlock": "pending"}, want: []string{"0x2/0x0", "0x3/0x0", "0x3/0x1"}},
		"from latest":       {crit: object{"toBlock": "pending"}, want: []string{"0x1/0x0", "0x1/0x1", "0x2/0x0", "0x3/0x0", "0x3/0x1"}},
		"pending only":      {crit: object{"fromBlock": "pending", "toBlock": "pending"}, want: []string{"0x3/0x0", "0x3/0x1"}},
		"no upper bound":    {crit: object{"fromBlock": "pending"}, want: []string{"0x3/0x0", "0x3/0x1"}},
		"by number":         {crit: object{"fromBlock": "0x3", "toBlock": "pending"}, want: []string{"0x3/0x0", "0x3/0x1"}},
		"by topic":          {crit: object{"fromBlock": "0x0", "toBlock": "pending", "topics": []any{[]any{common.Hash{31: 3}, common.Hash{31: 1}}}}, want: []string{"0x1/0x0", "0x1/0x1", "0x3/0x0", "0x3/0x1"}},
		"too many topics":   {crit: object{"fromBlock": "0x0", "toBlock": "pending", "topics": []any{nil, nil}}, want: []string{}},
		"other address":     {crit: object{"fromBlock": "0x0", "toBlock": "pending", "address": ethtest.Sender}, want: []string{}},
		"beyond":            {crit: object{"fromBlock": "0x4", "toBlock": "pending"}, err: errBadRange.reason},
		"backwards":         {crit: object{"fromBlock": "pending", "toBlock": "latest"}, err: errBadRange.reason},
		"future":            {crit: object{"fromBlock": "pending", "toBlock": "0x9"}, err: errFuture.reason},
		"five topics":       {crit: object{"fromBlock": "0x0", "toBlock": "pending", "topics": []any{nil, nil, nil, nil, nil}}, err: "invalid argument 0: " + errTopics.Error()},
	}
	check := func() {
		for name, tt := range tests {
			a := h.Follower.Call("eth_getLogs", tt.crit)
			if tt.err != "" {
				require.Equal(t, tt.err, a.Error, name)
				continue
			}
			var logs []types.Log
			a.Into(t, &logs)
			require.Equal(t, tt.want, places(logs), name)
		}
	}
	check()
	h.Settle(env)
	latest := tests["from latest"]
	latest.want = []string{"0x2/0x0", "0x3/0x0", "0x3/0x1"}
	tests["from latest"] = latest
	check()
}

// A filter up to pending delivers each log once, with the flashblock, and takes back what does not
// become canonical.
func TestPendingFilter(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.Flashblock(h.Poke())
	var id string
	h.Ask(&id, "eth_newFilter", object{"toBlock": "pending", "address": ethtest.Probe})
	changes := func() []string {
		var logs []types.Log
		h.Ask(&logs, "eth_getFilterChanges", id)
		return places(logs)
	}
	require.Empty(t, changes(), "what was there before the filter")
	h.Flashblock(h.Poke())
	require.Equal(t, []string{"0x1/0x1"}, changes())
	require.Empty(t, changes())
	h.Flashblock(h.Poke())
	env := h.Seal()
	h.Settle(env)
	require.Equal(t, []string{"0x1/0x2"}, changes(), "across the boundary")
	require.Empty(t, changes())

	// Preconfirmed, but the canonical block is another one, without transactions.
	h.Begin()
	h.Flashblock(h.Poke())
	h.Flashblock(h.Poke())
	require.Equal(t, []string{"0x2/0x0", "0x2/0x1"}, changes())
	parent := h.Follower.Eth.BlockChain().CurrentBlock()
	h.Build(parent, 1)
	other := h.Seal()
	h.Settle(other)
	require.Equal(t, []string{"-0x2/0x0", "-0x2/0x1"}, changes())

	var logs []types.Log
	h.Ask(&logs, "eth_getFilterLogs", id)
	require.Empty(t, places(logs), "logs of the newest block")

	require.Equal(t, "true", h.Follower.Call("eth_uninstallFilter", id).Result)
	require.Equal(t, "false", h.Follower.Call("eth_uninstallFilter", id).Result)
	require.Equal(t, errFilterNotFound.Error(), h.Follower.Call("eth_getFilterChanges", id).Error)
	require.NotEmpty(t, h.Follower.Call("eth_newFilter", object{"fromBlock": "pending", "toBlock": "latest"}).Error)

	h.Ask(&id, "eth_newFilter", object{})
	require.Equal(t, "[]", h.Follower.Call("eth_getFilterChanges", id).Result, "op-geth's filters are still there")
	require.Equal(t, "true", h.Follower.Call("eth_uninstallFilter", id).Result)
}

// Logs that were canonical are taken back when another branch wins.
func TestPendingFilterReorg(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var id string
	h.Ask(&id, "eth_newFilter", object{"toBlock": "pending"})
	changes := func() []string {
		var logs []types.Log
		h.Ask(&logs, "eth_getFilterChanges", id)
		return places(logs)
	}
	genesis := h.Follower.Eth.BlockChain().CurrentBlock()
	h.Begin()
	h.Flashblock(h.Poke(), h.Poke())
	h.Settle(h.Seal())
	require.Equal(t, []string{"0x1/0x0", "0x1/0x1"}, changes())

	h.Refuse()
	h.Build(genesis, 1)
	h.Settle(h.Seal())
	require.Equal(t, []string{"-0x1/0x0", "-0x1/0x1"}, changes())
	require.Empty(t, changes())
}
