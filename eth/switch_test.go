// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// switchable is a way to a stream that a test can close and open.
type switchable struct {
	t   *testing.T
	lis net.Listener
	wg  sync.WaitGroup

	mu     sync.Mutex
	target string // ws URL
	shut   bool
	conns  []net.Conn
}

func newSwitch(t *testing.T) *switchable {
	t.Helper()
	var lc net.ListenConfig
	lis, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &switchable{t: t, lis: lis}
	s.wg.Go(s.accept)
	t.Cleanup(func() {
		_ = lis.Close()
		s.off()
		s.wg.Wait()
	})
	return s
}

func (s *switchable) url() string { return "ws://" + s.lis.Addr().String() }

// lead says which stream the way leads to.
func (s *switchable) lead(target string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.target = target
}

func (s *switchable) host() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimPrefix(s.target, "ws://")
}

// off cuts every connection and admits no other.
func (s *switchable) off() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = true
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
}

func (s *switchable) on() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = false
}

// keep holds connections that off shall cut, or closes them if it is off.
func (s *switchable) keep(conns ...net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		for _, c := range conns {
			_ = c.Close()
		}
		return false
	}
	s.conns = append(s.conns, conns...)
	return true
}

func (s *switchable) accept() {
	var dialer net.Dialer
	for {
		in, err := s.lis.Accept()
		if err != nil {
			return
		}
		out, err := dialer.DialContext(context.Background(), "tcp", s.host())
		if err != nil {
			_ = in.Close()
			continue
		}
		if !s.keep(in, out) {
			continue
		}
		for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
			s.wg.Go(func() {
				_, _ = io.Copy(way[0], way[1])
				_, _ = way[0].Close(), way[1].Close()
			})
		}
	}
}
