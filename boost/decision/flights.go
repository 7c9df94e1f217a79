// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/lru"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

const (
	// keptAnswers is how many payload ids are answered again with what they were answered before: as many
	// as there are rounds.
	keptAnswers = 8

	// keptHashes is for how many blocks is known under which payload id they were returned.
	keptHashes = 64
)

// flightKey names an answer. A payload asked for in two versions of the method has two answers.
type flightKey struct {
	id      engine.PayloadID
	version int
}

// flight is one answer to engine_getPayload, being found or found. Whoever asks again gets the same.
type flight struct {
	done   chan struct{}
	resp   *jsonrpc.Response // nil if err is set
	err    error
	source source
	built  bool // there was a block of the builder's
}

// flights are the answers that are kept, and under which id a block was returned.
type flights struct {
	mu    sync.Mutex
	kept  map[flightKey]*flight
	order []flightKey                               // oldest first
	given *lru.Cache[common.Hash, engine.PayloadID] // blocks returned
}

func newFlights() *flights {
	return &flights{
		kept:  make(map[flightKey]*flight),
		given: lru.NewCache[common.Hash, engine.PayloadID](keptHashes),
	}
}

// find returns the flight of an answer, nil if there is none. It may outlive its round.
func (s *flights) find(key flightKey) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[key]
}

// join returns the flight of an answer, and whether the caller has to begin it.
func (s *flights) join(key flightKey) (f *flight, begin bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.kept[key]; f != nil {
		return f, false
	}
	f = &flight{done: make(chan struct{})}
	s.kept[key] = f
	s.order = append(s.order, key)
	if len(s.order) > keptAnswers {
		delete(s.kept, s.order[0])
		s.order = append(s.order[:0], s.order[1:]...)
	}
	return f, true
}

// land tells those who wait for a flight. One that failed is forgotten, so that the next caller may try again.
func (s *flights) land(key flightKey, f *flight) {
	defer close(f.done)
	if f.err == nil && f.resp.Error == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept[key] != f {
		return
	}
	delete(s.kept, key)
	if at := slices.Index(s.order, key); at >= 0 {
		s.order = slices.Delete(s.order, at, at+1)
	}
}

// claim records that a block is returned for an id. It returns false if it was for another one: op-node
// would wait for ever for a block that it has already.
func (s *flights) claim(id engine.PayloadID, hash common.Hash) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if other, ok := s.given.Get(hash); ok && other != id {
		return false
	}
	s.given.Add(hash, id)
	return true
}
