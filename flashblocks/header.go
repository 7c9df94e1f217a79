// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/internal/jsonwalk"
)

// Header is what a forwarder needs to know of a flashblock.
type Header struct {
	PayloadID   engine.PayloadID
	Index       uint64
	BlockNumber uint64 // zero when free-form metadata of an index >= 1 does not tell it
	HasBase     bool
}

// Position is where the flashblock stands in the stream.
func (h Header) Position() FlashblockID {
	return FlashblockID{BlockNumber: h.BlockNumber, Index: h.Index}
}

// Header returns the header of a decoded flashblock.
func (fb *Flashblock) Header() Header {
	return Header{
		PayloadID:   fb.PayloadID,
		Index:       fb.Index,
		BlockNumber: fb.Metadata.BlockNumber,
		HasBase:     fb.Base != nil,
	}
}

// DecodeHeader is Decode for forwarders: it checks that the message is well-formed JSON within the
// limits, but reads only its header and decodes no transaction. The JSON it returns is the one to
// republish. Errors are those of Decode.
func DecodeHeader(frame []byte, lim Limits) (Header, []byte, error) {
	original, err := Plain(frame, lim)
	if err != nil {
		return Header{}, nil, err
	}
	r := headerReader{scanner: newScanner(original)}
	if err := r.read(); err != nil {
		return Header{}, nil, err
	}
	return r.header, original, nil
}

type headerReader struct {
	scanner
	header Header
	seen   jsonwalk.Seen
	base   uint64 // block number of the base
	meta   Metadata
}

func (r *headerReader) read() error {
	if err := r.Object(r.field); err != nil {
		return err
	}
	if err := r.end(); err != nil {
		return err
	}
	if err := r.seen.Require(rules, "payload_id", "index", "diff"); err != nil {
		return err
	}
	if r.header.HasBase {
		if err := r.meta.agree(r.base); err != nil {
			return err
		}
	}
	r.header.BlockNumber = r.meta.BlockNumber
	return nil
}

func (r *headerReader) field(key []byte) (err error) {
	var bit int
	switch string(key) {
	case "payload_id":
		bit, err = 0, r.Fixed(r.header.PayloadID[:])
	case "index":
		bit = 1
		r.header.Index, err = r.Quantity()
	case "diff":
		bit, err = 2, r.Skip()
	case "base":
		bit = 3
		if !r.Null() {
			r.header.HasBase = true
			r.base, err = r.blockNumber()
		}
	case "metadata":
		bit, err = 4, r.metadataNumber()
	default:
		return r.Skip()
	}
	if err != nil {
		return jsonwalk.InField(key, err)
	}
	return r.seen.Mark(rules, bit, key)
}

// metadataNumber reads the block number of metadata that may be of any form.
func (r *headerReader) metadataNumber() error {
	start := r.scanner
	number, err := r.blockNumber()
	if err == nil {
		r.meta = Metadata{BlockNumber: number}
		return nil
	}
	r.scanner = start
	return r.Skip()
}
