// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Every job is counted once, by what ended it first, whatever is asked of it later.
func TestJobsEnded(t *testing.T) {
	t.Parallel()
	get := func(s *slot) {
		_, err := s.builder.GetPayload(s.id)
		require.NoError(s.t, err)
	}
	leave := func(s *slot) { s.builder.NewHead(common.Hash{0xff}) }
	panicking := func(*types.Transaction) { panic("injected") }
	for _, test := range []struct {
		name   string
		panics bool // in its first transaction
		end    []func(s *slot)
		want   reason
	}{
		{"fetched", false, []func(*slot){get, get, leave}, resolved},
		{"abandoned", false, []func(*slot){leave, leave}, superseded},
		{"abandoned, then fetched", false, []func(*slot){leave, get}, superseded},
		{"failed", true, nil, failed},
		{"failed, then fetched", true, []func(*slot){get, get}, failed},
		{"failed, then abandoned", true, []func(*slot){leave}, failed},
		{"stopped", false, nil, stopped},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTimed(t, harnessConfig{fork: jovian})
			if test.panics {
				s.builder.hooks.beforeTx = panicking
			}
			slot := s.begin(s.attributes(s.chain.CurrentBlock()))
			slot.send(s.transfer(0, 0, 5))
			if test.panics {
				s.clock.Run(slot.job.schedule.deadlines[0].Sub(s.clock.Now()))
				<-slot.job.finished
			}
			for _, do := range test.end {
				do(slot)
			}
			require.NoError(t, s.builder.Stop())
			for why, count := range s.builder.metrics.cancels {
				want := uint64(0)
				if why == test.want {
					want = 1
				}
				require.Equal(t, want, count.Get(), "%v", why)
			}
		})
	}
}
