// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

// candidate is a block of the builder's that may be returned, or why there is none.
type candidate struct {
	result json.RawMessage // of engine_getPayload
	block  *round.Payload
	err    error
	reason round.Reason // of err

	// hashed says that the block's hash is known to be that of its fields.
	hashed bool

	// blame is what the builder did not do, though there may be a block: one that was rescued.
	blame error
}

func failed(reason round.Reason, err error) candidate {
	return candidate{err: err, reason: reason, blame: err}
}

// innocent is failed if it was not the builder who failed.
func innocent(reason round.Reason, err error) candidate { return candidate{err: err, reason: reason} }

// observeBuild tells the observer what the builder made of its build.
func (s *Sidecar) observeBuild(c candidate) {
	switch {
	case c.blame != nil:
		s.cfg.Observer.ObserveBuild(c.blame)
	case c.err == nil:
		s.cfg.Observer.ObserveBuild(nil)
	}
}

// guarded is for a builder that does its worst: should anything that it sent break a reader, that is the end of
// its block and not of the process.
func (s *Sidecar) guarded(key flightKey, find func() candidate) (c candidate) {
	defer func() {
		if broken := recover(); broken != nil {
			s.log.Error("Builder's block broke its reader, please report this", "payload", key.id, "panic", broken, "stack", string(debug.Stack()))
			c = failed(round.ReasonOther, fmt.Errorf("%w: %v", errBroken, broken))
		}
	}()
	return find()
}

var errBroken = errors.New("the builder's block broke its reader")

// build finds a block of the builder's that is valid, by the first way that works:
//
//   - flashblocks that carry roots are a block already,
//   - in external state root mode the local execution layer executes the builder's transactions,
//   - otherwise the builder's own answer gives the roots, and must hold what was published.
//
// If none does but something was published, the local execution layer rebuilds exactly that: a
// preconfirmation outlives the builder that gave it.
func (s *Sidecar) build(ctx context.Context, key flightKey, r *round.Round, prefix *round.Prefix) candidate {
	switch {
	case prefix.Count() > 0 && s.cfg.ExternalStateRoot:
		c := s.rebuild(ctx, key, r, prefix.Transactions(), prefix.Equal)
		if c.err == nil {
			s.finalise(r, key.version)
			return c
		}
		s.log.Warn("Builder's transactions cannot be rebuilt", "payload", key.id, "err", c.err)
		if ctx.Err() != nil {
			return c // the builder cannot help it that there is no time to ask it
		}
		return s.validated(ctx, key, r, s.fetched(ctx, key, r, prefix))
	case prefix.Count() > 0 && prefix.Rooted():
		s.finalise(r, key.version)
		c := s.assembled(ctx, key, r, prefix)
		if c.err == nil {
			return c
		}
		return s.rescue(ctx, key, r, prefix, c)
	case prefix.Count() > 0:
		return s.hedged(ctx, key, r, prefix)
	case s.cfg.ExternalStateRoot:
		c := s.fetched(ctx, key, r, prefix)
		if c.err != nil {
			return c
		}
		want := c.block
		return s.rebuild(ctx, key, r, want.Transactions, func(got *round.Payload) error { return sameTransactions(want, got) })
	default:
		return s.validated(ctx, key, r, s.fetched(ctx, key, r, prefix))
	}
}

// assembled makes the block of the flashblocks alone.
func (s *Sidecar) assembled(ctx context.Context, key flightKey, r *round.Round, prefix *round.Prefix) candidate {
	result, err := prefix.Envelope(key.version)
	if err != nil {
		return failed(round.ReasonOther, err)
	}
	block, err := round.ParsePayload(result)
	if err != nil {
		return failed(round.ReasonOther, err)
	}
	if err := round.Conform(r.Request(), block); err != nil {
		return failed(round.ReasonNonconforming, err)
	}
	return s.validated(ctx, key, r, candidate{result: result, block: block, hashed: true})
}

// hedged takes the builder's own answer. If that fails, or does not come soon, what was published is rebuilt,
// and the first block counts. How long the local execution layer takes to judge the answer is no reason to have it
// build as well.
func (s *Sidecar) hedged(ctx context.Context, key flightKey, r *round.Round, prefix *round.Prefix) candidate {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	own, answered := make(chan candidate, 1), make(chan struct{}, 1)
	s.wg.Go(func() {
		own <- s.guarded(key, func() candidate {
			c := s.fetched(ctx, key, r, prefix)
			answered <- struct{}{}
			return s.validated(ctx, key, r, c)
		})
	})

	patience := time.NewTimer(s.cfg.RescueAfter)
	defer patience.Stop()
	var rescued chan candidate
	for {
		select {
		case <-answered:
			patience.Stop()
		case c := <-own:
			switch {
			case c.err == nil:
				return c
			case rescued == nil:
				return s.rescue(ctx, key, r, prefix, c)
			}
			if other := <-rescued; other.err == nil {
				return other
			}
			return c
		case <-patience.C:
			if prefix.Published() == 0 {
				continue
			}
			rescued = make(chan candidate, 1)
			s.wg.Go(func() {
				rescued <- s.guarded(key, func() candidate {
					return s.rescue(ctx, key, r, prefix, failed(round.ReasonUnavailable, errSilent))
				})
			})
		case c := <-rescued:
			if c.err == nil {
				return c
			}
			return <-own
		}
	}
}

