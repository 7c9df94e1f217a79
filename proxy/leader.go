// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// leadership is what a conductor says about the sequencer beside it.
type leadership uint8

const (
	leaderUnknown leadership = iota // no conductor, or no answer
	leaderNo
	leaderYes
)

const (
	// heldMessages and heldBytes bound what is kept of an upstream that does not lead: a block or two,
	// as long as it takes to learn that it leads now.
	heldMessages = 256
	heldBytes    = 8 << 20

	// conductorAnswer bounds the body of an answer, which is one boolean.
	conductorAnswer = 4 << 10

	// conductorPatience is how many polls may fail before a leader is no longer taken for one.
	conductorPatience = 3
)

// heldBack keeps the last messages of an upstream that is not listened to.
type heldBack struct {
	messages []stream.Delivery
	bytes    int
}

// add keeps a message, and returns those that had to be forgotten for it.
func (h *heldBack) add(d stream.Delivery) (forgotten []stream.Delivery) {
	h.messages = append(h.messages, d)
	h.bytes += len(d.JSON)
	for len(h.messages) > heldMessages || h.bytes > heldBytes && len(h.messages) > 1 {
		forgotten = append(forgotten, h.messages[0])
		h.bytes -= len(h.messages[0].JSON)
		h.messages[0] = stream.Delivery{}
		h.messages = h.messages[1:]
	}
	return forgotten
}

// take returns what is held and forgets it.
func (h *heldBack) take() []stream.Delivery {
	out := h.messages
	*h = heldBack{}
	return out
}

// heeds reports whether an upstream is listened to: it leads, or no connected upstream is known to
// lead. r.mu is held.
func (r *relay) heeds(s *source) bool {
	if s.lead == leaderYes {
		return true
	}
	for _, other := range r.sources {
		if other.lead == leaderYes && other.connected {
			return false
		}
	}
	return true
}

// holdBack keeps a message of an upstream that is not listened to. What can no longer be compared when it
// leads, and was not seen to be what the leader sent, makes the rest of its block useless. r.mu is held.
func (r *relay) holdBack(s *source, d stream.Delivery) {
	for _, old := range s.held.add(d) {
		if r.window.judge(key{old.PayloadID, old.Index}, old.JSON) != repeated {
			s.contrary.add(old.PayloadID)
		}
	}
}

// replayHeld takes what the upstreams that are listened to now sent before, as far as it is not of blocks
// before the one in progress. Of that block also what is out is compared. r.mu is held.
func (r *relay) replayHeld() {
	for _, s := range r.sources {
		if len(s.held.messages) == 0 || !r.heeds(s) {
			continue
		}
		for _, d := range s.held.take() {
			if !r.hasLast || d.BlockNumber >= r.last.BlockNumber {
				r.accept(s, d)
			}
		}
	}
}

// setLeadership records what a conductor says.
func (r *relay) setLeadership(i int, lead leadership) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sources[i]
	if s.lead == lead {
		return
	}
	s.lead = lead
	r.m.leading[i].Set(boolGauge(lead == leaderYes))
	r.log.Info("Leadership of an upstream changed", "upstream", s.name, "leads", lead == leaderYes, "known", lead != leaderUnknown)
	r.replayHeld()
	r.endAttempt()
}

func boolGauge(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// conductor asks one op-conductor whether its sequencer leads.
type conductor struct {
	url    string
	every  time.Duration
	client *http.Client
	tell   func(leadership)
	failed func(error)
}

// run polls until ctx ends.
func (c *conductor) run(ctx context.Context) {
	ticker := time.NewTicker(c.every)
	defer ticker.Stop()
	failures := 0
	for {
		lead, err := c.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			failures = 0
			c.tell(lead)
		default:
			c.failed(err)
			if failures++; failures >= conductorPatience {
				c.tell(leaderUnknown)
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// ask calls conductor_leader, the method of op-conductor's JSON-RPC API that answers with a boolean.
func (c *conductor) ask(ctx context.Context) (leadership, error) {
	ctx, cancel := context.WithTimeout(ctx, max(c.every, time.Second))
	defer cancel()
	body := []byte(`{"jsonrpc":"2.0","id":1,"method":"conductor_leader","params":[]}`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return leaderUnknown, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return leaderUnknown, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return leaderUnknown, fmt.Errorf("the conductor answered with status %d", resp.StatusCode)
	}
	var answer struct {
		Result *bool `json:"result"`
		Error  *struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, conductorAnswer)).Decode(&answer); err != nil {
		return leaderUnknown, fmt.Errorf("the conductor's answer is not JSON-RPC: %w", err)
	}
	switch {
	case answer.Error != nil:
		return leaderUnknown, fmt.Errorf("the conductor answered with an error: %s", answer.Error.Message)
	case answer.Result == nil:
		return leaderUnknown, fmt.Errorf("the conductor's answer has no result")
	case *answer.Result:
		return leaderYes, nil
	}
	return leaderNo, nil
}
