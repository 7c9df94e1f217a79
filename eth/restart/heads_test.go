// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core"
)

// slowDisk is a database whose synchronisations last until they are let go.
type slowDisk struct {
	begun int
	done  chan error
}

func (d *slowDisk) SyncKeyValue() error {
	d.begun++
	return <-d.done
}

// Every head is followed by a synchronisation that begins after it; heads do not wait for a slow disk, and share
// what comes after it. An error does not end it.
func TestHeadKeeper(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		chain, disk := new(headFeed), &slowDisk{done: make(chan error)}
		k := NewHeadKeeper(HeadKeeperConfig{Chain: chain, Database: disk})
		require.NoError(t, k.Start(t.Context()))
		head := func() {
			chain.Send(core.ChainHeadEvent{})
			synctest.Wait()
		}
		head()
		require.Equal(t, 1, disk.begun)
		for range 10 {
			head()
		}
		require.Equal(t, 1, disk.begun, "the disk is busy")
		disk.done <- errors.New("once")
		synctest.Wait()
		require.Equal(t, 2, disk.begun, "for all ten")
		disk.done <- nil
		synctest.Wait()
		require.Equal(t, 2, disk.begun)
		head()
		require.Equal(t, 3, disk.begun)
		disk.done <- nil
		require.NoError(t, k.Stop())
		head()
		require.Equal(t, 3, disk.begun, "closed")
	})
}
