// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

func after(block, index uint64) string {
	return fmt.Sprintf("?block_number=%d&flashblock_index=%d", block, index)
}

func TestResumeAtEveryPosition(t *testing.T) {
	t.Parallel()
	const blocks, last = 3, 9
	h := newHarness(t, HubConfig{Limit: 100}, ServerConfig{})
	for block := uint64(1); block <= blocks; block++ {
		h.publish(block, 0, last)
	}
	type client struct {
		ws    *websocket.Conn
		block uint64
		index uint64
	}
	var clients []client
	for block := uint64(1); block <= blocks; block++ {
		for index := uint64(0); index <= last; index++ {
			for _, path := range []string{"/", "/v0"} {
				clients = append(clients, client{h.dial(path + after(block, index)), block, index})
			}
		}
	}
	h.publish(blocks+1, 0, 0)
	for _, c := range clients {
		if c.index < last {
			teststream.Expect(t, c.ws, c.block, c.index+1, last)
		}
		for block := c.block + 1; block <= blocks; block++ {
			teststream.Expect(t, c.ws, block, 0, last)
		}
		teststream.Expect(t, c.ws, blocks+1, 0, 0)
	}
}

// Clients that lose their connection again and again while the hub publishes see everything once.
func TestResumeInReconnectStorm(t *testing.T) {
	t.Parallel()
	for name, portable := range bothWays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const clients, blocks, last = 10, 30, 9
			h := newHarness(t, HubConfig{portable: portable}, ServerConfig{})
			h.publish(1, 0, 0)

			var wg sync.WaitGroup
			errs := make([]error, clients)
			for i := range clients {
				wg.Go(func() { errs[i] = h.reconnecting(i+1, teststream.At(1, 0), teststream.At(blocks, last), last) })
			}
			for block := uint64(1); block <= blocks; block++ {
				first := uint64(0)
				if block == 1 {
					first = 1
				}
				h.publish(block, first, last)
			}
			wg.Wait()
			for _, err := range errs {
				require.NoError(t, err)
			}
		})
	}
}

// reconnecting reads from one position to another over connections of k messages each, checking that
// each message is the next one.
func (h *harness) reconnecting(k int, at, end teststream.Position, last uint64) error {
	for at != end {
		ws, err := h.tryDial("/" + after(at.Block, at.Index))
		if err != nil {
			return err
		}
		for range k {
			want := teststream.At(at.Block, at.Index+1)
			if at.Index == last {
				want = teststream.At(at.Block+1, 0)
			}
			m, err := teststream.Read(ws)
			if got := teststream.Of(m.Header); err != nil || got != want {
				return fmt.Errorf("got %v, want %v: %w", got, want, err)
			}
			if at = want; at == end {
				break
			}
		}
		if err := ws.NetConn().Close(); err != nil {
			return err
		}
	}
	return nil
}

func TestLateJoiner(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{})
	early := h.dial("/?from=current")
	h.publish(1, 0, 9)
	teststream.Expect(t, early, 1, 0, 9)
	h.publish(2, 0, 4)

	current, live, v0 := h.dial("/?from=current&key=secret"), h.dial("/"), h.dial("/v0?from=current")
	h.publish(2, 5, 9)
	teststream.Expect(t, current, 2, 0, 9)
	teststream.Expect(t, v0, 2, 0, 9)
	teststream.Expect(t, live, 2, 5, 9)
}

// TestFromCurrent: a client without a position gets the block from its beginning, one with a position what
// follows it, and nothing from before.
func TestFromCurrent(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{FromCurrent: true}, ServerConfig{})
	early := h.dial("/")
	h.publish(1, 0, 9)
	teststream.Expect(t, early, 1, 0, 9)
	h.publish(2, 0, 4)
	teststream.Expect(t, early, 2, 0, 4)

	bare, v0, resumed, ahead := h.dial("/?key=secret"), h.dial("/v0"), h.dial("/"+after(2, 3)), h.dial("/"+after(2, 6))
	h.publish(2, 5, 9)
	teststream.Expect(t, bare, 2, 0, 9)
	teststream.Expect(t, v0, 2, 0, 9)
	teststream.Expect(t, resumed, 2, 4, 9)
	teststream.Expect(t, ahead, 2, 0, 9) // a position without payload id that nothing has: its block again
}

func TestMalformedStartIsRefused(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{})
	for query, sentence := range map[string]string{
		"block_number=1":                                      "block_number and flashblock_index must be given together",
		"flashblock_index=1":                                  "block_number and flashblock_index must be given together",
		"block_number=&flashblock_index=1":                    "block_number must be a decimal number below 2^64",
		"block_number=0x1&flashblock_index=1":                 "block_number must be a decimal number below 2^64",
		"block_number=1&flashblock_index=-1":                  "flashblock_index must be a decimal number below 2^64",
		"block_number=18446744073709551616&flashblock_index=": "block_number must be a decimal number below 2^64",
		"block_number=1&block_number=2&flashblock_index=1":    "block_number is given 2 times",
		"block_number=1&flashblock_index=1&payload_id=0x12":   "payload_id must be 0x and 16 hex digits",
		"payload_id=0x0102030405060708":                       "payload_id needs block_number and flashblock_index",
		"from=start":                                          `from must be "current"`,
		"from=":                                               `from must be "current"`,
		"from=current&x=%zz":                                  "the query of the URL is malformed",
	} {
		_, resp, err := websocket.DefaultDialer.Dial(h.url("/ws?"+query), nil)
		require.ErrorIs(t, err, websocket.ErrBadHandshake, query)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusBadRequest, resp.StatusCode, query)
		require.Equal(t, sentence, strings.TrimSpace(string(body)), query)
	}
	require.EqualValues(t, 12, h.hub.m.badResume.Get())
}

