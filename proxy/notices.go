// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

const (
	// maxBases bounds the attempts whose base is remembered: those of the last block or two.
	maxBases = 8

	// maxWaiting bounds the notices that wait for the flashblock they follow.
	maxWaiting = 64

	// maxNoticeKeys is how many notices are remembered to recognise another upstream's copy.
	maxNoticeKeys = 512
)

// base is the base of one attempt, decoded when a v0 client first needs it.
type base struct {
	payload engine.PayloadID
	get     func() *flashblocks.Base // nil if it cannot be decoded
}

// noticeKey tells notices apart.
type noticeKey struct {
	reorg  bool
	block  uint64
	index  uint64
	parent common.Hash
}

// noticeBook makes the v0 stream out of the v1 stream, and keeps the notices that v1 does not have in
// their place. It belongs to the relay and its lock.
type noticeBook struct {
	bases   []base
	known   map[noticeKey]struct{}
	order   []noticeKey
	waiting []notice
}

// notice is a sealed or reorg message of an upstream's v0 stream.
type notice struct {
	key  noticeKey
	text []byte
}

// encoder returns what makes the v0 form of a message, nil if its base was never seen.
func (b *noticeBook) encoder(d stream.Delivery, c *content) func() []byte {
	if d.HasBase {
		if len(b.bases) == maxBases {
			b.bases = append(b.bases[:0], b.bases[1:]...)
		}
		b.bases = append(b.bases, base{payload: d.PayloadID, get: sync.OnceValue(c.base)})
	}
	get := b.base(d.PayloadID)
	if get == nil {
		return nil
	}
	return func() []byte {
		fb, base := c.decode(), get()
		if fb == nil || base == nil {
			return nil
		}
		return flashblocks.NewNotification(fb, base).AppendJSON(nil)
	}
}

// base returns the base of an attempt, nil if it was not seen.
func (b *noticeBook) base(payload engine.PayloadID) func() *flashblocks.Base {
	for i := len(b.bases) - 1; i >= 0; i-- {
		if b.bases[i].payload == payload {
			return b.bases[i].get
		}
	}
	return nil
}

// first remembers a notice and reports whether it is new.
func (b *noticeBook) first(k noticeKey) bool {
	if _, ok := b.known[k]; ok {
		return false
	}
	if b.known == nil {
		b.known = make(map[noticeKey]struct{})
	}
	if len(b.order) == maxNoticeKeys {
		delete(b.known, b.order[0])
		b.order = append(b.order[:0], b.order[1:]...)
	}
	b.known[k] = struct{}{}
	b.order = append(b.order, k)
	return true
}

// due returns the waiting notices whose flashblock is out.
func (b *noticeBook) due(last flashblocks.Header) (out []stream.Message) {
	rest := b.waiting[:0]
	for _, n := range b.waiting {
		if n.precedes(last) {
			out = append(out, n.message())
		} else {
			rest = append(rest, n)
		}
	}
	clear(b.waiting[len(rest):])
	b.waiting = rest
	return out
}

// precedes reports whether a notice may be published once last is out.
func (n *notice) precedes(last flashblocks.Header) bool {
	return !(flashblocks.FlashblockID{BlockNumber: n.key.block, Index: n.key.index}).After(last.Position())
}

func (n *notice) message() stream.Message {
	text := n.text
	return stream.Message{BlockNumber: n.key.block, Index: n.key.index, V0: func() []byte { return text }}
}

// beforePublish publishes the reorg notice when a message begins another attempt at a block that was
// published in part. r.mu is held.
func (r *relay) beforePublish(d stream.Delivery, c *content) {
	if d.HasBase || d.Index == 0 {
		r.traits.observe(c)
	}
	if d.Index != 0 || !r.hasLast || d.PayloadID == r.last.PayloadID || d.BlockNumber > r.last.BlockNumber {
		return
	}
	if !r.ended.has(r.last.PayloadID) {
		r.abandon()
	}
}

// abandon publishes the reorg notice of the attempt in progress. r.mu is held.
func (r *relay) abandon() {
	r.m.reorgs.Inc()
	get := r.notices.base(r.last.PayloadID)
	if get == nil {
		return
	}
	// Rare enough to be decoded at once.
	old := get()
	if old == nil {
		return
	}
	k := noticeKey{reorg: true, block: old.BlockNumber, index: r.last.Index, parent: old.ParentHash}
	if !r.notices.first(k) {
		return
	}
	n := notice{key: k, text: flashblocks.NewReorgNotification(old, r.last.Index).AppendJSON(nil)}
	r.out.Publish(n.message())
}

// noticed takes a message of the v0 stream of upstream i.
func (r *relay) noticed(i int, text []byte) {
	params, err := parseNotice(text)
	if err != nil {
		return // parsed before, when it was read
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return
	}
	if params.Disconnected {
		r.sources[i].originOff = true
		r.checkLoss()
		return
	}
	n := notice{text: text, key: noticeKey{
		reorg: params.Reorg, block: uint64(params.BlockNumber), index: params.Index, parent: params.ParentHash,
	}}
	if !r.heeds(r.sources[i]) || !r.notices.first(n.key) {
		return
	}
	if r.hasLast && n.precedes(r.last) {
		r.out.Publish(n.message())
		return
	}
	if len(r.notices.waiting) < maxWaiting {
		r.notices.waiting = append(r.notices.waiting, n)
	}
}

// noticeParams are the fields of a v0 notification that matter here.
type noticeParams struct {
	Index        uint64         `json:"index"`
	BlockNumber  hexutil.Uint64 `json:"blockNumber"`
	ParentHash   common.Hash    `json:"parentHash"`
	Sealed       bool           `json:"sealed"`
	Reorg        bool           `json:"reorg"`
	Disconnected bool           `json:"disconnected"`
}

// parseNotice reads a v0 message. Flashblocks of the v0 stream are neither sealed, reorg nor
// disconnected.
func parseNotice(text []byte) (noticeParams, error) {
	var envelope struct {
		Method string       `json:"method"`
		Params noticeParams `json:"params"`
	}
	if err := json.Unmarshal(text, &envelope); err != nil {
		return noticeParams{}, fmt.Errorf("%w: %w", flashblocks.ErrMalformed, err)
	}
	if envelope.Method != flashblocks.NotificationMethod {
		// ErrMalformed makes the subscriber leave, and come back ever more rarely.
		return noticeParams{}, fmt.Errorf("%w: %w", flashblocks.ErrMalformed, errNotNotice)
	}
	return envelope.Params, nil
}

// decodeNotice is stream.SubscriberConfig.Decode for v0 notices.
func decodeNotice(frame []byte, lim flashblocks.Limits) (flashblocks.Header, []byte, error) {
	text, err := flashblocks.Plain(frame, lim)
	if err != nil {
		return flashblocks.Header{}, nil, err
	}
	params, err := parseNotice(text)
	if err != nil {
		return flashblocks.Header{}, nil, err
	}
	return flashblocks.Header{BlockNumber: uint64(params.BlockNumber), Index: params.Index}, text, nil
}
