// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// again sends the attributes of a slot once more and returns the slot they stand for.
func (s *slot) again() *slot {
	s.t.Helper()
	before := s.live()
	next := s.begin(s.args)
	if before != nil && before != s.live() {
		<-before.finished // its timer is not the next one's
		next.idle()
	}
	if next.job == s.job {
		next.done = s.done
	}
	return next
}

// live is the job under construction, nil if there is none.
func (s *timed) live() *job {
	s.builder.mu.Lock()
	defer s.builder.mu.Unlock()
	return s.builder.live
}

// notes are the v0 notifications about the ends of payloads, in order: id and "sealed" or "reorg".
func (s *memoryStream) notes(t *testing.T) (list [][2]string) {
	t.Helper()
	for _, m := range s.all() {
		if m.V1 != nil {
			continue
		}
		var note struct {
			Params blockNote `json:"params"`
		}
		require.NoError(t, json.Unmarshal(m.V0(), &note))
		kind := "sealed"
		if note.Params.Reorg {
			kind = "reorg"
		}
		list = append(list, [2]string{m.PayloadID.String(), kind})
	}
	return list
}

// The attributes of an abandoned payload, sent again, build another payload that is filled to the end of its
// schedule, under an id of its own. Nothing is published under the first id any more.
func TestRepeatAfterAbandon(t *testing.T) {
	t.Parallel()
	for name, abandon := range map[string]func(s *timed){
		"other head": func(s *timed) { s.builder.NewHead(common.Hash{0xff}) },
		"built at once": func(s *timed) {
			other := s.attributes(s.chain.CurrentBlock())
			other.NoTxPool = true
			_, err := s.builder.BuildPayload(other, Options{})
			require.NoError(s.t, err)
		},
		"other attributes": func(s *timed) {
			other := s.attributes(s.chain.CurrentBlock())
			other.Random = common.Hash{0xaa}
			s.begin(other)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTimed(t, harnessConfig{fork: jovian})
			first := s.begin(s.attributes(s.chain.CurrentBlock()))
			require.Equal(t, first.args.Id(), first.id, "op-geth's id")
			first.send(s.transfer(0, 0, 5))
			require.Len(t, hashes(t, first.step()), 1)
			abandon(s)
			<-first.job.finished

			second := first.again()
			require.NotEqual(t, first.id, second.id)
			require.True(t, second.id.Is(engine.PayloadV3))
			require.Same(t, second.job, s.live())
			require.Same(t, second.job, second.again().job, "once more, it is under construction")
			second.send(s.transfer(1, 0, 5))
			require.Equal(t, hashesOf(s.transfer(0, 0, 5), s.transfer(1, 0, 5)), hashes(t, second.step()))
			second.steps()
			envelope := second.end()
			require.Len(t, envelope.ExecutionPayload.Transactions, 3, "the deposit and both transfers")
			require.Len(t, s.stream.flashblocks(t, first.id), 2)
			require.Len(t, s.stream.flashblocks(t, second.id), 1+second.job.schedule.len())

			notes := s.stream.notes(t)
			require.Equal(t, [2]string{first.id.String(), "reorg"}, notes[0])
			require.Equal(t, [2]string{second.id.String(), "sealed"}, notes[len(notes)-1])
			require.True(t, s.builder.Has(first.id), "what was published of it can be fetched")
			testchain.Insert(t, s.newChain(), s.insert(envelope, second.args))
		})
	}
}

// X, Y, X: what is streamed is what the consensus client has asked for last.
func TestRepeatOfTheOneBefore(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	x := s.begin(s.attributes(s.chain.CurrentBlock()))
	x.step()
	args := s.attributes(s.chain.CurrentBlock())
	args.Random = common.Hash{0xaa}
	y := s.begin(args)
	<-x.job.finished
	y.step()
	given := map[engine.PayloadID]bool{x.id: true, y.id: true}
	for range 3 {
		for _, before := range []**slot{&x, &y} {
			next := (*before).again()
			require.False(t, given[next.id], "an id that was published under")
			given[next.id] = true
			require.Same(t, next.job, s.live())
			*before = next
		}
	}
	y.finish()
	require.Len(t, s.stream.notes(t), len(given), "all but the last were announced as abandoned")
}

// The attributes of a payload that was fetched stand for the block that was fetched, for as long as it is
// kept, and what was begun since is abandoned.
func TestRepeatAfterGetPayload(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	x := s.begin(s.attributes(s.chain.CurrentBlock()))
	x.send(s.transfer(0, 0, 5))
	x.step()
	envelope := x.end()
	require.Equal(t, x.id, x.again().id)

	args := s.attributes(s.chain.CurrentBlock())
	args.Random = common.Hash{0xaa}
	y := s.begin(args)
	y.step()
	require.Equal(t, x.id, x.again().id)
	<-y.job.finished
	require.Nil(t, s.live(), "nobody has asked for it any more")
	again, err := s.builder.GetPayload(x.id)
	require.NoError(t, err)
	require.Equal(t, envelope, again)
	require.Equal(t, [][2]string{{x.id.String(), "sealed"}, {y.id.String(), "reorg"}}, s.stream.notes(t))

	// One that was abandoned before it was fetched: as it was fetched.
	_, err = s.builder.GetPayload(y.id)
	require.NoError(t, err)
	require.Equal(t, y.id, y.again().id)
	require.Len(t, s.stream.flashblocks(t, y.id), 2)

	// Forgotten, it has to be built anew, and not under the id that was published under.
	for n := range byte(keptJobs) {
		other := s.attributes(s.chain.CurrentBlock())
		other.Random = common.Hash{0xbb, n}
		<-s.begin(other).job.ready
	}
	require.False(t, s.builder.Has(x.id))
	fresh := x.again()
	require.NotEqual(t, x.id, fresh.id)
	fresh.step()
}

// A payload that could not be sealed never will be: op-node, told so, sends the same attributes again.
func TestRepeatAfterFailedSeal(t *testing.T) {
	t.Parallel()
	broken := true
	s := newTimed(t, harnessConfig{fork: jovian})
	injected := func() {
		if broken {
			panic("injected")
		}
	}
	s.builder.hooks.beforeSeal, s.builder.hooks.beforeWhole = injected, injected
	first := s.begin(s.attributes(s.chain.CurrentBlock()))
	first.send(s.transfer(0, 0, 5))
	first.step()
	_, err := s.builder.GetPayload(first.id)
	require.ErrorIs(t, err, ErrUnknownPayload)
	<-first.job.finished
	require.Equal(t, [][2]string{{first.id.String(), "reorg"}}, s.stream.notes(t), "it will not be sealed")

	broken = false
	second := first.again()
	require.NotEqual(t, first.id, second.id)
	second.step()
	testchain.Insert(t, s.newChain(), second.finish())
	_, err = s.builder.GetPayload(first.id)
	require.ErrorIs(t, err, ErrUnknownPayload, "a retried getPayload returns the same")
}