func TestCursor(t *testing.T) {
	t.Parallel()
	// Two attempts at block 10, of which a sealed notification has no v1 form, then block 12.
	a, b, c := teststream.PayloadID(0xa), teststream.PayloadID(0xb), teststream.PayloadID(0xc)
	r := newRing(64, math.MaxInt)
	add := func(id engine.PayloadID, block uint64, indices ...uint64) {
		for _, index := range indices {
			require.True(t, r.add(&entry{msg: message(id, block, index, 0)}))
		}
	}
	add(teststream.PayloadID(9), 9, 3, 4)                                                                                   // 0 1: the beginning of block 9 is gone
	add(a, 10, 0, 1, 2, 3)                                                                                                  // 2 3 4 5
	add(b, 10, 0, 1, 2)                                                                                                     // 6 7 8
	require.True(t, r.add(&entry{msg: Message{PayloadID: b, BlockNumber: 10, Index: 3, V0: func() []byte { return nil }}})) // 9
	add(c, 12, 0, 1)                                                                                                        // 10 11
	const head = 12

	for name, tc := range map[string]struct {
		start start
		want  uint64
	}{
		"next message":                                {start{}, head},
		"block in progress":                           {start{current: true}, 10},
		"position in one attempt":                     {start{resume: true, block: 12, index: 0}, 11},
		"newest position":                             {start{resume: true, block: 12, index: 1}, head},
		"only in the abandoned attempt":               {start{resume: true, block: 10, index: 3}, 6},
		"in both attempts":                            {start{resume: true, block: 10, index: 1}, 6},
		"in both, first attempt named":                {start{resume: true, block: 10, index: 1, payload: &a}, 4},
		"in both, second attempt named":               {start{resume: true, block: 10, index: 1, payload: &b}, 8},
		"in both, unknown attempt named":              {start{resume: true, block: 10, index: 1, payload: &c}, 6},
		"ahead of the attempt named":                  {start{resume: true, block: 12, index: 7, payload: &c}, head},
		"beyond every attempt":                        {start{resume: true, block: 10, index: 9}, 6},
		"too old":                                     {start{resume: true, block: 5, index: 2}, 2},
		"too old within a block":                      {start{resume: true, block: 9, index: 1}, 2},
		"in a block without its beginning":            {start{resume: true, block: 9, index: 3}, 1},
		"block that was not streamed":                 {start{resume: true, block: 11, index: 0}, 10},
		"ahead of the ring":                           {start{resume: true, block: 13, index: 0}, head},
		"ahead of the ring or else block in progress": {start{resume: true, current: true, block: 13, index: 0}, 10},
	} {
		got, _ := r.cursor(tc.start)
		require.Equal(t, tc.want, got, name)
	}
}

func TestRingBounds(t *testing.T) {
	t.Parallel()
	size := len(message(teststream.PayloadID(1), 1, 0, 1000).V1)
	for name, tc := range map[string]struct{ messages, bytes, kept int }{
		"by count":               {4, math.MaxInt, 4},
		"by bytes":               {64, 3 * size, 3},
		"one larger than it all": {64, 10, 1},
	} {
		r := newRing(tc.messages, tc.bytes)
		for range 20 {
			require.True(t, r.add(&entry{msg: message(teststream.PayloadID(1), 1, 0, 1000)}))
			list, head := r.entries()
			require.LessOrEqual(t, len(list), tc.kept, name)
			require.Equal(t, head-1, list[len(list)-1].seq, "the newest is always kept")
			require.Equal(t, len(list)*size, r.bytes, name)
		}
		list, head := r.entries()
		require.Len(t, list, tc.kept, name)
		_, evicted := r.get(head - uint64(tc.kept) - 1)
		require.True(t, evicted, name)
		e, evicted := r.get(head)
		require.Nil(t, e)
		require.False(t, evicted, "not published yet is not evicted")
	}
}

func FuzzParseStart(f *testing.F) {
	for _, seed := range []string{
		"", "from=current", "block_number=1&flashblock_index=2", "block_number=1&flashblock_index=2&payload_id=0x0102030405060708", "notices=only", "notices=all",
		"block_number=+1&flashblock_index=2", "block_number=1;flashblock_index=2", "%zz", "from=current&from=current", "payload_id=",
	} {
		f.Add(seed)
	}
	r := newRing(16, math.MaxInt)
	for index := range uint64(20) {
		r.add(&entry{msg: message(teststream.PayloadID(index/5), index/5, index%5, 0)})
	}
	f.Fuzz(func(t *testing.T, query string) {
		s, err := parseStart(query)
		if err != nil {
			require.Equal(t, start{}, s, "no start with an error")
			require.NotContains(t, err.Error(), "\n")
			return
		}
		// What was understood means the same when it is written out.
		values := url.Values{}
		if s.current {
			values.Set(paramFrom, fromCurrent)
		}
		if s.notices {
			values.Set(paramNotices, noticesValue)
		}
		if s.resume {
			values.Set(paramBlock, fmt.Sprint(s.block))
			values.Set(paramIndex, fmt.Sprint(s.index))
		}
		if s.payload != nil {
			values.Set(paramPayload, s.payload.String())
		}
		again, err := parseStart(values.Encode())
		require.NoError(t, err)
		require.Equal(t, s, again)
		got, _ := r.cursor(s)
		require.LessOrEqual(t, got, r.head.Load())
	})
}
