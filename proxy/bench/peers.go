// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package bench

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/lxzan/gws"
)

// The peers' names in the table.
const (
	shapeGWS   = "gws Broadcaster"
	shapeCoder = "coder/websocket"
)

// gwsShape is lxzan/gws with its Broadcaster, as its documentation shows it.
type gwsShape struct {
	gws.BuiltinEventHandler
	upgrader *gws.Upgrader

	mu    sync.Mutex
	conns map[*gws.Conn]struct{}
}

func newGWS() *gwsShape {
	s := &gwsShape{conns: make(map[*gws.Conn]struct{})}
	s.upgrader = gws.NewUpgrader(s, &gws.ServerOption{})
	return s
}

// OnOpen implements gws.Event.
func (s *gwsShape) OnOpen(conn *gws.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[conn] = struct{}{}
}

// OnClose implements gws.Event.
func (s *gwsShape) OnClose(conn *gws.Conn, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}

// Handler implements fanout.Shape.
func (s *gwsShape) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := s.upgrader.Upgrade(w, r)
		if err != nil {
			return
		}
		go conn.ReadLoop()
	})
}

// Clients implements fanout.Shape.
func (s *gwsShape) Clients() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Publish implements fanout.Shape.
func (s *gwsShape) Publish(message []byte) {
	b := gws.NewBroadcaster(gws.OpcodeText, message)
	defer func() { _ = b.Close() }()
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = b.Broadcast(conn)
	}
}

// coderQueue is the queue per client of coder/websocket's chat example.
const coderQueue = 16

// coderShape is the chat example of coder/websocket: a queue per client, CloseRead, and a timeout for
// every write.
type coderShape struct {
	mu     sync.Mutex
	queues map[chan []byte]struct{}
}

func newCoder() *coderShape { return &coderShape{queues: make(map[chan []byte]struct{})} }

// Handler implements fanout.Shape.
func (s *coderShape) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		queue := make(chan []byte, coderQueue)
		s.mu.Lock()
		s.queues[queue] = struct{}{}
		s.mu.Unlock()
		ctx := conn.CloseRead(context.Background())
		for {
			select {
			case message := <-queue:
				if write(ctx, conn, message) != nil {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	})
}

func write(ctx context.Context, conn *websocket.Conn, message []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, message)
}

// Clients implements fanout.Shape.
func (s *coderShape) Clients() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queues)
}

// Publish implements fanout.Shape.
func (s *coderShape) Publish(message []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for queue := range s.queues {
		queue <- message
	}
}
