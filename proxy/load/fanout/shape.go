// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package fanout

import (
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// Shape is one way of fanning out.
type Shape interface {
	// Handler upgrades the clients.
	Handler() http.Handler
	// Publish begins to send one message to all of them.
	Publish(message []byte)
	// Clients is how many are ready to be sent to.
	Clients() int
}

// Counting is a shape that counts its own deliveries, and then gets the sockets themselves. Of the other
// shapes the bytes written to the sockets are counted; either way it is one atomic addition for a write.
type Counting interface {
	// Deliveries is how many messages have been written to a client so far.
	Deliveries() int64
}

// Bare writes a frame that was prepared before to one connection after the other: no queue, no
// goroutine, no protection from a slow client. No server does less.
type Bare struct {
	mu    sync.Mutex
	conns []net.Conn
	frame []byte
}

// Handler implements Shape.
func (b *Bare) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		upgrader := websocket.Upgrader{ReadBufferSize: 512, WriteBufferSize: 512}
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.conns = append(b.conns, ws.NetConn())
	})
}

// Clients implements Shape.
func (b *Bare) Clients() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.conns)
}

// Publish implements Shape. It returns when all is written.
func (b *Bare) Publish(message []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.frame = appendFrame(b.frame[:0], message)
	for _, conn := range b.conns {
		_, _ = conn.Write(b.frame)
	}
}

// appendFrame frames a text message of up to 64 KiB as a server does.
func appendFrame(buf, message []byte) []byte {
	buf = append(buf, 0x81)
	if len(message) < 126 {
		buf = append(buf, byte(len(message)))
	} else {
		buf = append(buf, 126, byte(len(message)>>8), byte(len(message)))
	}
	return append(buf, message...)
}

// chatQueue is the queue of gorilla's chat example.
const chatQueue = 256

// Chat is the pattern of gorilla/websocket's chat example: a queue and two goroutines per client, and
// one that puts every message into every queue.
type Chat struct {
	mu        sync.Mutex
	clients   map[*websocket.Conn]chan []byte
	broadcast chan []byte
}

// NewChat returns a running chat hub. It runs until the process ends.
func NewChat() *Chat {
	c := &Chat{clients: make(map[*websocket.Conn]chan []byte), broadcast: make(chan []byte)}
	go func() {
		for message := range c.broadcast {
			c.mu.Lock()
			for ws, queue := range c.clients {
				select {
				case queue <- message:
				default:
					close(queue)
					delete(c.clients, ws)
				}
			}
			c.mu.Unlock()
		}
	}()
	return c
}

// Handler implements Shape.
func (c *Chat) Handler() http.Handler {
	upgrader := websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		queue := make(chan []byte, chatQueue)
		go func() {
			for message := range queue {
				if ws.WriteMessage(websocket.TextMessage, message) != nil {
					return
				}
			}
		}()
		go func() {
			for {
				if _, _, err := ws.ReadMessage(); err != nil {
					return
				}
			}
		}()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.clients[ws] = queue
	})
}

// Clients implements Shape.
func (c *Chat) Clients() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.clients)
}

// Publish implements Shape.
func (c *Chat) Publish(message []byte) { c.broadcast <- message }
