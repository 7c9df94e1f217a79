// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// journal is a Publisher that puts publications and answers of getPayload into one order and judges
// every entry by what came before it.
type journal struct {
	mu         sync.Mutex
	payloads   map[engine.PayloadID]*history
	settled    map[engine.PayloadID]struct{} // verified, must stay silent
	current    engine.PayloadID              // of the last v1 message
	violations []string

	onFlashblock func() // called after a v1 message was taken in, while the builder still publishes it
}

// history is all that happened to one payload.
type history struct {
	raws    [][]byte // v1 messages
	left    bool     // another payload has published since
	sealed  []blockNote
	reorgs  []blockNote
	answers []*engine.ExecutionPayloadEnvelope
}

// blockNote is what the tests read of a v0 notification.
type blockNote struct {
	Index     uint64         `json:"index"`
	StateRoot common.Hash    `json:"stateRoot"`
	GasUsed   hexutil.Uint64 `json:"gasUsed"`
	Sealed    bool           `json:"sealed"`
	Reorg     bool           `json:"reorg"`
}

func newJournal() *journal {
	return &journal{
		payloads: make(map[engine.PayloadID]*history),
		settled:  make(map[engine.PayloadID]struct{}),
	}
}

// of returns the history of a payload. It assumes that the lock is held.
func (j *journal) of(id engine.PayloadID) *history {
	h := j.payloads[id]
	if h == nil {
		h = new(history)
		j.payloads[id] = h
	}
	return h
}

// violate notes a violation. It assumes that the lock is held.
func (j *journal) violate(id engine.PayloadID, format string, args ...any) {
	j.violations = append(j.violations, fmt.Sprintf("payload %v: ", id)+fmt.Sprintf(format, args...))
}

// Publish implements Publisher.
func (j *journal) Publish(m stream.Message) {
	j.mu.Lock()
	if _, over := j.settled[m.PayloadID]; over {
		j.violate(m.PayloadID, "index %d published after the round", m.Index)
	}
	if m.V1 == nil {
		j.notice(m)
		j.mu.Unlock()
		return
	}
	h := j.of(m.PayloadID)
	switch {
	case len(h.answers) > 0:
		j.violate(m.PayloadID, "index %d published after getPayload answered", m.Index)
	case len(h.sealed) > 0:
		j.violate(m.PayloadID, "index %d published after the block was sealed", m.Index)
	case len(h.reorgs) > 0:
		j.violate(m.PayloadID, "index %d published after the block was abandoned", m.Index)
	case h.left:
		j.violate(m.PayloadID, "index %d published after another payload's", m.Index)
	case m.Index != uint64(len(h.raws)):
		j.violate(m.PayloadID, "index %d published where %d is due", m.Index, len(h.raws))
	}
	h.raws = append(h.raws, m.V1)
	if j.current != m.PayloadID {
		if before := j.payloads[j.current]; before != nil {
			before.left = true
		}
		j.current = m.PayloadID
	}
	hook := j.onFlashblock
	j.mu.Unlock()
	if hook != nil {
		hook()
	}
}

// notice takes in a message that exists on v0 only. It assumes that the lock is held.
func (j *journal) notice(m stream.Message) {
	var note struct {
		Params blockNote `json:"params"`
	}
	if err := json.Unmarshal(m.V0(), &note); err != nil {
		j.violate(m.PayloadID, "notification: %v", err)
		return
	}
	h := j.of(m.PayloadID)
	if int(note.Params.Index) != len(h.raws)-1 {
		j.violate(m.PayloadID, "notification of index %d after %d flashblocks", note.Params.Index, len(h.raws))
	}
	switch {
	case note.Params.Sealed && !note.Params.Reorg:
		if len(h.answers) > 0 {
			j.violate(m.PayloadID, "sealed after getPayload answered")
		}
		h.sealed = append(h.sealed, note.Params)
	case note.Params.Reorg && !note.Params.Sealed:
		h.reorgs = append(h.reorgs, note.Params)
	default:
		j.violate(m.PayloadID, "notification neither sealed nor reorg")
	}
}

