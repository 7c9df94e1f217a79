// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
)

// front stands between op-node and boost, and judges every answer that op-node gets: no call may fail, a
// payload that is asked for again must be the same, and no block may have two ids.
type front struct {
	*link
	t *testing.T

	// A real op-node makes one forkchoice update after the other. The gate keeps those of a burst in order
	// with its own.
	gate  sync.RWMutex
	state json.RawMessage // the forkchoice state of the last one

	mu       sync.Mutex
	change   fault // of op-node's own calls, nil for none
	down     bool  // boost is down on purpose
	blocks   map[engine.PayloadID]common.Hash
	ids      map[common.Hash]engine.PayloadID
	answered func() // told of every answer to getPayload, may be nil
}

func newFront(t *testing.T) *front {
	t.Helper()
	f := &front{link: newLink(t), t: t, blocks: make(map[engine.PayloadID]common.Hash), ids: make(map[common.Hash]engine.PayloadID)}
	f.link.set(f.watch)
	return f
}

// alter changes op-node's calls on their way, nil for no more.
func (f *front) alter(change fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.change = change
}

// excuse tells whether calls may fail, because boost is down.
func (f *front) excuse(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

// onAnswer has every answer to getPayload told.
func (f *front) onAnswer(answered func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answered = answered
}

// watch is the fault of the link: it is none.
func (f *front) watch(c *call) reply {
	f.mu.Lock()
	pass, answered := f.change, f.answered
	f.mu.Unlock()
	if pass == nil {
		pass = (*call).pass
	}
	if isForkchoice(c.method) {
		f.gate.Lock()
		defer f.gate.Unlock()
	}
	answer := pass(c)
	f.judge(c, answer)
	switch {
	case isForkchoice(c.method):
		var request struct {
			Params []json.RawMessage `json:"params"`
		}
		if json.Unmarshal(c.body, &request) == nil && len(request.Params) > 0 {
			f.state = request.Params[0]
		}
	case isGetPayload(c.method) && answer.status == http.StatusOK:
		f.record(c, answer)
		if answered != nil {
			answered()
		}
		if again := c.pass(); !bytes.Equal(again.body, answer.body) && c.ctx.Err() == nil && !f.excused() {
			f.t.Errorf("the payload changed:\n%.2000s\n%.2000s", answer.body, again.body)
		}
	}
	return answer
}

func (f *front) excused() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.down
}

// judge reports a call of the Engine API that failed.
func (f *front) judge(c *call, answer reply) {
	if !strings.HasPrefix(c.method, "engine_") || f.excused() || c.ctx.Err() != nil {
		return
	}
	var response struct {
		Error json.RawMessage `json:"error"`
	}
	if answer.status != http.StatusOK || json.Unmarshal(answer.body, &response) != nil || response.Error != nil {
		f.t.Errorf("%s failed with status %d: %.500s", c.method, answer.status, answer.body)
	}
}

// record keeps which block a payload id stands for.
func (f *front) record(c *call, answer reply) {
	var (
		request struct {
			Params []engine.PayloadID `json:"params"`
		}
		response struct {
			Result *struct {
				Payload struct {
					Hash common.Hash `json:"blockHash"`
				} `json:"executionPayload"`
			} `json:"result"`
		}
	)
	if json.Unmarshal(c.body, &request) != nil || len(request.Params) != 1 || json.Unmarshal(answer.body, &response) != nil || response.Result == nil {
		return // judge has told
	}
	id, hash := request.Params[0], response.Result.Payload.Hash
	f.mu.Lock()
	defer f.mu.Unlock()
	if known, ok := f.blocks[id]; ok && known != hash {
		f.t.Errorf("payload %v is block %v and block %v", id, known, hash)
	}
	if known, ok := f.ids[hash]; ok && known != id {
		f.t.Errorf("block %v is payload %v and payload %v", hash, known, id)
	}
	f.blocks[id], f.ids[hash] = hash, id
}

// burst sends forkchoice updates without attributes, each with the state that op-node has set last, as
// op-node does when it derives a batch. It returns once all are answered.
func (f *front) burst(url string, count int) {
	const workers = 8
	var (
		wg   sync.WaitGroup
		jobs = make(chan int)
	)
	for range workers {
		wg.Go(func() {
			for i := range jobs {
				f.update(url, i)
			}
		})
	}
	for i := range count {
		jobs <- i
	}
	close(jobs)
	wg.Wait()
}

// update sends one forkchoice update of a burst.
func (f *front) update(url string, id int) {
	f.gate.RLock()
	defer f.gate.RUnlock()
	body := encode(map[string]any{"jsonrpc": "2.0", "id": id, "method": "engine_forkchoiceUpdatedV3", "params": []any{f.state, nil}})
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		f.t.Errorf("a forkchoice update of the burst: %v", err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := f.client.Do(req)
	if err != nil {
		f.t.Errorf("a forkchoice update of the burst: %v", err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	var response struct {
		ID     int                        `json:"id"`
		Result *engine.ForkChoiceResponse `json:"result"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&response); err != nil || response.Result == nil || response.ID != id ||
		response.Result.PayloadStatus.Status != engine.VALID {
		f.t.Errorf("forkchoice update %d of the burst: %v, %+v", id, err, response)
	}
}

// requireUnique checks that op-node has got payloads at all; watch has judged them.
func (f *front) requireUnique() {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	require.NotEmpty(f.t, f.blocks)
	require.Len(f.t, f.ids, len(f.blocks))
}