var errSilent = errors.New("the builder does not answer")

// rescue rebuilds what was published when the builder's block is of no use. c is what it was.
func (s *Sidecar) rescue(ctx context.Context, key flightKey, r *round.Round, prefix *round.Prefix, c candidate) candidate {
	if prefix.Published() == 0 {
		return c
	}
	s.m.rescues.Inc()
	s.log.Warn("Rebuilding the published flashblocks without the builder", "payload", key.id, "flashblocks", prefix.Count(), "err", c.err)
	again := s.rebuild(ctx, key, r, prefix.Transactions(), prefix.Equal)
	if again.err != nil {
		c.err = errors.Join(c.err, again.err)
		return c
	}
	again.blame = c.blame
	return again
}

// fetched is the builder's own answer, checked but not validated.
func (s *Sidecar) fetched(ctx context.Context, key flightKey, r *round.Round, prefix *round.Prefix) candidate {
	id, err := s.builderID(ctx, r)
	if err != nil {
		return failed(round.ReasonUnavailable, err)
	}
	resp, err := s.cfg.Builder.Call(ctx, payloadRequest(key.version, id))
	if err == nil && resp.Error != nil {
		err = resp.Error
	}
	if err != nil {
		return failed(round.ReasonUnavailable, err)
	}
	block, err := round.ParsePayload(resp.Result)
	if err == nil {
		err = block.Fits(key.version)
	}
	if err != nil {
		return failed(round.ReasonOther, err)
	}
	if err := prefix.Matches(block); err != nil {
		return failed(round.ReasonMismatch, err)
	}
	if err := round.Conform(r.Request(), block); err != nil {
		return failed(round.ReasonNonconforming, err)
	}
	return candidate{result: resp.Result, block: block}
}

// builderID waits for the builder's answer to the build. Its call has a time limit of its own, which began
// with the build; a builder that has been silent for the whole slot costs nothing here.
func (s *Sidecar) builderID(ctx context.Context, r *round.Round) (engine.PayloadID, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Builder.Timeout(r.Request().Method))
	defer cancel()
	return r.Builder(ctx)
}

// validated has the local execution layer judge a block. Nothing but VALID is good enough.
func (s *Sidecar) validated(ctx context.Context, key flightKey, r *round.Round, c candidate) candidate {
	if c.err != nil || c.hashed && s.known(c.block.BlockHash) {
		return c
	}
	method, args := c.block.NewPayload(key.version, r.Request().BeaconRoot)
	if err := s.validate(ctx, method, args); err != nil {
		if errors.Is(err, errNotValid) {
			return failed(round.ReasonInvalid, err)
		}
		return innocent(round.ReasonUnavailable, err) // no judgement came
	}
	return c
}

var errNotValid = errors.New("the local execution layer does not find the builder's block valid")

// validate makes one engine_newPayload call.
func (s *Sidecar) validate(ctx context.Context, method string, args []json.RawMessage) error {
	req := jsonrpc.NewRequest(ownID, method, args...)
	resp, err := s.cfg.L2.Call(ctx, &req)
	if err != nil {
		return err
	}
	if resp.Error != nil {
		return resp.Error
	}
	var status payloadStatus
	if err := json.Unmarshal(resp.Result, &status); err != nil {
		return fmt.Errorf("answer to %s: %w", method, err)
	}
	if status.Status == engine.VALID {
		return nil
	}
	if status.Reason != nil {
		return fmt.Errorf("%w: %s, %s", errNotValid, status.Status, *status.Reason)
	}
	return fmt.Errorf("%w: %s", errNotValid, status.Status)
}

// finalise asks the builder for its block without waiting: this ends its work on it.
func (s *Sidecar) finalise(r *round.Round, version int) {
	s.wg.Go(func() {
		id, err := s.builderID(s.life, r)
		if err != nil {
			return
		}
		if _, err := s.cfg.Builder.Call(s.life, payloadRequest(version, id)); err != nil {
			s.log.Debug("Builder did not take the end of its work", "payload", id, "err", err)
		}
	})
}

// ownID is the id of the sidecar's own calls.
var ownID = json.RawMessage("1")

func payloadRequest(version int, id engine.PayloadID) *jsonrpc.Request {
	req := jsonrpc.NewRequest(ownID, getPayloadMethod+strconv.Itoa(version), json.RawMessage(strconv.Quote(id.String())))
	return &req
}