// answered takes in an answer of getPayload.
func (j *journal) answered(id engine.PayloadID, envelope *engine.ExecutionPayloadEnvelope) {
	j.mu.Lock()
	defer j.mu.Unlock()
	h := j.of(id)
	h.answers = append(h.answers, envelope)
}

// answers is how often getPayload answered, and published how many flashblocks there were.
func (j *journal) count(id engine.PayloadID) (published, answers int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if h := j.payloads[id]; h != nil {
		return len(h.raws), len(h.answers)
	}
	return 0, 0
}

// settle checks everything about a payload to which nothing may happen any more, and returns its
// sealed form, nil if it was never fetched.
func (j *journal) settle(t testing.TB, p *payload) *engine.ExecutionPayloadEnvelope {
	t.Helper()
	j.mu.Lock()
	h := j.of(p.id)
	delete(j.payloads, p.id)
	j.settled[p.id] = struct{}{}
	violations := j.violations
	j.violations = nil
	j.mu.Unlock()

	require.Empty(t, violations)
	h.requireReorg(t, p)
	if len(h.answers) == 0 {
		require.Empty(t, h.sealed, "a payload that was not fetched is not sealed")
		return nil
	}
	answer := h.answers[0]
	for _, other := range h.answers[1:] {
		require.Equal(t, answer, other, "a retried getPayload returns the same")
	}
	h.requireSealed(t, p, answer)
	return answer
}

// requireSealed asserts I1: the block holds exactly what was published.
func (h *history) requireSealed(t testing.TB, p *payload, answer *engine.ExecutionPayloadEnvelope) {
	t.Helper()
	block := answer.ExecutionPayload
	require.Equal(t, p.args.Parent, block.ParentHash)
	require.Equal(t, p.args.Timestamp, block.Timestamp)
	if len(h.raws) == 0 {
		require.Empty(t, h.sealed, "nothing was published, nothing can be said to be sealed")
		require.Equal(t, encode(t, p), block.Transactions, "the fallback holds the attributes' transactions")
		return
	}
	var published [][]byte
	for i, raw := range h.raws {
		fb := decodeFlashblock(t, raw)
		require.Equal(t, p.id, fb.PayloadID)
		require.EqualValues(t, i, fb.Index)
		require.Equal(t, i == 0, fb.Base != nil, "index 0 alone has a base")
		published = append(published, fb.Diff.Transactions...)
		if i < len(h.raws)-1 {
			continue
		}
		assert.Equal(t, fb.Diff.GasUsed, block.GasUsed)
		assert.Equal(t, fb.Diff.ReceiptsRoot, block.ReceiptsRoot)
		assert.Equal(t, fb.Diff.LogsBloom[:], block.LogsBloom)
		if p.roots {
			assert.Equal(t, fb.Diff.StateRoot, block.StateRoot)
			assert.Equal(t, fb.Diff.BlockHash, block.BlockHash)
		}
	}
	require.Equal(t, published, block.Transactions, "published and sealed transactions differ")
	require.Len(t, h.sealed, 1, "one sealed notification per fetched payload")
	note := h.sealed[0]
	require.EqualValues(t, len(h.raws)-1, note.Index)
	require.Equal(t, block.StateRoot, note.StateRoot)
	require.EqualValues(t, block.GasUsed, note.GasUsed)
}

// requireReorg asserts that abandoning the payload was announced if and only if something of it had been
// published.
func (h *history) requireReorg(t testing.TB, p *payload) {
	t.Helper()
	_, why, _ := p.job.gate.outcome()
	require.NotEqual(t, building, why, "the payload is over")
	if why == superseded && len(h.raws) > 0 {
		require.Len(t, h.reorgs, 1, "%v after %d flashblocks, %d answers", why, len(h.raws), len(h.answers))
	} else {
		require.Empty(t, h.reorgs, "%v after %d flashblocks, %d answers", why, len(h.raws), len(h.answers))
	}
}

// encode returns the encodings of the transactions of the payload's attributes.
func encode(t testing.TB, p *payload) [][]byte {
	t.Helper()
	raws := make([][]byte, len(p.args.Transactions))
	for i, tx := range p.args.Transactions {
		raw, err := tx.MarshalBinary()
		require.NoError(t, err)
		raws[i] = raw
	}
	return raws
}
