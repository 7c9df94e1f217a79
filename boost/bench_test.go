// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

// Sizes of a block's JSON at Base in 2025: the mean and the largest.
const (
	meanBytes  = 65 << 10
	blockBytes = 500 << 10
)

// BenchmarkAdded measures the latency that the sidecar adds to the calls of op-node, and beside it, call by
// call in turns, what a bare httputil.ReverseProxy adds before the same execution layer. Both distributions
// are taken above the median of the direct call. In "alone" the sidecar has no builder, as the ReverseProxy; in
// "builder" it does all its work, on the same cores, and the next call is made when the builder has answered: what
// is measured is a call of op-node's, not what the one before left to do.
func BenchmarkAdded(b *testing.B) {
	for _, with := range []struct {
		name    string
		builder bool
	}{{"alone", false}, {"builder", true}} {
		for _, tc := range []struct {
			name string
			body []byte
			told bool // the builder hears of it
		}{
			{"fcu", eltest.Encode("engine_forkchoiceUpdatedV3", eltest.State(eltest.Parent), nil), true},
			{"fcu+attributes", eltest.Encode("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...), true},
			{"newPayload65KB", newBlock(meanBytes), true},
			{"newPayload500KB", newBlock(blockBytes), true},
			{"getPayload", eltest.Encode("engine_getPayloadV4", engine.PayloadID{0x03, 0xff}), false}, // of no round
		} {
			b.Run(with.name+"/"+tc.name, func(b *testing.B) {
				el := benchEL(b)
				r, told := benchSidecar(b, el, with.builder)
				if !with.builder || !tc.told {
					told = nil
				}
				measure(b, el, r.sidecar, told, func(int) []byte { return tc.body })
			})
		}
	}
	b.Run("builder/getPayload of flashblocks", benchmarkOwnAnswer)
}

// benchmarkOwnAnswer is engine_getPayload of a round whose flashblocks were found valid while they came.
func benchmarkOwnAnswer(b *testing.B) {
	el := benchEL(b)
	r, _ := benchSidecar(b, el, true)
	// op-node's version of engine_getPayload is known from the block before.
	require.Nil(b, r.call("engine_getPayloadV4", engine.PayloadID{0x03, 0xff}).Error)
	judged := r.set.GetOrCreateCounter("rollup_boost_prefixes_validated_ahead_total")
	update := eltest.Request("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...)
	list := eltest.Flashblocks(eltest.BuilderID, 10, true)
	last := list[len(list)-1]
	begun := -1
	// Every call asks for another id and another block: none is answered from what is kept.
	measure(b, el, r.sidecar, nil, func(i int) []byte {
		own, builder := engine.PayloadID{0x03, 1, 5: byte(i >> 16), byte(i >> 8), byte(i)}, engine.PayloadID{0x04, 1, 5: byte(i >> 16), byte(i >> 8), byte(i)}
		if i == begun {
			return eltest.Encode("engine_getPayloadV4", own)
		}
		begun = i
		req, err := round.ParseRequest(update.Method, eltest.Args(update))
		require.NoError(b, err)
		live := r.rounds.Begin(req)
		live.BindLocal(own)
		live.BindBuilder(builder)
		for _, fb := range list {
			fb.PayloadID = builder
		}
		last.Diff.GasUsed++
		eltest.Seal(list)
		r.deliver(list)
		before := judged.Get()
		r.sidecar.payloads.Watch(live, own)
		r.eventually("the block is known to be valid", func() bool { return judged.Get() > before })
		return eltest.Encode("engine_getPayloadV4", own)
	})
}

// newBlock is an engine_newPayload of a size.
func newBlock(size int) []byte {
	return eltest.Encode("engine_newPayloadV4", map[string]any{"transactions": []string{"0x" + strings.Repeat("0", size)}}, []any{}, eltest.Beacon, []any{})
}

// benchEL answers at once, from memory.
func benchEL(b *testing.B) string {
	b.Helper()
	valid, block := `{"jsonrpc":"2.0","id":7,"result":{"payloadStatus":{"status":"VALID"},"payloadId":"0x0300000000000001","status":"VALID"}}`, encodeBlock()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		if bytes.Contains(body[:min(len(body), 128)], []byte("getPayload")) {
			_, _ = w.Write(block)
			return
		}
		_, _ = io.WriteString(w, valid)
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// encodeBlock is an answer to engine_getPayload with one large transaction.
func encodeBlock() []byte {
	data := eltest.Sealed(eltest.Flashblocks(eltest.LocalID, 1, false))
	data.Transactions = append(data.Transactions, make([]byte, blockBytes/2))
	result, err := json.Marshal(map[string]any{"executionPayload": data, "parentBeaconBlockRoot": eltest.Beacon, "executionRequests": []any{}})
	if err != nil {
		panic(err)
	}
	return jsonrpc.AppendResult(nil, json.RawMessage("7"), result)
}

// benchSidecar is a sidecar with real clients. told gets a token for each call that the builder has answered.
func benchSidecar(b *testing.B, el string, builder bool) (r *rig, told chan struct{}) {
	b.Helper()
	client := func(name, url string) *backend.Client {
		c, err := backend.New(backend.Config{Name: name, URL: url, Secret: bytes.Repeat([]byte{1}, 32), Timeout: eltest.Patience})
		require.NoError(b, err)
		b.Cleanup(c.Close)
		return c
	}
	told = make(chan struct{}, 1)
	r = newRig(b, func(c *Config) {
		c.L2 = client("l2", el)
		c.Builder = nil
		if builder {
			c.Builder = reporting{client("builder", benchEL(b)), told}
		}
	})
	return r, told
}

// reporting is a client that reports each call when it has ended.
type reporting struct {
	*backend.Client
	ended chan<- struct{}
}

func (c reporting) Call(ctx context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error) {
	defer func() {
		select {
		case c.ended <- struct{}{}:
		default: // nobody waits
		}
	}()
	return c.Client.Call(ctx, req)
}

// measure makes each call directly, through a ReverseProxy and through the sidecar, and reports what the two
// add. After each call through the sidecar it waits for told, if that is not nil.
func measure(b *testing.B, el string, sidecar *Sidecar, told <-chan struct{}, body func(i int) []byte) {
	b.Helper()
	target, err := url.Parse(el)
	require.NoError(b, err)
	bare := httputil.NewSingleHostReverseProxy(target)
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	bare.Transport = transport
	proxy := httptest.NewServer(bare)
	defer proxy.Close()
	clients := [3]*http.Transport{{}, {}, {}}
	defer func() {
		for _, c := range clients {
			c.CloseIdleConnections()
		}
	}()
	urls := [3]string{el, proxy.URL, "http://" + sidecar.Addr().String()}
	var took [3][]time.Duration
	for i := 0; b.Loop(); i++ {
		for k := range urls {
			at := (i + k) % 3 // nobody always comes after the same one
			lasted, err := exchange(b, clients[at], urls[at], body(i))
			if at == 1 && err != nil {
				continue // now and then a ReverseProxy of Go 1.26 loses an answer
			}
			require.NoError(b, err)
			took[at] = append(took[at], lasted)
			if at == 2 && told != nil {
				<-told
			}
		}
	}
	direct := quantile(took[0], 50)
	for _, p := range []int{50, 99} {
		added, ofProxy := quantile(took[2], p)-direct, quantile(took[1], p)-direct
		name := map[int]string{50: "p50", 99: "p99"}[p]
		b.ReportMetric(float64(added.Nanoseconds())/1e3, "added-"+name+"-µs")
		b.ReportMetric(float64(added)/float64(ofProxy), name+"/bare")
	}
}

// exchange makes one call and returns how long it took.
func exchange(b *testing.B, client *http.Transport, url string, body []byte) (time.Duration, error) {
	b.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(body))
	require.NoError(b, err)
	req.Header.Set("Content-Type", "application/json")
	start := time.Now()
	resp, err := client.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	took := time.Since(start)
	require.Equal(b, http.StatusOK, resp.StatusCode)
	return took, errors.Join(err, resp.Body.Close())
}

func quantile(took []time.Duration, percent int) time.Duration {
	slices.Sort(took)
	return took[len(took)*percent/100]
}
