// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gorilla/websocket"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// follow reads one connection to its end and says why it ended.
func (f *follower) follow(ctx context.Context, ws *websocket.Conn) (progress bool, err error) {
	var (
		quit, ended = make(chan struct{}), make(chan struct{})
		resumed     bool // set by keepAlive before it ends
	)
	go func() {
		defer close(ended)
		resumed = f.keepAlive(ctx, ws, quit)
	}()
	defer func() {
		close(quit)
		<-ended
		if resumed {
			err = errResume
		}
		_ = ws.Close()
	}()

	ws.SetReadLimit(f.cfg.Limits.MaxFrame())
	alive := func() { _ = ws.SetReadDeadline(time.Now().Add(f.cfg.ReadTimeout)) }
	ws.SetPongHandler(func(string) error {
		alive()
		return nil
	})
	answer := ws.PingHandler()
	ws.SetPingHandler(func(data string) error {
		alive()
		return answer(data)
	})
	for {
		// Every time: the deadline may have passed while the queue was full.
		alive()
		frame, err := f.read(ws)
		if err != nil {
			return progress, fmt.Errorf("the upstream is lost: %w", err)
		}
		fresh, err := f.accept(ctx, frame, time.Now())
		progress = progress || fresh
		if err != nil {
			return progress, err
		}
	}
}

// read reads one message. It goes through a buffer that stays, as large as the largest message of late: the
// socket is read in few large pieces, and what is handed on has exactly its own size.
func (f *follower) read(ws *websocket.Conn) ([]byte, error) {
	_, reader, err := ws.NextReader()
	if err != nil {
		return nil, err
	}
	if cap(f.buffer) == 0 || cap(f.buffer) > keptBuffer {
		f.buffer = make([]byte, 0, firstBuffer)
	}
	buf := f.buffer[:0]
	for err == nil {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		var n int
		n, err = reader.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
	}
	f.buffer = buf
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return bytes.Clone(buf), nil
}

// keepAlive pings until quit, and says goodbye when ctx ends or a resume is asked for, which it reports. It
// then closes the socket, which ends the reader.
func (f *follower) keepAlive(ctx context.Context, ws *websocket.Conn, quit <-chan struct{}) (resume bool) {
	ticker := time.NewTicker(f.cfg.PingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-quit:
			return false
		case <-f.resume:
			resume = true
		case <-ctx.Done():
		case <-ticker.C:
			if err := ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(controlTimeout)); err == nil {
				continue
			}
			_ = ws.Close()
			return false
		}
		bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
		_ = ws.WriteControl(websocket.CloseMessage, bye, time.Now().Add(controlTimeout))
		_ = ws.Close()
		return resume
	}
}

// accept reads the header of one message and queues the message if it is new. An error means that the
// connection cannot be trusted further.
func (f *follower) accept(ctx context.Context, frame []byte, arrived time.Time) (fresh bool, err error) {
	f.m.bytes.Add(len(frame))
	header, text, err := f.cfg.Decode(frame, f.cfg.Limits)
	switch {
	case errors.Is(err, flashblocks.ErrMalformed), errors.Is(err, flashblocks.ErrCompression), errors.Is(err, flashblocks.ErrTooLarge):
		f.m.undecodable.Inc()
		return false, fmt.Errorf("the upstream sent garbage: %w", err)
	case err != nil:
		// Well-formed, but nothing we know. Another connection would bring the same again.
		f.m.undecodable.Inc()
		f.log.Warn("Flashblocks upstream sent a message that is not a flashblock", "err", err)
		return false, nil
	}
	if header.BlockNumber == 0 && header.PayloadID == f.last.PayloadID {
		header.BlockNumber = f.last.BlockNumber // free-form metadata: the base said it at index 0
	}
	fresh = header.PayloadID == (engine.PayloadID{}) || f.seen.add(header.PayloadID, header.Index)
	if !fresh {
		f.m.duplicates.Inc()
		if !f.cfg.Repeats {
			return false, nil
		}
	}
	if err := f.emit(ctx, event{delivery: Delivery{Header: header, JSON: text, Arrived: arrived}}); err != nil {
		return false, err
	}
	if !fresh {
		return false, nil
	}
	f.m.messages.Inc()
	f.last, f.hasLast = header, header.BlockNumber != 0
	return true, nil
}

// dedupe remembers the last messages by payload id and index.
type dedupe struct {
	known map[messageKey]struct{}
	order []messageKey // ring of what is known
	next  int
}

type messageKey struct {
	payload engine.PayloadID
	index   uint64
}

func newDedupe(size int) *dedupe {
	return &dedupe{known: make(map[messageKey]struct{}), order: make([]messageKey, 0, size)}
}

// add remembers a message and reports whether it is new, forgetting the oldest when full.
func (d *dedupe) add(payload engine.PayloadID, index uint64) bool {
	key := messageKey{payload, index}
	if _, ok := d.known[key]; ok {
		return false
	}
	d.known[key] = struct{}{}
	if len(d.order) < cap(d.order) {
		d.order = append(d.order, key)
		return true
	}
	delete(d.known, d.order[d.next])
	d.order[d.next] = key
	d.next = (d.next + 1) % len(d.order)
	return true
}
