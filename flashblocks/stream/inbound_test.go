// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// clientFrame is the only frame of a message, or a control frame, as a client sends it.
func clientFrame(first byte, payload []byte) []byte {
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	out := wireFrame(int(first), payload)
	out[1] |= bitMasked
	header := len(out) - len(payload)
	out = append(out[:header], mask[:]...)
	for i, b := range payload {
		out = append(out, b^mask[i%4])
	}
	return out
}

// heardFrames is what an endpoint took from a client's bytes: pings, and why it ended.
type heardFrames struct {
	pings []string
	end   string // "close", "violation" or "eof"
}

// hear reads everything with inbound. unsure is set where gorilla is known to judge differently.
func hear(r io.Reader) (out heardFrames, unsure bool) {
	var in inbound
	for {
		op, payload, err := in.next(r)
		switch {
		case errors.As(err, new(*violation)):
			out.end = "violation"
			return out, unsure
		case err != nil:
			out.end = "eof"
			return out, unsure
		}
		switch op {
		case opPing:
			out.pings = append(out.pings, string(payload))
		case opClose:
			// gorilla takes a body of one byte for none, and does not know 1014.
			unsure = len(payload) == 1 || len(payload) >= 2 && payload[0] == 1014>>8 && payload[1] == 1014&0xff
			out.end = "close"
			if _, err := answerTo(payload); err != nil {
				out.end = "violation"
			}
			return out, unsure
		}
	}
}

// tape is a connection that plays bytes and swallows what is written.
type tape struct{ io.Reader }

func (tape) Write(b []byte) (int, error)      { return len(b), nil }
func (tape) Close() error                     { return nil }
func (tape) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (tape) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (tape) SetDeadline(time.Time) error      { return nil }
func (tape) SetReadDeadline(time.Time) error  { return nil }
func (tape) SetWriteDeadline(time.Time) error { return nil }

// tapeWriter lets an upgrade take the tape over.
type tapeWriter struct {
	http.ResponseWriter
	tape tape
}

func (w tapeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.tape, bufio.NewReadWriter(bufio.NewReader(strings.NewReader("")), bufio.NewWriter(io.Discard)), nil
}

func upgradeHeader() http.Header {
	return http.Header{
		"Connection": {"keep-alive, Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
}

// hearGorilla reads everything with gorilla/websocket.
func hearGorilla(t *testing.T, r io.Reader) (out heardFrames) {
	t.Helper()
	var upgrader websocket.Upgrader
	req := &http.Request{Method: http.MethodGet, Header: upgradeHeader()}
	ws, err := upgrader.Upgrade(tapeWriter{httptest.NewRecorder(), tape{r}}, req, nil)
	require.NoError(t, err)
	ws.SetReadLimit(inboundReadLimit)
	ws.SetPingHandler(func(data string) error {
		out.pings = append(out.pings, data)
		return nil
	})
	for {
		_, message, err := ws.NextReader()
		if err == nil {
			_, err = io.Copy(io.Discard, message)
		}
		if err == nil {
			continue
		}
		var closed *websocket.CloseError
		switch {
		case errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure:
			out.end = "close"
		case errors.As(err, &closed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			out.end = "eof"
		default:
			out.end = "violation"
		}
		return out
	}
}

// FuzzInbound: whatever a client sends, and in whatever pieces it arrives, this reader takes the same
// from it as gorilla's.
func FuzzInbound(f *testing.F) {
	ping := clientFrame(opPing, []byte("ping"))
	for _, seed := range [][]byte{
		{},
		ping,
		bytes.Repeat(ping, 3),
		clientFrame(opPing, bytes.Repeat([]byte("p"), maxControl)),
		clientFrame(opPong, nil),
		clientFrame(0x2, make([]byte, 512)),
		clientFrame(0x1, make([]byte, 513)),
		append(clientFrame(0x1, make([]byte, 300)), ping...),
		clientFrame(opClose, nil),
		clientFrame(opClose, []byte{0x03, 0xe8, 'b', 'y', 'e'}),
		clientFrame(opClose, []byte{0x03, 0xed}),
		clientFrame(opClose, []byte{0x03, 0xe8, 0xff}),
		clientFrame(opContinuation, nil),
		{0x01, 0x80, 0, 0, 0, 0, 0x89, 0x80, 0, 0, 0, 0, 0x80, 0x80, 0, 0, 0, 0},
		{0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0},
		{0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		{0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 'x'},
		{0x09, 0x80, 0, 0, 0, 0},
		{0x83, 0x80, 0, 0, 0, 0},
		{0xc1, 0x80, 0, 0, 0, 0},
		{0x81, 0x00},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		whole, unsure := hear(bytes.NewReader(sent))
		pieces, _ := hear(iotest.OneByteReader(bytes.NewReader(sent)))
		require.Equal(t, whole, pieces)
		if !unsure {
			require.Equal(t, hearGorilla(t, bytes.NewReader(sent)), whole)
		}
	})
}

func TestInboundCounts(t *testing.T) {
	t.Parallel()
	var sent []byte
	for _, frame := range [][]byte{
		clientFrame(opPing, []byte("a")), clientFrame(0x2, make([]byte, 512)),
		clientFrame(opPing, []byte("b")), clientFrame(opClose, []byte{0x03, 0xe9}),
	} {
		sent = append(sent, frame...)
	}
	got, _ := hear(bytes.NewReader(sent))
	require.Equal(t, heardFrames{pings: []string{"a", "b"}, end: "close"}, got)
	answer, err := answerTo([]byte{0x03, 0xe9})
	require.NoError(t, err)
	require.Equal(t, []byte{0x88, 2, 0x03, 0xe9}, answer)
}

// TestCompressedDataIsTaken: with permessage-deflate a client may compress what it sends, in the first
// frame of a message only.
func TestCompressedDataIsTaken(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		deflate bool
		sent    []byte
		want    error
	}{
		"not agreed on":    {false, clientFrame(bitRSV1|0x1, []byte("x")), errReserved},
		"agreed on":        {true, clientFrame(bitRSV1|0x1, []byte("x")), io.EOF},
		"a control frame":  {true, clientFrame(bitRSV1|opPing, []byte("x")), errReserved},
		"another bit":      {true, clientFrame(0x20|0x1, []byte("x")), errReserved},
		"a later fragment": {true, append([]byte{0x41, 0x80, 0, 0, 0, 0}, clientFrame(bitRSV1|opContinuation, nil)...), errReserved},
	} {
		in, r := inbound{deflate: tc.deflate}, bytes.NewReader(tc.sent)
		var err error
		for err == nil {
			_, _, err = in.next(r)
		}
		require.ErrorIs(t, err, tc.want, name)
	}
}
