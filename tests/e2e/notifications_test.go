// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// notification is a message of the v0 stream, decoded with nothing of flashgeth.
type notification struct {
	Index       uint64          `json:"index"`
	BlockNumber hexutil.Uint64  `json:"blockNumber"`
	ParentHash  common.Hash     `json:"parentHash"`
	StateRoot   common.Hash     `json:"stateRoot"`
	GasUsed     hexutil.Uint64  `json:"gasUsed"`
	Txs         []hexutil.Bytes `json:"transactions"`
	Sealed      bool            `json:"sealed"`
	Reorg       bool            `json:"reorg"`
}

// listener keeps everything a v0 stream says.
type listener struct {
	mu  sync.Mutex
	all []notification
}

// listen follows the v0 stream of a network until the end of the test.
func listen(t *testing.T, url string) *listener {
	t.Helper()
	ws, err := dial(t.Context(), url+"/v0", 0)
	require.NoError(t, err)
	l := new(listener)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			_, text, err := ws.ReadMessage()
			if err != nil {
				return // closed by the test
			}
			var message struct {
				Method string       `json:"method"`
				Params notification `json:"params"`
			}
			if err := json.Unmarshal(text, &message); err != nil || message.Method != flashblocks.NotificationMethod {
				t.Errorf("a message of the v0 stream is no notification (%v): %s", err, text)
				return
			}
			l.mu.Lock()
			l.all = append(l.all, message.Params)
			l.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		_ = ws.Close()
		wg.Wait()
	})
	return l
}

// find returns the notifications that match, in order.
func (l *listener) find(match func(notification) bool) []notification {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []notification
	for _, n := range l.all {
		if match(n) {
			found = append(found, n)
		}
	}
	return found
}

// requireSealed checks that the v0 stream told the final state root of every audited block, after all of
// its transactions.
func (l *listener) requireSealed(t *testing.T, list []audited) {
	t.Helper()
	for _, a := range list {
		var (
			block = a.block
			said  []notification
			last  int
		)
		// The block may be canonical before the message about it is here.
		harness.Eventually(t, fmt.Sprintf("v0 announced the root of block %d", block.NumberU64()), func() bool {
			said = l.find(func(n notification) bool {
				return uint64(n.BlockNumber) == block.NumberU64() && n.ParentHash == block.ParentHash()
			})
			last = slices.IndexFunc(said, func(n notification) bool { return n.Sealed && n.StateRoot == block.Root() })
			return last >= 0
		})
		require.Positive(t, last, "v0 announced the root of block %d after its flashblocks", block.NumberU64())
		require.EqualValues(t, block.GasUsed(), said[last].GasUsed)
		require.Empty(t, said[last].Txs)
	}
}
