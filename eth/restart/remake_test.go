// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
)

// A forkchoice update waits for its states for a bounded time, whatever else is being made. What was made in vain is
// not tried again at once, and a stop ends what is being made.
func TestRemaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var (
			one, two = common.Hash{1}, common.Hash{2}
			lasts    = time.Second
			fails    error
			runs     int
		)
		r := newRemaker(func(ctx context.Context, _ common.Hash) error {
			runs++
			select {
			case <-time.After(lasts):
				return fails
			case <-ctx.Done():
				return errStopped
			}
		})
		require.True(t, r.await(t.Context(), one), "made in time")

		synctest.Wait()
		lasts = time.Minute
		begin := time.Now()
		require.False(t, r.await(t.Context(), one), "still being made")
		require.Equal(t, remakeWait, time.Since(begin))
		begin = time.Now()
		require.False(t, r.await(t.Context(), two), "another one is being made")
		require.Zero(t, time.Since(begin))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.False(t, r.await(ctx, one), "the client has left")
		synctest.Wait()
		require.Equal(t, 2, runs)
		time.Sleep(time.Minute) //nolint:forbidigo // the bubble's clock

		synctest.Wait()
		fails = errors.New("no")
		lasts = time.Second
		require.False(t, r.await(t.Context(), one))
		synctest.Wait()
		runs = 0
		require.False(t, r.await(t.Context(), one))
		require.Zero(t, runs, "a moment later it would be in vain again")
		time.Sleep(remakeRetry) //nolint:forbidigo // the bubble's clock
		require.False(t, r.await(t.Context(), one))
		synctest.Wait()
		require.Equal(t, 1, runs)

		synctest.Wait()
		lasts = time.Hour
		time.Sleep(remakeRetry) //nolint:forbidigo // the bubble's clock
		require.False(t, r.await(t.Context(), one))
		begin = time.Now()
		r.close()
		require.Zero(t, time.Since(begin))
		require.False(t, r.await(t.Context(), one))
	})
}
