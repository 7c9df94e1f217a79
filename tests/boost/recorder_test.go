// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// notice is what the v0 stream said of one round.
type notice struct {
	parent common.Hash
	count  int // of flashblocks
	sealed bool
	reorg  bool
	root   common.Hash // with sealed
	gas    uint64      // with sealed
}

// open tells whether nothing was said about the outcome yet.
func (n *notice) open() bool { return !n.sealed && !n.reorg }

// recorder keeps everything that boost publishes, on both streams. What v1 publishes must continue its round.
type recorder struct {
	*harness.Recorder

	t       *testing.T
	mu      sync.Mutex
	notices map[uint64][]*notice // the same rounds as v0 tells of them, in the order of their index 0
}

// record follows both streams until the end of the test.
func record(t *testing.T, url string) *recorder {
	t.Helper()
	r := &recorder{t: t, notices: make(map[uint64][]*notice)}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { r.follow(ctx, url+"/v0?from=current") })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	r.Recorder = harness.Record(t, url+"/", true)
	return r
}

// follow reads the v0 stream until the end of ctx.
func (r *recorder) follow(ctx context.Context, url string) {
	ticker := time.NewTicker(harness.Poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		ws, resp, err := websocket.DefaultDialer.DialContext(ctx, url, nil)
		if resp != nil {
			_ = resp.Body.Close()
		}
		if err != nil {
			continue // boost is being restarted
		}
		stop := context.AfterFunc(ctx, func() { _ = ws.Close() })
		for {
			_, text, err := ws.ReadMessage()
			if err != nil {
				break
			}
			r.notify(text)
		}
		stop()
		_ = ws.Close()
	}
}

// notify takes one message of the v0 stream.
func (r *recorder) notify(text []byte) {
	var message struct {
		Params struct {
			Index        uint64         `json:"index"`
			Number       hexutil.Uint64 `json:"blockNumber"`
			Parent       common.Hash    `json:"parentHash"`
			Root         common.Hash    `json:"stateRoot"`
			Gas          hexutil.Uint64 `json:"gasUsed"`
			Sealed       bool           `json:"sealed"`
			Reorg        bool           `json:"reorg"`
			Disconnected bool           `json:"disconnected"`
		} `json:"params"`
	}
	if err := json.Unmarshal(text, &message); err != nil {
		r.t.Errorf("a v0 message is not understood (%v): %s", err, text)
		return
	}
	m := message.Params
	if m.Disconnected {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.notices[uint64(m.Number)]
	var last *notice
	if len(list) > 0 {
		last = list[len(list)-1]
	}
	switch {
	case m.Sealed || m.Reorg:
		if last == nil || !last.open() || last.parent != m.Parent {
			r.t.Errorf("the outcome of nothing that v0 told of: %s", text)
			return
		}
		last.sealed, last.reorg, last.root, last.gas = m.Sealed, m.Reorg, m.Root, uint64(m.Gas)
	case m.Index == 0:
		if last != nil && last.open() {
			r.t.Errorf("block %d begins again without an outcome of the attempt before", uint64(m.Number))
		}
		r.notices[uint64(m.Number)] = append(list, &notice{parent: m.Parent, count: 1})
	default:
		if last == nil || !last.open() || uint64(last.count) != m.Index {
			r.t.Errorf("v0 told of %d/%d out of order: %s", uint64(m.Number), m.Index, text)
			return
		}
		last.count++
	}
}

// at returns what was published for a block number, on both streams.
func (r *recorder) at(number uint64) ([]harness.Attempt, []notice) {
	rounds := r.At(number)
	r.mu.Lock()
	defer r.mu.Unlock()
	var notices []notice
	for _, notice := range r.notices[number] {
		notices = append(notices, *notice)
	}
	return rounds, notices
}

// sealed counts the rounds from a number on that v0 calls sealed, of which at least so many flashblocks were
// published.
func (r *recorder) sealed(from uint64, flashblocks int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := 0
	for number, list := range r.notices {
		for _, n := range list {
			if number >= from && n.sealed && n.count >= flashblocks {
				count++
			}
		}
	}
	return count
}

// published counts the rounds from one number to another.
func (r *recorder) published(from, to uint64) int {
	count := 0
	for _, number := range r.Numbers() {
		if number >= from && number <= to {
			count += len(r.At(number))
		}
	}
	return count
}

// await waits for the next flashblock that matches, counting from now, and returns its block number.
func (r *recorder) await(what string, match func(*flashblocks.Flashblock) bool) uint64 {
	r.t.Helper()
	return r.Await(what, match).Metadata.BlockNumber
}

// abandon forgets the rounds without an outcome: flashboost was stopped on purpose and cannot tell any more.
func (r *recorder) abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, list := range r.notices {
		for _, n := range list {
			if n.open() {
				n.reorg = true
			}
		}
	}
}
