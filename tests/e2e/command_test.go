// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// announced is the first line of `devnet --json`, by the names that scripts rely on.
type announced struct {
	L1RPC         string   `json:"l1_rpc"`
	SequencerRPC  string   `json:"sequencer_rpc"`
	SequencerWS   string   `json:"sequencer_ws"`
	Engine        string   `json:"engine"`
	FlashblocksWS string   `json:"flashblocks_ws"`
	Metrics       string   `json:"metrics"`
	ProxyWS       string   `json:"proxy_ws"`
	ProxyMetrics  string   `json:"proxy_metrics"`
	FollowerRPC   string   `json:"follower_rpc"`
	FollowerWS    string   `json:"follower_ws"`
	ChainID       uint64   `json:"chain_id"`
	Keys          []string `json:"keys"`
}

// urls returns every endpoint.
func (a *announced) urls() []string {
	return []string{a.L1RPC, a.SequencerRPC, a.SequencerWS, a.Engine, a.FlashblocksWS, a.Metrics, a.ProxyWS, a.ProxyMetrics, a.FollowerRPC, a.FollowerWS}
}

// line is one flashblock of `devnet --json`.
type line struct {
	Block     *uint64  `json:"block"`
	Index     *uint64  `json:"index"`
	PayloadID string   `json:"payload_id"`
	OffsetMs  *float64 `json:"offset_ms"`
	Txs       *int     `json:"txs"`
	GasUsed   *uint64  `json:"gas_used"`
	Ceiling   *uint64  `json:"gas_ceiling"`
	LatencyMs *float64 `json:"latency_ms"`
	Sealed    *bool    `json:"sealed"`
}

// command is a running bin/devnet.
type command struct {
	t      *testing.T
	cmd    *exec.Cmd
	dir    string
	out    *bufio.Scanner
	stderr bytes.Buffer
	ends   announced
}

// runDevnet starts bin/devnet as a script does and reads its first line.
func runDevnet(t *testing.T, args ...string) *command {
	t.Helper()
	harness.Program(t, "flashgeth", "build")
	harness.Program(t, "opstack/op-node", "opstack")
	c := &command{t: t, dir: filepath.Join(t.TempDir(), "devnet")}
	args = append([]string{"--json", "--block-time", "1s", "--datadir", c.dir}, args...)
	c.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), harness.Program(t, "devnet", "build"), args...)
	c.cmd.Dir = harness.Root(t) // the programs are found from there, as `make devnet` finds them
	c.cmd.Stderr = &c.stderr
	stdout, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			_ = c.cmd.Process.Kill() // the children end with it
			_ = c.cmd.Wait()
		}
		if t.Failed() {
			t.Logf("devnet said:\n%s", c.stderr.String())
		}
	})
	c.out = bufio.NewScanner(stdout)
	require.True(t, c.out.Scan(), "the first line")

	var keys map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(c.out.Bytes(), &keys), c.out.Text())
	for _, key := range []string{"l1_rpc", "sequencer_rpc", "sequencer_ws", "engine", "flashblocks_ws", "metrics", "chain_id", "keys"} {
		require.Contains(t, keys, key)
	}
	require.NoError(t, json.Unmarshal(c.out.Bytes(), &c.ends))
	require.NotEmpty(t, processesOf(t, c.dir, "flashgeth"))
	return c
}

// lines reads flashblocks until enough came, or to the end of the output if count is 0.
func (c *command) lines(count int) []line {
	c.t.Helper()
	var list []line
	for (count == 0 || len(list) < count) && c.out.Scan() {
		var l line
		decoder := json.NewDecoder(strings.NewReader(c.out.Text()))
		decoder.DisallowUnknownFields()
		require.NoError(c.t, decoder.Decode(&l), c.out.Text())
		for _, field := range []any{l.Block, l.Index, l.OffsetMs, l.Txs, l.GasUsed, l.Ceiling, l.LatencyMs, l.Sealed} {
			require.NotNil(c.t, field, c.out.Text())
		}
		require.Len(c.t, l.PayloadID, len("0x")+16)
		list = append(list, l)
	}
	require.NoError(c.t, c.out.Err())
	require.GreaterOrEqual(c.t, len(list), count, "the output ended early")
	return list
}

