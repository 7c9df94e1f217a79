// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"bytes"
	"encoding/binary"
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

	deflate  sync.Once
	prepared *websocket.PreparedMessage // for clients with permessage-deflate, see deflated
}

// deflated returns the message for clients that negotiated permessage-deflate, compressed once.
func (f *frame) deflated() (*websocket.PreparedMessage, error) {
	var err error
	f.deflate.Do(func() {
		f.prepared, err = websocket.NewPreparedMessage(f.kind, f.wire[len(f.wire)-f.size:])
	})
	if f.prepared == nil {
		return nil, fmt.Errorf("message cannot be compressed: %w", errors.Join(err, errNotPrepared))
	}
	return f.prepared, nil
}

// maxFrameHeader is what a server's frame has before its payload at most, RFC 6455 §5.2.
const maxFrameHeader = 10

// wireFrame returns one unmasked, unfragmented frame.
func wireFrame(kind int, payload []byte) []byte {
	out := make([]byte, 0, maxFrameHeader+len(payload))
	out = append(out, 0x80|byte(kind))
	switch n := len(payload); {
	case n < 126:
		out = append(out, byte(n))
	case n <= 0xffff:
		out = binary.BigEndian.AppendUint16(append(out, 126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 127), uint64(n))
	}
	return append(out, payload...)
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
