// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package load

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// run is one run in progress.
type run struct {
	cfg    Config
	ledger *ledger
	dialer websocket.Dialer

	counting atomic.Bool // messages count
	ending   atomic.Bool // closing is our own doing
	bytes    atomic.Uint64
	messages atomic.Uint64
	repeats  atomic.Uint64
	gaps     atomic.Uint64
	disorder atomic.Uint64
	garbage  atomic.Uint64
	refused  atomic.Uint64

	mu      sync.Mutex
	lost    map[string]int // reasons of connections that ended early
	conns   []*websocket.Conn
	readers sync.WaitGroup
}

// Run connects, counts for the duration, disconnects and reports. The end of ctx ends it early, with
// the report of what was seen.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, ledger: newLedger(), lost: make(map[string]int)}
	r.dialer = websocket.Dialer{
		Proxy:             http.ProxyFromEnvironment,
		HandshakeTimeout:  dialTimeout,
		EnableCompression: cfg.Deflate,
		ReadBufferSize:    readBuffer,
		WriteBufferSize:   128,
	}
	before, _ := Measure(cfg.PID)
	r.connect(ctx)
	defer r.disconnect()
	if len(r.conns) == 0 {
		return nil, fmt.Errorf("none of %d connections was admitted: %v", cfg.Connections, r.lost)
	}
	connected, _ := Measure(cfg.PID)
	r.counting.Store(true)
	started := time.Now()
	timer := time.NewTimer(cfg.Duration)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	r.counting.Store(false)
	after, _ := Measure(cfg.PID)
	return r.report(time.Since(started), before, connected, after), nil
}

// connect opens the connections, a few at a time.
func (r *run) connect(ctx context.Context) {
	slots := make(chan struct{}, r.cfg.Dialers)
	var wg sync.WaitGroup
	for range r.cfg.Connections {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			wg.Wait()
			return
		}
		wg.Go(func() {
			defer func() { <-slots }()
			r.open(ctx)
		})
	}
	wg.Wait()
}

// open makes one connection and starts to read it.
func (r *run) open(ctx context.Context) {
	ws, resp, err := r.dialer.DialContext(ctx, r.cfg.URL, r.cfg.Header)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }()
	}
	if err != nil {
		r.refused.Add(1)
		reason := err.Error()
		if resp != nil {
			reason = fmt.Sprintf("status %d", resp.StatusCode)
		}
		r.count(reason)
		return
	}
	ws.SetReadLimit(flashblocks.Limits{}.MaxFrame())
	r.mu.Lock()
	r.conns = append(r.conns, ws)
	r.mu.Unlock()
	r.readers.Go(func() {
		if err := r.read(ws); !r.ending.Load() {
			r.count(closeReason(err))
		}
	})
}

func (r *run) count(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost[reason]++
}

// closeReason groups the ends of connections.
func closeReason(err error) string {
	if closed, ok := err.(*websocket.CloseError); ok { //nolint:errorlint // gorilla returns it unwrapped
		return fmt.Sprintf("close %d %s", closed.Code, closed.Text)
	}
	if ne, ok := err.(net.Error); ok && ne.Timeout() { //nolint:errorlint // as above
		return "timeout"
	}
	return "connection lost"
}

// disconnect closes everything and waits for the readers.
func (r *run) disconnect() {
	r.ending.Store(true)
	r.mu.Lock()
	conns := r.conns
	r.mu.Unlock()
	for _, ws := range conns {
		_ = ws.Close()
	}
	r.readers.Wait()
}

// cursor is where one connection stands in the ledger.
type cursor struct {
	last  int // number of the last message read
	known bool
}

// read follows one connection to its end and says why it ended.
func (r *run) read(ws *websocket.Conn) error {
	var (
		buf []byte
		at  cursor
	)
	for {
		_, reader, err := ws.NextReader()
		if err != nil {
			return err
		}
		buf = buf[:0]
		if buf, err = appendAll(buf, reader); err != nil {
			return err
		}
		now := time.Now()
		if !r.counting.Load() {
			at = cursor{}
			continue
		}
		r.bytes.Add(uint64(len(buf)))
		r.messages.Add(1)
		number, ok := r.ledger.arrived(buf, now)
		if !ok {
			r.garbage.Add(1)
			continue
		}
		r.follow(&at, number)
	}
}

// follow compares a message with the one before it on the same connection.
func (r *run) follow(at *cursor, number int) {
	switch {
	case !at.known:
	case number == at.last:
		r.repeats.Add(1)
	case number < at.last:
		r.disorder.Add(1)
		return
	case number > at.last+1:
		r.gaps.Add(uint64(number - at.last - 1))
	}
	at.known, at.last = true, number
}
