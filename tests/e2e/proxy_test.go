// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// resumer is a subscriber as anybody would write one from the documentation: it reads, and dials again with
// the position of the last message it has.
type resumer struct {
	*recorder

	t      *testing.T
	closes []int // why connections ended, by close code; owned by the goroutine that reads
}

// resume follows a stream from the block in progress on, until the returned function is called.
func resume(t *testing.T, url string) (r *resumer, stop func()) {
	t.Helper()
	r = &resumer{recorder: harness.NewRecorder(t, false), t: t}
	ws, err := dial(t.Context(), url+"?from=current", 0)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() {
		for ws != nil {
			last := r.read(ctx, ws)
			ws = redial(ctx, fmt.Sprintf("%s?block_number=%d&flashblock_index=%d&payload_id=%s", url, last.BlockNumber, last.Index, last.PayloadID))
		}
	})
	stop = func() {
		cancel()
		wg.Wait()
	}
	t.Cleanup(stop)
	return r, stop
}

// read takes messages until the connection ends, and returns the last one.
func (r *resumer) read(ctx context.Context, ws *websocket.Conn) (last flashblocks.Header) {
	defer ws.Close()
	defer context.AfterFunc(ctx, func() { _ = ws.Close() })()
	for {
		_, text, err := ws.ReadMessage()
		if err != nil {
			var closed *websocket.CloseError
			switch {
			case ctx.Err() != nil:
			case errors.As(err, &closed):
				r.closes = append(r.closes, closed.Code)
			default:
				r.closes = append(r.closes, websocket.CloseAbnormalClosure)
			}
			return last
		}
		arrived := time.Now()
		header, _, err := flashblocks.DecodeHeader(text, flashblocks.Limits{})
		if err != nil {
			r.t.Errorf("a message of the proxy has no position (%v): %s", err, text)
			return last
		}
		last = header
		fb, _, err := flashblocks.Decode(text, flashblocks.Limits{})
		if err != nil {
			r.t.Errorf("flashblock %d/%d cannot be decoded: %v", header.BlockNumber, header.Index, err)
			continue
		}
		r.Take(fb, arrived)
	}
}

// redial connects as soon as the server is back. It returns nil at the end of ctx.
func redial(ctx context.Context, url string) *websocket.Conn {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if ws, err := dial(ctx, url, 0); err == nil {
			return ws
		}
	}
}

// requireEverything checks that a stream brought every block from the first it brought to last, each the
// canonical one in every byte, once and in order.
func (n *network) requireEverything(from *recorder, last uint64) (blocks, messages int) {
	n.t.Helper()
	through := *n
	through.recorder = from
	for number := through.firstRecorded(); number <= last; number++ {
		a := through.match(through.block(number))
		blocks, messages = blocks+1, messages+len(a.attempt.Flashblocks)
	}
	return blocks, messages
}

// TestProxyRestarts ends the proxy in the middle of a block, once as a crash and once as a service manager
// does, and leaves it down for more than a block. Whoever follows the proxy and resumes where it was has
// every block of the chain in the end, and the follower behind it is correct throughout.
func TestProxyRestarts(t *testing.T) {
	t.Parallel()
	n := boot(t, options{load: 50, follower: true, proxy: true})
	f := n.follower()
	ours := record(t, n.ends.ProxyWS)
	theirs, stop := resume(t, n.ends.ProxyWS)
	n.awaitHead(3)
	f.awaitReady(true, "the follower is ready")
	harness.Eventually(t, "the follower is behind the proxy, beside the two of ours", func() bool {
		return harness.Scrape(t.Context(), t, n.ends.ProxyMetrics)["websocket_proxy_active_connections"] >= 3
	})

	nonce := uint64(0)
	for _, way := range []struct {
		name string
		end  func() error
	}{
		{"SIGKILL", func() error { n.KillProxy(); return nil }},
		{"SIGTERM", n.StopProxy},
	} {
		number := theirs.Await("the middle of a block", nonEmpty(2)).Metadata.BlockNumber
		require.NoError(t, way.end())
		f.awaitReady(false, "the follower sees the end of the proxy by "+way.name)
		n.recorder.Await("while the proxy is down", func(fb *flashblocks.Flashblock) bool {
			return fb.Metadata.BlockNumber >= number+2 && fb.Index >= 1
		})
		f.requireSameChain(number + 1)
		caughtUp := theirs.Awaiting(func(fb *flashblocks.Flashblock) bool { return fb.Metadata.BlockNumber >= number+3 })
		require.NoError(t, n.StartProxy(t.Context()))
		caughtUp.Get("behind the restarted proxy")
		f.awaitReady(true, "the follower is ready again")
		f.requirePreconfirms(0, &nonce)
	}

	end := n.head() + 2
	after := func(fb *flashblocks.Flashblock) bool { return fb.Metadata.BlockNumber > end }
	waiting := ours.Awaiting(after)
	theirs.Await("after the last block to compare", after)
	waiting.Get("after the last block to compare")
	stop()
	require.Equal(t, []int{websocket.CloseAbnormalClosure, websocket.CloseGoingAway}, theirs.closes, "a crash has no close frame, an orderly stop has")
	for who, from := range map[string]*recorder{"the package's subscriber": ours, "a plain websocket": theirs.recorder} {
		blocks, messages := n.requireEverything(from, end)
		require.GreaterOrEqual(t, blocks, 8)
		t.Logf("%s has %d blocks of %d flashblocks, all canonical, through two restarts", who, blocks, messages)
	}
	f.requireSameChain(end)
	f.requireSound()
}

// requirePreconfirms sends transactions to the follower until it has one's receipt before its block is
// sealed: pending is ahead of the chain again.
func (f *followerNode) requirePreconfirms(from int, nonce *uint64) {
	f.t.Helper()
	const attempts = 60 // a machine that is busy for a moment makes the follower late for some slots
	for range attempts {
		took, preconfirmed := f.preconfirm(from, *nonce)
		*nonce++
		if preconfirmed {
			f.t.Logf("receipt at the follower after %v, before its block", took.Round(time.Millisecond))
			return
		}
	}
	require.Failf(f.t, "no preconfirmation", "none of %d transactions had a receipt before its block", attempts)
}

// requireSound checks that what the follower executed is what the builder said, and that it could read
// everything.
func (f *followerNode) requireSound() {
	f.t.Helper()
	values := harness.Scrape(f.t.Context(), f.t, f.FollowerMetrics())
	require.Positive(f.t, values["follower_flashblocks_total"])
	require.Zero(f.t, values["follower_malformed_total"])
	for name, value := range values {
		if strings.HasPrefix(name, "overlay_divergences_total") || strings.HasPrefix(name, "overlay_execution_failures_total") {
			require.Zero(f.t, value, name)
		}
	}
	f.t.Logf("the follower took %.0f flashblocks, %.0f repeated, %.0f gaps", values["follower_flashblocks_total"], values["follower_repeated_total"], values["follower_gaps_total"])
}
