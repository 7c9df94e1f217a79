// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// The local block is returned in dry-run, though the builder's was fetched and validated; nothing is
// published (F4).
func TestDryRun(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.setMode(params.ModeDryRun)
	r.begin()
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, false))
	require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
	r.eventually("the builder's block is validated", func() bool { return len(r.l2.Asked(engineapi.NewPayload)) == 1 })
	count, notices := r.rounds.Published()
	require.Zero(t, count)
	require.Empty(t, notices)
}

// The mode that counts is the one at getPayload: what was begun in dry-run is not returned, but a builder's
// failure is seen all the same.
func TestDryRunObservesFailures(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.setMode(params.ModeDryRun)
	r.begin()
	r.builder.On(engineapi.GetPayload, eltest.ErrInjected)
	require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
	r.eventually("the failure is observed", func() bool {
		builds := r.watch.Builds()
		return len(builds) == 1 && errors.Is(builds[0], eltest.ErrInjected)
	})
}

// A block that cannot be finished without the builder is the local one, and that is told. One whose streamed roots
// are wrong is rebuilt.
func TestDisabledInMidRoundWithABadBuilder(t *testing.T) {
	t.Parallel()
	for _, refused := range []bool{false, true} {
		t.Run(fmt.Sprint("rebuild refused ", refused), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.begin()
			r.deliver(eltest.Flashblocks(eltest.BuilderID, 3, true))
			r.l2.On(engineapi.NewPayload, eltest.PayloadStatus(engine.INVALID))
			if refused {
				r.l2.RefuseRebuild()
			}
			r.setMode(params.ModeDisabled)
			want := eltest.BuilderHash
			if refused {
				want = eltest.LocalHash
			}
			require.Equal(t, want, eltest.HashOf(r.payload()))
			require.Equal(t, !refused, r.l2.HasRebuilt())
			require.Equal(t, refused, r.rounds.Reorged())
		})
	}
}

// What was answered in mode disabled stays the answer when the mode has changed.
func TestDisabledAnswerIsFrozen(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.begin()
	r.setMode(params.ModeDisabled)
	require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
	r.setMode(params.ModeEnabled)
	require.Equal(t, eltest.LocalHash, eltest.HashOf(r.payload()))
	require.Empty(t, r.builder.Asked(engineapi.GetPayload))
}

// A block that was cut off has little gas. That is no reason to break it.
func TestPolicySparesWhatIsCutOff(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Selection = params.SelectGasUsed })
	r.begin()
	r.deliver(eltest.Flashblocks(eltest.BuilderID, 1, true))
	r.setMode(params.ModeDisabled)
	r.l2.On(engineapi.GetPayload, eltest.Envelope(eltest.Flashblocks(eltest.LocalID, 1, false), func(d *engine.ExecutableData) { d.GasUsed = 20_000_000 }))
	require.Equal(t, eltest.Sealed(eltest.Flashblocks(eltest.BuilderID, 1, false)).BlockHash, eltest.HashOf(r.payload()))
	require.False(t, r.rounds.Reorged())
}
