// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/gorilla/websocket"
)

// Form is what a client gets a message as.
type Form uint8

const (
	// FormText is v1 JSON in text frames, the form of every known builder.
	FormText Form = iota
	// FormBinary is v1 JSON in binary frames, as Base's proxy sends it without compression.
	FormBinary
	// FormBrotli is v1 JSON in binary frames, each an independent brotli stream, as Base's proxy
	// sends it with compression.
	FormBrotli
	// FormV0 is the JSON-RPC notification flashblocks_v0 in text frames.
	FormV0

	formCount
)

// String returns the form's name for logs.
func (f Form) String() string {
	switch f {
	case FormText:
		return "text"
	case FormBinary:
		return "binary"
	case FormBrotli:
		return "brotli"
	case FormV0:
		return "v0"
	default:
		return fmt.Sprintf("form(%d)", uint8(f))
	}
}

// Brotli settings of Base's proxy: its clients size their decoders for this window.
const (
	brotliQuality = 5
	brotliWindow  = 22
)

// entry is a message in the ring with its frames, each built by the first client that needs it and
// then shared by all.
type entry struct {
	seq   uint64
	msg   Message
	forms [formCount]frame
}

// frame is one message in one form, framed once for every client.
type frame struct {
	once sync.Once
	kind int    // text or binary
	wire []byte // as it is sent without an extension, nil if the message does not exist in this form
	size int    // bytes of payload, the last ones of wire

	deflate sync.Once
	small   []byte // as it is sent with permessage-deflate, nil if that failed
}

// deflated returns the message for clients that negotiated permessage-deflate, compressed and framed once.
func (f *frame) deflated() ([]byte, error) {
	var err error
	f.deflate.Do(func() {
		var payload []byte
		if payload, err = deflate(f.wire[len(f.wire)-f.size:]); err == nil {
			f.small = wireFrame(bitRSV1|f.kind, payload)
		}
	})
	if f.small == nil {
		return nil, fmt.Errorf("message cannot be deflated: %w", errors.Join(err, errNotDeflated))
	}
	return f.small, nil
}

// deflaters are writers of compress/flate, which are large. The level is the fastest: it is paid before
// the first of the clients gets anything.
var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is valid
	}
	return w
}}

// deflateTail ends what a flush writes and is left out of the frame, RFC 7692 §7.2.1.
var deflateTail = []byte{0, 0, 0xff, 0xff}

// deflate returns the payload of a compressed message, RFC 7692 §7.2.1.
func deflate(payload []byte) ([]byte, error) {
	w, ok := deflaters.Get().(*flate.Writer)
	if !ok {
		return nil, errNotDeflated
	}
	defer deflaters.Put(w)
	var buf bytes.Buffer
	w.Reset(&buf)
	if _, err := w.Write(payload); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	out, ok := bytes.CutSuffix(buf.Bytes(), deflateTail)
	if !ok {
		return nil, errNotDeflated
	}
	return out, nil
}

// frame returns the message in the given form; its wire bytes are nil if there is none.
// A failure to encode is passed to onError once.
func (e *entry) frame(form Form, onError func(error)) *frame {
	f := &e.forms[form]
	f.once.Do(func() {
		if err := f.build(&e.msg, form); err != nil {
			onError(fmt.Errorf("encode flashblock %d/%d as %s: %w", e.msg.BlockNumber, e.msg.Index, form, err))
		}
	})
	return f
}

// build encodes and frames. The encoder is the caller's code: its panic costs the message in this
// form, not the hub.
func (f *frame) build(m *Message, form Form) (err error) {
	defer func() {
		if r := recover(); r != nil {
			f.wire, err = nil, fmt.Errorf("panic: %v", r)
		}
	}()
	payload, frameType := m.V1, websocket.TextMessage
	switch form {
	case FormBinary:
		frameType = websocket.BinaryMessage
	case FormBrotli:
		frameType = websocket.BinaryMessage
		if payload, err = compress(m.V1); err != nil {
			return err
		}
	case FormV0:
		payload = nil
		if m.V0 != nil {
			payload = m.V0()
			// The encoder may hold a whole decoded flashblock, the frame is all that is needed now.
			m.V0 = nil
		}
	}
	if len(payload) == 0 {
		return nil
	}
	f.kind, f.size = frameType, len(payload)
	f.wire = wireFrame(frameType, payload)
	return nil
}

// compress returns an independent brotli stream, nil for nothing.
func compress(text []byte) ([]byte, error) {
	if len(text) == 0 {
		return nil, nil
	}
	var buf bytes.Buffer
	w := brotli.NewWriterOptions(&buf, brotli.WriterOptions{Quality: brotliQuality, LGWin: brotliWindow})
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