// requireEnd waits for a good end and checks that nothing is left behind.
func (c *command) requireEnd() {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Wait(), c.stderr.String())
	require.Zero(c.t, c.cmd.ProcessState.ExitCode())
	require.Empty(c.t, processesOf(c.t, c.dir, ""), "processes that outlive the devnet")
	requireClosed(c.t, c.ends.urls()...)
}

// TestDevnetCommand runs `devnet --json` for a while, as a script that uses everything it prints.
func TestDevnetCommand(t *testing.T) {
	t.Parallel()
	const duration = 10 * time.Second
	c := runDevnet(t, "--duration", duration.String(), "--load", "30")
	begin := time.Now()
	requireAnswers(t, &c.ends, filepath.Join(c.dir, "jwt.hex"))
	client, err := ethclient.DialContext(t.Context(), c.ends.SequencerRPC)
	require.NoError(t, err)
	defer client.Close()
	requireUnused(t, client, c.ends.Keys)
	sendAndFollow(t, client, &c.ends)
	requireUnused(t, client, c.ends.Keys[1:])

	list := c.lines(0)
	c.requireEnd()
	require.Contains(t, c.stderr.String(), "published == sealed")
	var (
		blocks = make(map[uint64]uint64) // flashblocks by block
		txs    = 0
	)
	for _, l := range list {
		require.Equal(t, blocks[*l.Block], *l.Index, "index in block %d", *l.Block)
		require.True(t, *l.Sealed, "flashblock %d/%d", *l.Block, *l.Index)
		blocks[*l.Block]++
		txs += *l.Txs
	}
	t.Logf("%d flashblocks of %d blocks with %d transactions", len(list), len(blocks), txs)
	require.GreaterOrEqual(t, len(blocks), 4, "about ten, fewer on a busy machine")
	require.Greater(t, time.Since(begin), duration-time.Second, "it ran for its duration")
	require.Less(t, time.Since(begin), duration+2*patience, "it ended after its duration")
	require.Greater(t, txs, len(blocks), "the load is in the blocks")
}

// TestDevnetInterrupted ends a devnet without a duration by Ctrl-C.
func TestDevnetInterrupted(t *testing.T) {
	t.Parallel()
	c := runDevnet(t, "--batcher=false", "--interval", "100ms")
	require.NotEmpty(t, processesOf(t, c.dir, "op-node"))
	require.Empty(t, processesOf(t, c.dir, "op-batcher"))
	c.lines(15)
	begin := time.Now()
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGINT))
	c.lines(0)
	c.requireEnd()
	t.Logf("Ctrl-C ended the devnet in %v", time.Since(begin).Round(time.Millisecond))
	require.Less(t, time.Since(begin), patience)
}

