// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package compare

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/eth/tracers"
	"github.com/ethereum/go-ethereum/graphql"
	"github.com/ethereum/go-ethereum/rpc"
)

// recording is what one node has answered at one position.
type recording struct {
	node      string
	at        position
	txs       int  // in the pending block, as the stream tells
	chained   bool // on a parent that was not canonical at the node
	questions []question
	answers   []answer
	graph     string // the answer to graphQuery, empty if it was not asked
}

// judge is an unmodified op-geth that says what the right answers were.
type judge struct {
	*ethNode
	backend *prefixBackend
	cutOff  *rpc.Client // of backend

	mu         sync.Mutex
	recordings map[uint64][]*recording

	blocks     int
	compared   map[string]int // answers by node
	chained    int            // answers on pending parents
	methods    map[string]int
	succeeded  map[string]bool // by question: right answers that were no errors
	indices    map[uint64]int  // answers by index
	graphs     int
	positions  int
	abandoned  int // recordings of payloads that did not become canonical
	difference []string
}

// maxDifferences are printed; more tell nothing new.
const maxDifferences = 5

// newJudge starts an op-geth.
func newJudge(t testing.TB, genesis *core.Genesis) *judge {
	t.Helper()
	n := newNode(t, "judge", genesis)
	require.NoError(t, catalyst.Register(n.stack, n.eth))
	logs := filters.NewFilterSystem(n.eth.APIBackend, filters.Config{})
	n.stack.RegisterAPIs(append(tracers.APIs(n.eth.APIBackend), rpc.API{Namespace: "eth", Service: filters.NewFilterAPI(logs)}))
	require.NoError(t, graphql.New(n.stack, n.eth.APIBackend, logs, nil, nil))
	n.start()
	j := &judge{
		ethNode: n, backend: &prefixBackend{EthAPIBackend: n.eth.APIBackend, fees: n.config.GPO},
		recordings: make(map[uint64][]*recording), compared: make(map[string]int), methods: make(map[string]int), succeeded: make(map[string]bool), indices: make(map[uint64]int),
	}
	j.cutOff = j.backend.serve(t)
	return j
}

// keep takes a recording.
func (j *judge) keep(r *recording) {
	j.mu.Lock()
	defer j.mu.Unlock()
	number := uint64(r.at.BlockNumber)
	j.recordings[number] = append(j.recordings[number], r)
}

// canonical judges everything recorded of a block, which op-geth has imported. id is the payload id
// under which it was published.
func (j *judge) canonical(number uint64, id engine.PayloadID) {
	j.t.Helper()
	j.mu.Lock()
	list := j.recordings[number]
	delete(j.recordings, number)
	j.mu.Unlock()

	block := j.eth.BlockChain().GetBlockByNumber(number)
	require.NotNil(j.t, block)
	receipts := j.eth.BlockChain().GetReceiptsByHash(block.Hash())
	require.Len(j.t, receipts, len(block.Transactions()))

	byCount := make(map[int][]*recording)
	for _, r := range list {
		if r.at.ID != id {
			j.abandoned++
			continue
		}
		require.LessOrEqual(j.t, r.txs, len(receipts), "block %d at index %d", number, r.at.Index)
		byCount[r.txs] = append(byCount[r.txs], r)
	}
	for _, n := range slices.Sorted(maps.Keys(byCount)) {
		j.backend.now = j.backend.cut(j.t, block, receipts, n)
		expected := make(map[string]string)
		for _, r := range byCount[n] {
			j.compare(r, block, expected)
		}
	}
	j.blocks++
}

// compare judges one recording. expected keeps what is right for the same block and number of transactions.
func (j *judge) compare(r *recording, block *types.Block, expected map[string]string) {
	j.t.Helper()
	j.positions++
	for i, q := range r.questions {
		key := q.key(j.t)
		want, ok := expected[key]
		if !ok {
			want = j.right(q, block, r.txs)
			expected[key] = want
		}
		got := r.answers[i]
		j.succeeded[q.name] = j.succeeded[q.name] || got.failed == "" && (got.result != "null" || q.name == beyond)
		text := got.failed
		if got.failed == "" {
			text = normalize(j.t, q, got.result)
		}
		j.compared[r.node]++
		j.methods[q.method]++
		j.indices[uint64(r.at.Index)]++
		if r.chained {
			j.chained++
		}
		if text != want {
			j.differ("%s, block %d at index %d with %d of %d transactions, chained %v: %s (%s)\n  at pending: %s\n  canonical:  %s",
				r.node, block.NumberU64(), r.at.Index, r.txs, len(block.Transactions()), r.chained, q.name, key, text, want)
		}
	}
	if r.graph != "" && r.txs == len(block.Transactions()) {
		want := j.graph(fmt.Sprintf("block(number:%q)", hexutil.EncodeUint64(block.NumberU64())))
		j.graphs++
		if r.graph != want {
			j.differ("%s, block %d: GraphQL\n  at pending: %s\n  canonical:  %s", r.node, block.NumberU64(), r.graph, want)
		}
	}
}

// right returns the right answer to a question about the first n transactions of a block.
func (j *judge) right(q question, block *types.Block, n int) string {
	j.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client, number, method := j.client, hexutil.EncodeUint64(block.NumberU64()), q.method
	if q.kind == ofFilter {
		method = "eth_getLogs"
	}
	logs := method == "eth_getLogs"
	if n < len(block.Transactions()) && q.kind != ofHash && !logs {
		client = j.cutOff
	}
	var raw json.RawMessage
	if err := client.CallContext(ctx, &raw, method, q.about(number)...); err != nil {
		return newAnswer(nil, err).failed
	}
	text := string(raw)
	if logs {
		text = firstLogs(j.t, text, block.NumberU64(), n)
	}
	return normalize(j.t, q, text)
}

// differ notes a difference.
func (j *judge) differ(format string, args ...any) {
	j.difference = append(j.difference, fmt.Sprintf(format, args...))
}

// report fails the test for every difference and tells how much was compared.
func (j *judge) report(nodes ...string) {
	j.t.Helper()
	total := 0
	for _, name := range slices.Sorted(maps.Keys(j.compared)) {
		j.t.Logf("%d answers of %s compared", j.compared[name], name)
		total += j.compared[name]
	}
	j.t.Logf("%d answers at %d positions of %d blocks compared, %d of them on a pending parent, %d of GraphQL; %d positions of abandoned payloads; %d differences",
		total, j.positions, j.blocks, j.chained, j.graphs, j.abandoned, len(j.difference))
	var lines []string
	for _, method := range slices.Sorted(maps.Keys(j.methods)) {
		lines = append(lines, fmt.Sprintf("%s %d", method, j.methods[method]))
	}
	j.t.Logf("by method: %s", strings.Join(lines, ", "))
	j.t.Logf("by index: %v", j.indices)
	for name, ok := range j.succeeded {
		require.True(j.t, ok || strings.HasPrefix(name, failing), "the question %q was never answered but by an error", name)
	}
	for _, name := range nodes {
		require.NotZero(j.t, j.compared[name], "no answer of %s was compared", name)
	}
	for _, text := range j.difference[:min(len(j.difference), maxDifferences)] {
		j.t.Error(text)
	}
}
