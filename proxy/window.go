// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"bytes"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

const (
	// windowMessages is how many messages are remembered to recognise another upstream's copy: several
	// times what a hub replays by default.
	windowMessages = 4096

	// windowBytes bounds the texts kept for comparison. Most of them are in the hub's ring anyway.
	windowBytes = 64 << 20
)

// key identifies a message, whoever sends it.
type key struct {
	payload engine.PayloadID
	index   uint64
}

// verdict is what the window makes of a message.
type verdict uint8

const (
	unseen     verdict = iota // first of its position
	repeated                  // the same again
	conflicted                // another content at a position that is taken
)

// window remembers the last messages with their content. It is not safe for concurrent use.
type window struct {
	texts map[key][]byte // nil once the text was given up
	order []key          // ring of what is known, oldest at next once full
	next  int
	kept  []key // keys whose text is kept, oldest first
	bytes int
	lim   flashblocks.Limits
}

func newWindow(lim flashblocks.Limits) *window {
	return &window{texts: make(map[key][]byte), lim: lim}
}

// judge compares a message with what is known at its position.
func (w *window) judge(k key, text []byte) verdict {
	known, ok := w.texts[k]
	switch {
	case !ok:
		return unseen
	case known == nil || bytes.Equal(known, text):
		return repeated
	}
	// Other bytes may say the same: relays trim metadata and order keys as they like.
	first, _, err1 := flashblocks.Decode(known, w.lim)
	second, _, err2 := flashblocks.Decode(text, w.lim)
	if err1 == nil && err2 == nil && flashblocks.SameContent(first, second) {
		return repeated
	}
	return conflicted
}

// add remembers a message, forgetting the oldest.
func (w *window) add(k key, text []byte) {
	if len(w.order) < windowMessages {
		w.order = append(w.order, k)
	} else {
		old := w.order[w.next]
		w.bytes -= len(w.texts[old])
		delete(w.texts, old)
		w.order[w.next] = k
		w.next = (w.next + 1) % windowMessages
	}
	w.texts[k] = text
	w.bytes += len(text)
	w.kept = append(w.kept, k)
	for len(w.kept) > 1 && (w.bytes > windowBytes || len(w.kept) > windowMessages) {
		oldest := w.kept[0]
		w.kept = w.kept[1:]
		if text := w.texts[oldest]; text != nil {
			w.bytes -= len(text)
			w.texts[oldest] = nil
		}
	}
}
