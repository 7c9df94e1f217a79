// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package teststream

import (
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// Dial connects a client that the test closes at its end.
func Dial(t testing.TB, url string) *websocket.Conn {
	t.Helper()
	ws, _, err := TryDial(url, nil, false)
	require.NoError(t, err)
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

// TryDial connects and returns the status of the answer, 0 if there was none. Its buffers are small: a test may
// have thousands of clients.
func TryDial(url string, header http.Header, deflate bool) (*websocket.Conn, int, error) {
	dialer := websocket.Dialer{HandshakeTimeout: Patience, EnableCompression: deflate, ReadBufferSize: 1024, WriteBufferSize: 128}
	ws, resp, err := dialer.Dial(url, header)
	status := 0
	if resp != nil {
		status = resp.StatusCode
		_ = resp.Body.Close()
	}
	return ws, status, err
}

// Position is where a message stands.
type Position struct{ Block, Index uint64 }

// At is a position.
func At(block, index uint64) Position { return Position{Block: block, Index: index} }

// Of is the position of a message.
func Of(header flashblocks.Header) Position { return At(header.BlockNumber, header.Index) }

// Message is what a client was sent.
type Message struct {
	flashblocks.Header

	Kind int    // the kind of its frame, as gorilla/websocket has it
	JSON []byte // decompressed
}

// ReadFrame reads one message whatever it is.
func ReadFrame(ws *websocket.Conn) (kind int, frame []byte, err error) {
	_ = ws.SetReadDeadline(time.Now().Add(Patience)) // of a pipe that was closed it fails, and there may still be something to read
	return ws.ReadMessage()
}

// Read reads one message of v1, in any form.
func Read(ws *websocket.Conn) (Message, error) {
	kind, frame, err := ReadFrame(ws)
	if err != nil {
		return Message{}, err
	}
	header, text, err := flashblocks.DecodeHeader(frame, flashblocks.Limits{})
	return Message{Header: header, Kind: kind, JSON: text}, err
}

// Expect reads the messages [first, last] of a block.
func Expect(t testing.TB, ws *websocket.Conn, block, first, last uint64) {
	t.Helper()
	for index := first; index <= last; index++ {
		m, err := Read(ws)
		require.NoError(t, err, "waiting for %d/%d", block, index)
		require.Equal(t, At(block, index), Of(m.Header))
	}
}

// Closed reads to the end of a connection. It returns the close frame, which there must be, and what came before it.
func Closed(t testing.TB, ws *websocket.Conn) (closed *websocket.CloseError, before []Position) {
	t.Helper()
	for {
		m, err := Read(ws)
		if err != nil {
			require.ErrorAs(t, err, &closed)
			return closed, before
		}
		before = append(before, Of(m.Header))
	}
}