// requireAnswers uses every endpoint once.
func requireAnswers(t *testing.T, ends *announced, jwtFile string) {
	t.Helper()
	require.NotEmpty(t, ends.Keys)
	for url, id := range map[string]uint64{
		ends.L1RPC: 900, ends.SequencerRPC: ends.ChainID, ends.SequencerWS: ends.ChainID,
		ends.FollowerRPC: ends.ChainID, ends.FollowerWS: ends.ChainID,
	} {
		client, err := ethclient.DialContext(t.Context(), url)
		require.NoError(t, err, url)
		got, err := client.ChainID(t.Context())
		client.Close()
		require.NoError(t, err, url)
		require.Equal(t, id, got.Uint64(), url)
	}
	bare, err := rpc.DialContext(t.Context(), ends.Engine)
	require.NoError(t, err)
	defer bare.Close()
	var capabilities []string
	var refused rpc.HTTPError
	require.ErrorAs(t, bare.CallContext(t.Context(), &capabilities, "engine_exchangeCapabilities", []string{}), &refused)
	require.Equal(t, http.StatusUnauthorized, refused.StatusCode)
	text, err := os.ReadFile(jwtFile)
	require.NoError(t, err)
	authorised, err := rpc.DialOptions(t.Context(), ends.Engine, rpc.WithHTTPAuth(node.NewJWTAuth(secret(t, string(text)))))
	require.NoError(t, err)
	defer authorised.Close()
	call(t.Context(), t, authorised, &capabilities, "engine_exchangeCapabilities", []string{})
	require.Contains(t, capabilities, "engine_getPayloadV4")
	require.Contains(t, harness.Scrape(t.Context(), t, ends.Metrics), "builder_job_failures_total")
	require.Contains(t, harness.Scrape(t.Context(), t, ends.ProxyMetrics), "websocket_proxy_active_connections")
}

// requireUnused checks that keys are funded and that nobody has used them.
func requireUnused(t *testing.T, client *ethclient.Client, keys []string) {
	t.Helper()
	for _, text := range keys {
		key, err := crypto.HexToECDSA(strings.TrimPrefix(text, "0x"))
		require.NoError(t, err)
		addr := crypto.PubkeyToAddress(key.PublicKey)
		nonce, err := client.NonceAt(t.Context(), addr, nil)
		require.NoError(t, err)
		require.Zero(t, nonce)
		balance, err := client.BalanceAt(t.Context(), addr, nil)
		require.NoError(t, err)
		require.Positive(t, balance.Cmp(big.NewInt(params.Ether)))
	}
}

// sendAndFollow sends a transaction from the first key, sees it in a flashblock, then in a block.
func sendAndFollow(t *testing.T, client *ethclient.Client, ends *announced) {
	t.Helper()
	seen := record(t, ends.ProxyWS)
	key, err := crypto.HexToECDSA(strings.TrimPrefix(ends.Keys[0], "0x"))
	require.NoError(t, err)
	to := common.Address{0xe2, 0xe0}
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(new(big.Int).SetUint64(ends.ChainID)), &types.DynamicFeeTx{
		ChainID:   new(big.Int).SetUint64(ends.ChainID),
		GasTipCap: big.NewInt(params.GWei),
		GasFeeCap: big.NewInt(100 * params.GWei),
		Gas:       params.TxGas,
		To:        &to,
		Value:     big.NewInt(12345),
	})
	require.NoError(t, err)
	raw, err := tx.MarshalBinary()
	require.NoError(t, err)

	sent := time.Now()
	found := seen.Awaiting(func(fb *flashblocks.Flashblock) bool {
		return slices.ContainsFunc(fb.Diff.Transactions, func(published []byte) bool { return bytes.Equal(published, raw) })
	})
	require.NoError(t, client.SendTransaction(t.Context(), tx))
	fb := found.Get("with the transaction that was sent")
	confirmed := time.Since(sent)
	require.NotZero(t, fb.Index)

	var receipt *types.Receipt
	harness.Eventually(t, "the transaction is mined", func() bool {
		receipt, err = client.TransactionReceipt(t.Context(), tx.Hash())
		return err == nil && receipt.BlockHash != (common.Hash{}) // a preconfirmed one has none yet
	})
	require.Equal(t, types.ReceiptStatusSuccessful, receipt.Status)
	require.Equal(t, fb.Metadata.BlockNumber, receipt.BlockNumber.Uint64(), "mined where the flashblock said")
	balance, err := client.BalanceAt(t.Context(), to, nil)
	require.NoError(t, err)
	require.EqualValues(t, 12345, balance.Uint64())
	t.Logf("a transaction was in flashblock %d/%d after %v, mined after %v", fb.Metadata.BlockNumber, fb.Index,
		confirmed.Round(time.Millisecond), time.Since(sent).Round(time.Millisecond))
}
