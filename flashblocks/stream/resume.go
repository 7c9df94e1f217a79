// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/ethereum/go-ethereum/beacon/engine"
)

// Query parameters of the upgrade URL. The first two are those of Base's builder.
const (
	paramBlock   = "block_number"
	paramIndex   = "flashblock_index"
	paramPayload = "payload_id"
	paramFrom    = "from"

	fromCurrent = "current"

	// paramNotices asks the v0 stream for notices only.
	paramNotices = "notices"
	noticesValue = "only"
)

// start says where a client wants to begin.
type start struct {
	current bool // at index 0 of the block in progress
	notices bool // only what exists on v0 alone

	resume  bool // after a position
	block   uint64
	index   uint64
	payload *engine.PayloadID // tells attempts at the same block apart, optional
}

// parseStart reads the resume parameters of an upgrade request. Other parameters are ignored. The
// error is one sentence for the client.
func parseStart(rawQuery string) (start, error) {
	var s start
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return s, errors.New("the query of the URL is malformed")
	}
	for _, name := range []string{paramBlock, paramIndex, paramPayload, paramFrom, paramNotices} {
		if len(query[name]) > 1 {
			return s, fmt.Errorf("%s is given %d times", name, len(query[name]))
		}
	}
	if query.Has(paramFrom) {
		if query.Get(paramFrom) != fromCurrent {
			return s, fmt.Errorf("%s must be %q", paramFrom, fromCurrent)
		}
		s.current = true
	}
	if query.Has(paramNotices) {
		if query.Get(paramNotices) != noticesValue {
			return start{}, fmt.Errorf("%s must be %q", paramNotices, noticesValue)
		}
		s.notices = true
	}
	switch {
	case query.Has(paramBlock) != query.Has(paramIndex):
		return start{}, fmt.Errorf("%s and %s must be given together", paramBlock, paramIndex)
	case !query.Has(paramBlock):
		if query.Has(paramPayload) {
			return start{}, fmt.Errorf("%s needs %s and %s", paramPayload, paramBlock, paramIndex)
		}
		return s, nil
	}
	s.resume = true
	if s.block, err = parseNumber(paramBlock, query.Get(paramBlock)); err != nil {
		return start{}, err
	}
	if s.index, err = parseNumber(paramIndex, query.Get(paramIndex)); err != nil {
		return start{}, err
	}
	if query.Has(paramPayload) {
		var id engine.PayloadID
		if err := id.UnmarshalText([]byte(query.Get(paramPayload))); err != nil {
			return start{}, fmt.Errorf("%s must be 0x and 16 hex digits", paramPayload)
		}
		s.payload = &id
	}
	return s, nil
}

func parseNumber(name, value string) (uint64, error) {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s must be a decimal number below 2^64", name)
	}
	return n, nil
}

// cursor returns the number of the first message for a client that starts at s.
//
// A client that resumes gets everything after its position. The position may fit more than one
// attempt at the same block if the client does not name a payload id; or none, because it is too old,
// or comes from another server. Such a client starts at an index 0 from which everything can be
// understood: that of the newest attempt at its block or else of the oldest block after it which the
// ring holds completely. It may then see messages again, which the sequence rules ignore, but it
// never misses one silently. A client ahead of the ring, or with nothing to start at, gets what is
// published next, and found is false.
func (r *ring) cursor(s start) (seq uint64, found bool) {
	if !s.resume && !s.current {
		return r.head.Load(), false
	}
	list, head := r.entries()
	if s.resume {
		if seq, ok := resumeAt(list, s); ok {
			return seq, true
		}
	}
	if s.current {
		for i := len(list) - 1; i >= 0; i-- {
			if e := list[i]; e.opens() {
				return e.seq, true
			}
		}
	}
	return head, false
}

// opens reports whether a block begins at this message.
func (e *entry) opens() bool { return e.msg.V1 != nil && e.msg.Index == 0 }

// resumeAt finds where a client after position s continues, see ring.cursor.
func resumeAt(list []*entry, s start) (uint64, bool) {
	var (
		exact    *entry // last message at the position
		matches  int    // attempts that have the position
		attempt  *entry // index 0 of the newest attempt at the block
		next     *entry // first index 0 of a later block
		sameLast *entry // last message of the attempt the client names
	)
	for _, e := range list {
		switch {
		case e.msg.V1 == nil:
		case e.msg.BlockNumber > s.block && e.opens() && next == nil:
			next = e
		case e.msg.BlockNumber == s.block:
			if e.opens() {
				attempt, next = e, nil
			}
			if s.payload != nil && e.msg.PayloadID != *s.payload {
				continue
			}
			sameLast = e
			if e.msg.Index == s.index {
				exact = e
				matches++
			}
		}
	}
	switch {
	case exact != nil && (matches == 1 || attempt == nil):
		return exact.seq + 1, true
	case s.payload != nil && sameLast != nil && attempt != nil && sameLast.msg.PayloadID == attempt.msg.PayloadID && sameLast.msg.Index < s.index:
		return 0, false // the client is ahead of this server
	case attempt != nil:
		return attempt.seq, true
	case next != nil:
		return next.seq, true
	default:
		return 0, false
	}
}
