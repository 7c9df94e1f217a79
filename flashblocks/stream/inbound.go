// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"encoding/binary"
	"io"
	"math"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// Opcodes and bits of a frame, RFC 6455 §5.2.
const (
	opContinuation = 0x0
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa

	bitFinal   = 0x80
	bitRSV1    = 0x40
	bitsRSV23  = 0x30
	bitControl = 0x08
	bitMasked  = 0x80

	// maxControl is the longest payload of a control frame, RFC 6455 §5.5.
	maxControl = 125
)

// maxFrameHeader is what a server's frame has before its payload at most, RFC 6455 §5.2.
const maxFrameHeader = 10

// wireFrame returns one unmasked, unfragmented frame, of an opcode and perhaps RSV1.
func wireFrame(kind int, payload []byte) []byte {
	out := make([]byte, 0, maxFrameHeader+len(payload))
	out = append(out, bitFinal|byte(kind))
	switch n := len(payload); {
	case n <= maxControl:
		out = append(out, byte(n))
	case n <= math.MaxUint16:
		out = binary.BigEndian.AppendUint16(append(out, 126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 127), uint64(n))
	}
	return append(out, payload...)
}

// closeFrame returns a close frame. The reason may have up to maxCloseReason bytes.
func closeFrame(code int, reason string) []byte {
	return wireFrame(opClose, websocket.FormatCloseMessage(code, reason))
}

// violation is what a client did against the protocol or the rules: the close frame it gets.
type violation struct {
	code   int
	reason string
}

// Error implements error.
func (v *violation) Error() string { return v.reason }

// What clients can do wrong.
var (
	errReserved  = &violation{websocket.CloseProtocolError, "reserved bits or opcode"}
	errControl   = &violation{websocket.CloseProtocolError, "control frame is fragmented or too long"}
	errFragments = &violation{websocket.CloseProtocolError, "fragments are out of order"}
	errUnmasked  = &violation{websocket.CloseProtocolError, "frame is not masked"}
	errLength    = &violation{websocket.CloseProtocolError, "frame length is out of range"}
	errCloseBody = &violation{websocket.CloseProtocolError, "close frame is malformed"}
	errTooBig    = &violation{websocket.CloseMessageTooBig, "message is too big"}
	errChatty    = &violation{websocket.ClosePolicyViolation, "too many inbound frames"}
)

// inboundBuffer is read at a time. It holds the longest frame header, 14 bytes, and any usual ping; an
// idle client costs no more than this.
const inboundBuffer = 48

// inbound reads what a client sends. Data is checked and discarded: clients have nothing to say that
// the hub would use.
type inbound struct {
	buf     [inboundBuffer]byte
	lo, hi  int  // what of buf is not used yet
	deflate bool // data may be compressed, so that its first frame carries RSV1
	open    bool // a message of several fragments has not ended
	size    int  // payload of the message so far
}

// next reads one whole frame and returns its opcode and, of a control frame, the payload. The error is a
// *violation or that of the reader.
func (in *inbound) next(r io.Reader) (op byte, payload []byte, err error) {
	head, err := in.take(r, 2)
	if err != nil {
		return 0, nil, err
	}
	first, second := head[0], head[1]
	if err := in.check(first, second); err != nil {
		return 0, nil, err
	}
	op = first & 0x0f
	size, err := in.length(r, second)
	if err != nil {
		return 0, nil, err
	}
	head, err = in.take(r, 4)
	if err != nil {
		return 0, nil, err
	}
	if op&bitControl == 0 {
		if op != opContinuation {
			in.size = 0
		}
		if in.open = first&bitFinal == 0; size > uint64(inboundReadLimit-in.size) {
			return 0, nil, errTooBig
		}
		in.size += int(size)
		return op, nil, in.skip(r, int(size))
	}
	var mask [4]byte
	copy(mask[:], head)
	payload = make([]byte, size)
	for done := 0; done < len(payload); {
		if err := in.fill(r, 1); err != nil {
			return 0, nil, err
		}
		n := copy(payload[done:], in.buf[in.lo:in.hi])
		in.lo += n
		done += n
	}
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return op, payload, nil
}

// check judges the first two bytes of a frame.
func (in *inbound) check(first, second byte) error {
	op, final := first&0x0f, first&bitFinal != 0
	control := op&bitControl != 0
	if first&bitsRSV23 != 0 || op&0x7 > 2 {
		return errReserved
	}
	// A message that is compressed says so in its first frame, RFC 7692 §6.
	if first&bitRSV1 != 0 && (!in.deflate || control || op == opContinuation) {
		return errReserved
	}
	switch {
	case second&bitMasked == 0:
		return errUnmasked
	case control && (!final || second&0x7f > maxControl):
		return errControl
	case !control && (op == opContinuation) != in.open:
		return errFragments
	}
	return nil
}

// length reads the extended length of a frame. A length that is longer than it had to be is let pass.
func (in *inbound) length(r io.Reader, second byte) (uint64, error) {
	switch n := second & 0x7f; n {
	case 126:
		p, err := in.take(r, 2)
		if err != nil {
			return 0, err
		}
		return uint64(binary.BigEndian.Uint16(p)), nil
	case 127:
		p, err := in.take(r, 8)
		if err != nil {
			return 0, err
		}
		size := binary.BigEndian.Uint64(p)
		if size > math.MaxInt64 {
			return 0, errLength
		}
		return size, nil
	default:
		return uint64(n), nil
	}
}

// take returns the next n bytes, which are valid until the next call. n is at most inboundBuffer.
func (in *inbound) take(r io.Reader, n int) ([]byte, error) {
	if err := in.fill(r, n); err != nil {
		return nil, err
	}
	in.lo += n
	return in.buf[in.lo-n : in.lo], nil
}

// skip discards n bytes.
func (in *inbound) skip(r io.Reader, n int) error {
	for n > 0 {
		if err := in.fill(r, 1); err != nil {
			return err
		}
		step := min(n, in.hi-in.lo)
		in.lo += step
		n -= step
	}
	return nil
}

// fill reads until n bytes are there.
func (in *inbound) fill(r io.Reader, n int) error {
	if in.hi-in.lo >= n {
		return nil
	}
	in.hi = copy(in.buf[:], in.buf[in.lo:in.hi])
	in.lo = 0
	for in.hi < n {
		m, err := r.Read(in.buf[in.hi:])
		in.hi += m
		if err != nil && in.hi < n {
			return err
		}
	}
	return nil
}

// answerTo returns the close frame that answers one with the given payload, or the violation in it.
func answerTo(payload []byte) ([]byte, error) {
	if len(payload) == 0 {
		return wireFrame(opClose, nil), nil
	}
	if len(payload) < 2 || !utf8.Valid(payload[2:]) {
		return nil, errCloseBody
	}
	switch code := int(binary.BigEndian.Uint16(payload)); {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999: // RFC 6455 §7.4 and its registry
		return closeFrame(code, ""), nil
	default:
		return nil, errCloseBody
	}
}
