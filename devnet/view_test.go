// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// requireGolden compares text with a file of testdata.
func requireGolden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text)
}

// play shows a view two blocks, the second of which differs, and the begin of a third.
func play(v View) {
	for number := uint64(1204); number <= 1205; number++ {
		v.Flashblock(Flashblock{Block: number, OffsetMs: 12.34, Txs: 1, GasUsed: 46_218, GasCeiling: 60_000_000, LatencyMs: 12.3, PayloadID: engine.PayloadID{byte(number)}})
		v.Flashblock(Flashblock{Block: number, Index: 1, OffsetMs: 1901, Txs: 1234, GasUsed: 59_999_999, GasCeiling: 60_000_000, LatencyMs: 1, PayloadID: engine.PayloadID{byte(number)}})
		block := Block{Number: number, Hash: common.Hash{byte(number)}, Flashblocks: 2, Txs: 1235, GasUsed: 59_999_999}
		if number == 1205 {
			block.Verdict, block.Reason, block.Abandoned = Differing, "gas used was published as 1 and sealed as 2", 3
		}
		v.Block(block)
	}
	v.Flashblock(Flashblock{Block: 1206, OffsetMs: -3, Txs: 1, GasUsed: 46_218, GasCeiling: 60_000_000, LatencyMs: -3, PayloadID: engine.PayloadID{9}})
	v.Status(testStatus())
	v.Close()
}

func testStatus() Status {
	return Status{
		Elapsed: 41*time.Second + 600*time.Millisecond, Unsafe: 1205, Safe: 1190, Accepted: 2100, Rejected: 1,
		Summary:  Summary{Blocks: 1205, Flashblocks: 13_255, Txs: 1_234_567, Matching: 1203, Unstreamed: 1, Differing: 1, Difference: "block 1205: gas used was published as 1 and sealed as 2"},
		Follower: Preconfirmation{Count: 2_050, P50: 104_600 * time.Microsecond, P99: 198 * time.Millisecond},
	}
}

func TestLineView(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	play(NewLineView(&out))
	requireGolden(t, "lines.golden", out.String())
	for _, line := range strings.Split(out.String(), "\n") {
		// A difference is told in full.
		if !strings.HasPrefix(line, "!!!") {
			require.LessOrEqual(t, len(line), 80, line)
		}
	}
}

func TestLiveView(t *testing.T) {
	t.Parallel()
	var (
		out bytes.Buffer
		v   = NewLiveView(&out, "flashgeth devnet", func() (int, int) { return 80, 24 })
		now = time.Unix(0, 0)
	)
	live, ok := v.(*liveView)
	require.True(t, ok)
	live.now = func() time.Time { now = now.Add(time.Second); return now }
	play(v)

	require.True(t, strings.HasPrefix(out.String(), ansiHideCursor))
	require.True(t, strings.HasSuffix(out.String(), ansiShowCursor))
	frames := strings.Split(strings.TrimSuffix(out.String(), ansiShowCursor), ansiClearBelow)
	last := frames[len(frames)-2]
	plain := regexp.MustCompile("\x1b\\[[0-9;?]*[a-zA-Z]|\r").ReplaceAllString(last, "")
	requireGolden(t, "live.golden", plain)
	for _, line := range strings.Split(plain, "\n") {
		require.LessOrEqual(t, len([]rune(line)), 80, line)
	}
}

func TestLiveViewFitsTheTerminal(t *testing.T) {
	t.Parallel()
	live := &liveView{title: strings.Repeat("wide ", 40)}
	for number := range uint64(liveHistory) {
		live.blocks = append(live.blocks, Block{Number: number})
	}
	for index := range uint64(100) {
		live.slot = append(live.slot, Flashblock{Block: 50, Index: index})
	}
	live.status.Summary.Differing = 1
	lines := live.lines(24)
	require.LessOrEqual(t, len(lines), 23, "the cursor rests on the line below")
	require.Contains(t, lines[len(lines)-1].text, " 99 ", "the newest flashblock is shown")
	require.Len(t, lines[0].render(80), 80+len(ansiBold)+len(ansiReset))
}

// A note clears the picture, stays in its place, and the picture goes on below it.
func TestNoteStaysAboveTheLiveView(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	live := &liveView{out: &out, now: time.Now, size: func() (int, int) { return 80, 24 }}
	live.Status(Status{})
	drawn := live.drawn
	require.Positive(t, drawn)
	out.Reset()
	live.Note("something happened")
	require.True(t, strings.HasPrefix(out.String(), fmt.Sprintf("\x1b[%dA\r%ssomething happened\n", drawn, ansiClearBelow)), "%q", out.String())
	require.Equal(t, drawn, live.drawn, "the whole picture is there again")

	live.Close()
	out.Reset()
	live.Note("after the end")
	require.NotContains(t, out.String(), ansiClearLine, "no picture after the end")
}

