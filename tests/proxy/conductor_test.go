// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// rollupConfig is the least that op-conductor takes for the configuration of a chain. It only checks the
// health of a sequencer against it, which these conductors, paused, never act on.
const rollupConfig = `{
	"genesis": {
		"l1": {"hash": "0x0100000000000000000000000000000000000000000000000000000000000000", "number": 0},
		"l2": {"hash": "0x0200000000000000000000000000000000000000000000000000000000000000", "number": 0},
		"l2_time": 1,
		"system_config": {
			"batcherAddr": "0x0100000000000000000000000000000000000000", "gasLimit": 30000000,
			"overhead": "0x0000000000000000000000000000000000000000000000000000000000000000",
			"scalar": "0x0100000000000000000000000000000000000000000000000000000000000001"
		}
	},
	"block_time": 2, "max_sequencer_drift": 600, "seq_window_size": 3600, "channel_timeout": 300,
	"l1_chain_id": 1, "l2_chain_id": 2, "regolith_time": 0, "canyon_time": 0,
	"batch_inbox_address": "0x0200000000000000000000000000000000000000",
	"deposit_contract_address": "0x0300000000000000000000000000000000000000",
	"l1_system_config_address": "0x0400000000000000000000000000000000000000"
}`

// idleNode answers what op-conductor asks an op-node when it starts.
func idleNode(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
		}
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		answer := map[string]any{"jsonrpc": "2.0", "id": call.ID}
		switch call.Method {
		case "admin_conductorEnabled":
			answer["result"] = true
		case "admin_sequencerActive":
			answer["result"] = false
		default:
			answer["error"] = map[string]any{"code": -32601, "message": "not served here"}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// conductor is a running op-conductor.
type conductor struct {
	id, rpc, raft string
	kill          func()
}

// newConductor runs the real op-conductor, paused: raft elects, and no sequencer is touched.
func newConductor(t *testing.T, id, node string, flags ...string) *conductor {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "rollup.json")
	require.NoError(t, os.WriteFile(config, []byte(rollupConfig), 0o600))
	c := &conductor{id: id, rpc: freeAddr(t), raft: freeAddr(t)}
	_, rpcPort, err := net.SplitHostPort(c.rpc)
	require.NoError(t, err)
	_, raftPort, err := net.SplitHostPort(c.raft)
	require.NoError(t, err)
	var output bytes.Buffer
	cmd := exec.Command(harness.Program(t, "opstack/op-conductor", "opstack"), append([]string{
		"--consensus.addr=127.0.0.1", "--consensus.port=" + raftPort, "--rpc.addr=127.0.0.1", "--rpc.port=" + rpcPort,
		"--raft.server.id=" + id, "--raft.storage.dir=" + filepath.Join(dir, "raft"), "--rollup.config=" + config, "--paused",
		"--node.rpc=" + node, "--execution.rpc=" + node,
		"--healthcheck.interval=1", "--healthcheck.unsafe-interval=3600", "--healthcheck.min-peer-count=1",
	}, flags...)...)
	cmd.Stdout, cmd.Stderr = &output, &output
	require.NoError(t, cmd.Start())
	killed := false
	c.kill = func() {
		if !killed {
			killed = true
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("op-conductor %s:\n%s", id, output.String())
		}
	})
	return c
}

// call calls a method of op-conductor's API.
func (c *conductor) call(result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.rpc, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer := struct {
		Result any `json:"result"`
		Error  *struct {
			Message string `json:"message"`
		} `json:"error"`
	}{Result: result}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Error != nil {
		return errors.New(answer.Error.Message)
	}
	return nil
}

// leads reports what the conductor itself says.
func (c *conductor) leads() bool {
	var leads bool
	return c.call(&leads, "conductor_leader") == nil && leads
}

// attempt publishes flashblock index of a builder's own attempt at a block.
func (b *builder) attempt(builder byte, block, index uint64) {
	fb := numbered((block-1)*perBlock + index)
	fb.PayloadID[1] = builder
	b.Publish(fb)
}

// TestFollowsARealConductor: two builders that contradict each other, each beside a real op-conductor.
// Clients get the leader's stream, and after raft has moved the leadership the other one's, from where
// it began.
func TestFollowsARealConductor(t *testing.T) {
	t.Parallel()
	node := idleNode(t)
	a := newConductor(t, "a", node, "--raft.bootstrap")
	require.Eventually(t, a.leads, patience, 50*time.Millisecond, "a leads")
	b := newConductor(t, "b", node)
	require.Eventually(t, func() bool { return b.call(new(bool), "conductor_leader") == nil }, patience, 50*time.Millisecond, "b is up")

	builderA, builderB := newBuilder(t), newBuilder(t)
	p := newProgram(t, nil, "--upstream-ws="+builderA.url()+","+builderB.url(),
		"--upstream-conductor-rpc=http://"+a.rpc+",http://"+b.rpc, "--conductor-poll-interval-ms=50")
	leading := func(b *builder) func() bool {
		return func() bool { return p.figure(`websocket_proxy_upstream_leading{upstream="`+b.Addr+`"}`) == 1 }
	}
	require.Eventually(t, func() bool { return p.figure("websocket_proxy_upstream_connections") == 2 }, patience, 10*time.Millisecond, "both are connected")
	require.Eventually(t, leading(builderA), patience, 10*time.Millisecond, "the proxy knows that a leads")
	ws, _, err := teststream.TryDial(p.url("/ws"), nil, false)
	require.NoError(t, err)
	defer func() { _ = ws.Close() }()
	expect := func(builder byte, block, first, last uint64) {
		t.Helper()
		for index := first; index <= last; index++ {
			m, err := teststream.Read(ws)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("%d/%d by %d", block, index, builder), fmt.Sprintf("%d/%d by %d", m.BlockNumber, m.Index, m.PayloadID[1]))
		}
	}
	for index := range uint64(3) {
		builderB.attempt(2, 2, index)
	}
	require.Eventually(t, func() bool { return p.figure("websocket_proxy_follower_messages") == 3 }, patience, 10*time.Millisecond, "b is held back")
	for index := range uint64(3) {
		builderA.attempt(1, 1, index)
	}
	expect(1, 1, 0, 2)

	// Only now do they share a cluster: alone, a keeps the leadership however busy the machine is.
	require.Eventually(t, func() bool { return a.call(nil, "conductor_addServerAsVoter", b.id, b.raft, 0) == nil }, patience, 50*time.Millisecond, "b votes")
	require.Eventually(t, func() bool {
		if b.leads() {
			return true
		}
		_ = a.call(nil, "conductor_transferLeaderToServer", b.id, b.raft)
		return false
	}, patience, 100*time.Millisecond, "raft moves the leadership")
	require.Eventually(t, leading(builderB), patience, 10*time.Millisecond, "the proxy knows that b leads")
	builderB.attempt(2, 2, 3)
	expect(2, 2, 0, 3)

	// Without its leader this cluster of two has none. A stream that nobody vouches for is better than none.
	b.kill()
	require.Eventually(t, func() bool { return !leading(builderA)() && !leading(builderB)() }, patience, 10*time.Millisecond, "nobody leads")
	builderA.attempt(1, 3, 0)
	expect(1, 3, 0, 0)
	p.terminate()
}
