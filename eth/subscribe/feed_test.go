// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package subscribe

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/rpc"
)

// patientConn is a connection on which a write may take any time, so that a busy machine does not end it.
type patientConn struct{ net.Conn }

// SetWriteDeadline implements net.Conn.
func (patientConn) SetWriteDeadline(time.Time) error { return nil }

// A reader that does not read loses its own subscription and is told why; others miss nothing.
func TestSubscribeSlowReader(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct{ namespace, name string }{{"eth", "newFlashblocks"}, {"flashblocks", "position"}} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			ours, theirs := net.Pipe()
			go h.server.ServeCodec(rpc.NewCodec(patientConn{theirs}), 0)
			t.Cleanup(func() { require.NoError(t, ours.Close()) })
			_, err := fmt.Fprintf(ours, `{"jsonrpc":"2.0","id":1,"method":"%s_subscribe","params":["%s"]}`, kind.namespace, kind.name)
			require.NoError(t, err)
			dec := json.NewDecoder(ours)
			var reply struct{ Result string }
			require.NoError(t, dec.Decode(&reply))
			require.NotEmpty(t, reply.Result)

			const changes = 100
			quick := h.subscribe(kind.namespace, kind.name)
			head := h.Sequencer.Eth.BlockChain().CurrentBlock()
			for seed := range changes {
				h.Deliver(h.Build(head, byte(seed)))
				receiveItem[any](t, quick)
			}
			for h.readOne(dec) {
				continue
			}
			require.Equal(t, uint64(1), h.feed.lagged.Get())
			h.Deliver(h.Build(head, changes))
			receiveItem[any](t, quick)
		})
	}
}

// readOne reads one notification and reports whether another may follow.
func (h *harness) readOne(dec *json.Decoder) bool {
	var note struct {
		Params struct {
			Result struct {
				Error *struct {
					Code    int
					Message string
				}
			}
		}
	}
	require.NoError(h.t, dec.Decode(&note))
	if e := note.Params.Result.Error; e != nil {
		require.Equal(h.t, codeLagged, e.Code)
		require.Contains(h.t, e.Message, "too far behind")
		return false
	}
	return true
}

// A stopped feed takes nobody any more, and has let go of everyone.
func TestFeedStops(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.subscribe("eth", "newFlashblocks")
	require.InDelta(t, 1, h.feed.open.Get(), 0)
	require.NoError(t, h.feed.Stop())
	require.InDelta(t, 0, h.feed.open.Get(), 0)
	_, err := h.client.EthSubscribe(context.Background(), make(chan any), "newFlashblocks")
	require.ErrorContains(t, err, "shutting down")
}