func TestLiveViewIsThrottled(t *testing.T) {
	t.Parallel()
	var (
		out  bytes.Buffer
		live = &liveView{out: &out, size: func() (int, int) { return 80, 24 }}
		now  = time.Unix(100, 0)
	)
	live.now = func() time.Time { return now }
	live.Flashblock(Flashblock{})
	drawn := out.Len()
	require.Positive(t, drawn)
	live.Flashblock(Flashblock{Index: 1})
	require.Equal(t, drawn, out.Len())
	now = now.Add(liveFrame)
	live.Flashblock(Flashblock{Index: 2})
	require.Greater(t, out.Len(), drawn)
}

func TestJSONView(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	v := NewJSONView(&out, func(err error) { require.NoError(t, err) })
	play(v)
	require.Empty(t, out.String(), "only settled flashblocks are printed")
	v.Settled(Flashblock{Block: 3, Index: 1, PayloadID: engine.PayloadID{1, 2}, OffsetMs: 201.5, Txs: 4, GasUsed: 5, GasCeiling: 6, LatencyMs: 1.5, Sealed: true})
	line := `{"block":3,"index":1,"payload_id":"0x0102000000000000","offset_ms":201.5,"txs":4,"gas_used":5,"gas_ceiling":6,"latency_ms":1.5,"sealed":true}`
	require.Equal(t, line+"\n", out.String())
}

// brokenPipe is an output whose reader is gone.
type brokenPipe struct{}

var errBroken = errors.New("broken pipe")

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }

func TestJSONViewReportsABrokenPipe(t *testing.T) {
	t.Parallel()
	var got error
	NewJSONView(brokenPipe{}, func(err error) { got = err }).Settled(Flashblock{})
	require.ErrorIs(t, got, errBroken)
}

func TestEndpointsJSON(t *testing.T) {
	t.Parallel()
	d := &Devnet{layout: &layout{root: "dir"}, keys: deriveAccounts(), ports: &portSet{
		l1: 1, nodePorts: nodePorts{http: 2, ws: 3, engine: 4, metrics: 6}, stream: 5, opNodeRPC: 7,
		follower: nodePorts{http: 8, ws: 9, metrics: 12}, proxy: 10, proxyMetrics: 11,
	}}
	d.cfg.Follower, d.cfg.Proxy = true, true
	text, err := json.Marshal(d.Endpoints())
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(text, &got))
	keys, ok := got["keys"].([]any)
	require.True(t, ok)
	require.Len(t, keys, userAccounts)
	delete(got, "keys")
	require.Equal(t, map[string]any{
		"l1_rpc": "http://127.0.0.1:1", "sequencer_rpc": "http://127.0.0.1:2", "sequencer_ws": "ws://127.0.0.1:3",
		"engine": "http://127.0.0.1:4", "flashblocks_ws": "ws://127.0.0.1:5", "metrics": "http://127.0.0.1:6/metrics",
		"sequencer_p2p": d.enode(), "op_node_p2p": "/ip4/127.0.0.1/tcp/0",
		"op_node_rpc": "http://127.0.0.1:7", "follower_rpc": "http://127.0.0.1:8", "follower_ws": "ws://127.0.0.1:9",
		"follower_metrics": "http://127.0.0.1:12/metrics", "proxy_ws": "ws://127.0.0.1:10/ws",
		"proxy_metrics": "http://127.0.0.1:11/metrics", "chain_id": float64(L2ChainID),
		"jwt": "dir/jwt.hex", "datadir": "dir",
	}, got)
}

func TestEndpointsJSONWithBoost(t *testing.T) {
	t.Parallel()
	d := &Devnet{layout: &layout{root: "dir"}, keys: deriveAccounts(), ports: &portSet{
		nodePorts: nodePorts{http: 2, ws: 3, engine: 4, metrics: 6}, stream: 5,
		local: nodePorts{http: 12, ws: 13, engine: 14}, boost: 15, boostStream: 16, boostDebug: 17, boostMetrics: 18,
	}}
	d.cfg.Boost = true
	text, err := json.Marshal(d.Endpoints())
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(text, &got))
	for key, want := range map[string]string{
		"sequencer_rpc": "http://127.0.0.1:12", "sequencer_ws": "ws://127.0.0.1:13", "engine": "http://127.0.0.1:14",
		"flashblocks_ws": "ws://127.0.0.1:5", "metrics": "http://127.0.0.1:6/metrics", "builder_rpc": "http://127.0.0.1:2",
		"boost_rpc": "http://127.0.0.1:15", "boost_flashblocks_ws": "ws://127.0.0.1:16",
		"boost_debug": "http://127.0.0.1:17", "boost_metrics": "http://127.0.0.1:18/metrics",
	} {
		require.Equal(t, want, got[key], key)
	}
}

func TestSummaryText(t *testing.T) {
	t.Parallel()
	requireGolden(t, "summary.golden", SummaryText(testStatus()))
	status := testStatus()
	status.Summary = Summary{Blocks: 9, Matching: 3, Extended: 4, Fallback: 2}
	require.Contains(t, SummaryText(status), "published == sealed: 3 of 9 blocks, 4 hold all that was published and more, "+
		"2 are the local execution layer's and were not streamed\n")
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 60_000_000: "60,000,000", 123456: "123,456"} {
		require.Equal(t, want, thousands(n))
	}
}
