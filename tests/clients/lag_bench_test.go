// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package clients

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

const (
	lagLoad    = 3 * benchLoad // transactions per second
	lagReaders = 4             // clients that ask as fast as they are answered
	lagAnswers = 20_000
)

// arrivals are the flashblocks that a stream has brought, in its order, with the time of each.
type arrivals struct {
	mu   sync.Mutex
	list []arrival
}

type arrival struct {
	place place
	at    time.Time
}

// place is where in the chain an answer or a flashblock stands.
type place struct{ block, index uint64 }

func (p place) before(q place) bool {
	return p.block < q.block || p.block == q.block && p.index < q.index
}

func (a *arrivals) hear(d stream.Delivery) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, arrival{place{d.BlockNumber, d.Index}, d.Arrived})
}

// late returns for how long there had been a flashblock behind an answer when it was asked for, 0 if
// there was none.
func (a *arrivals) late(answer place, asked time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	var late time.Duration
	for i := len(a.list) - 1; i >= 0 && answer.before(a.list[i].place); i-- {
		late = max(late, asked.Sub(a.list[i].at))
	}
	return late
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.list)
}

// Under three times the load, and with readers that never pause, no answer at pending is behind what was
// received: the newest flashblock that the stream had brought when it was asked for, except while that may
// have been in execution, which is as long as the slowest execution of one took.
func BenchmarkLag(b *testing.B) {
	var (
		n    = boot(b, lagLoad)
		at   = n.nodes()[1]
		seen arrivals
	)
	sub := stream.NewSubscriber(stream.SubscriberConfig{URL: n.ends.FlashblocksWS, Name: "floor", Handler: seen.hear, Queue: 4096})
	require.NoError(b, sub.Start(context.WithoutCancel(b.Context())))
	defer func() { require.NoError(b, sub.Stop(context.Background())) }()
	require.Eventually(b, func() bool { return seen.count() > 1 }, patience, poll)

	var lates []time.Duration
	for b.Loop() {
		lates = askForLags(b, at, &seen)
	}
	accepted, rejected := n.load.Counts()
	b.Logf("%d transactions were accepted, %d rejected", accepted, rejected)
	execution := slowest(b, n.ends.FollowerMetrics, "overlay_execution_seconds")
	slices.Sort(lates)
	firstBehind, _ := slices.BinarySearch(lates, execution+1)
	b.ReportMetric(float64(len(lates)-firstBehind), "behind")
	b.ReportMetric(float64(len(lates)), "answers")
	b.ReportMetric(execution.Seconds()*1e3, "slowest-execution-ms")
	b.ReportMetric(lates[len(lates)*99/100].Seconds()*1e3, "p99-late-ms")
	b.ReportMetric(lates[len(lates)-1].Seconds()*1e3, "max-late-ms")
	b.ReportMetric(0, "ns/op")
}

// askForLags lets the readers ask, and returns how late each answer was.
func askForLags(b *testing.B, at target, seen *arrivals) []time.Duration {
	b.Helper()
	var (
		asked atomic.Int64
		wg    sync.WaitGroup
		lates = make([][]time.Duration, lagReaders)
	)
	for i := range lagReaders {
		client := at.dial(b).Client()
		wg.Go(func() {
			for asked.Add(1) <= lagAnswers {
				begin := time.Now()
				answer, err := readPending(b.Context(), client)
				if err != nil {
					b.Error(err)
					return
				}
				lates[i] = append(lates[i], seen.late(answer, begin))
			}
		})
	}
	wg.Wait()
	all := slices.Concat(lates...)
	require.Len(b, all, lagAnswers)
	return all
}

// readPending asks for the pending block and returns where it stands.
func readPending(ctx context.Context, client *rpc.Client) (place, error) {
	var (
		read struct{ Position *position }
		head hexutil.Uint64
	)
	call := map[string]any{"method": "eth_getBlockByNumber", "params": []any{"pending", false}}
	batch := []rpc.BatchElem{
		{Method: "flashblocks_read", Args: []any{call}, Result: &read},
		{Method: "eth_blockNumber", Result: &head},
	}
	if err := client.BatchCallContext(ctx, batch); err != nil {
		return place{}, err
	}
	if err := batch[1].Error; err != nil {
		return place{}, err
	}
	if at := read.Position; at != nil {
		return place{uint64(at.BlockNumber), uint64(at.Index)}, nil
	}
	return place{uint64(head), math.MaxUint64}, batch[0].Error // pending was latest
}

// slowest returns the maximum of a summary of seconds on a Prometheus endpoint, over its last minutes.
func slowest(b *testing.B, url, name string) time.Duration {
	b.Helper()
	values := harness.Scrape(b.Context(), b, url)
	seconds, ok := values[name+`{quantile="1"}`]
	require.True(b, ok, "no such summary: %s", name)
	return time.Duration(seconds * float64(time.Second))
}
