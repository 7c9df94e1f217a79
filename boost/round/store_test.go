// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// A builder that was restarted begins again under the same payload id, with another block. What was published
// stays, and nothing of the second block is put behind it.
func TestTwoBlocksUnderOneIDAreNotSpliced(t *testing.T) {
	t.Parallel()
	second := func(index uint64) []byte {
		fb := flashblock(9, index)
		fb.Diff.GasUsed += 7
		return fb.AppendJSON(nil)
	}
	for name, from := range map[string]uint64{"from its beginning": 0, "after what was published first": 1} {
		for _, early := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", early ", early), func(t *testing.T) {
				t.Parallel()
				h := newHarness(t, Config{})
				r := h.store.Begin(testRequest(t))
				r.BindLocal(id(1))
				if !early {
					r.BindBuilder(id(9))
				}
				h.add(9, 0, 1)
				refused := h.count(extendErrors)
				for index := from; index < 5; index++ {
					h.store.Add(delivery(t, second(index)))
				}
				h.add(9, 2, 3)
				r.BindBuilder(id(9))
				h.add(9, 2, 3, 9)
				require.Equal(t, []string{"9/0", "9/1"}, h.published())
				require.Equal(t, refused+int(5-from)+5, h.count(extendErrors), "all of it is counted")
				require.EqualValues(t, 2-from, h.count("flashboost_flashblocks_conflicts_total"))
				require.Zero(t, h.gaps.Load(), "nothing is missing")
				p := r.Freeze()
				require.Equal(t, 2, p.Count())
				require.Equal(t, 2, p.Published())
				require.Equal(t, []json.RawMessage{json.RawMessage(`"` + depositTx + `"`), json.RawMessage(`"0x020901"`)}, p.Transactions())

				h.bound(2, 10)
				h.add(10, 0, 1)
				require.Equal(t, []string{"10/0", "10/1"}, h.published()[2:], "the next block")
			})
		}
	}
}

func TestIndexZeroNeedsABase(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	r := h.bound(1, 9)
	fb := flashblock(9, 0)
	fb.Base = nil
	h.store.Add(delivery(t, fb.AppendJSON(nil)))
	require.Zero(t, r.Peek().Count())
	require.Equal(t, 1, h.count(extendErrors))
	h.add(9, 0)
	require.Equal(t, []string{"9/0"}, h.published())
}

func TestLargestMessage(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	r := h.bound(1, 9)
	h.add(9, 0)
	fb := flashblock(9, 1)
	fb.Diff.Transactions = [][]byte{make([]byte, (flashblocks.DefaultMaxDecoded-8<<10)/2)}
	for index := uint64(1); index <= 3; index++ {
		fb.Index = index
		h.store.Add(delivery(t, fb.AppendJSON(nil)))
	}
	require.Equal(t, 3, r.Peek().Count(), "64 MiB hold two of these and the first")
	require.Equal(t, []string{"9/0", "9/1", "9/2"}, h.published())
	require.Equal(t, 1, h.count(extendErrors))
}

// Early flashblocks wait under the builder's own id, whatever it is, and are published when both answers
// are there.
func TestEarlyFlashblocksAreAdopted(t *testing.T) {
	t.Parallel()
	for _, localFirst := range []bool{true, false} {
		h := newHarness(t, Config{})
		r := h.store.Begin(testRequest(t))
		h.add(9, 0, 1)
		h.add(8, 0)
		if localFirst {
			r.BindLocal(id(1))
		} else {
			r.BindBuilder(id(9))
		}
		h.add(9, 2)
		require.Empty(t, h.published())
		if localFirst {
			r.BindBuilder(id(9))
		} else {
			r.BindLocal(id(1))
		}
		require.Equal(t, []string{"9/0", "9/1", "9/2"}, h.published())
		require.Equal(t, 3, h.count(adopted))
		h.add(9, 3)
		require.Equal(t, []string{"9/0", "9/1", "9/2", "9/3"}, h.published())
		require.Equal(t, 4, r.Freeze().Count())
	}
}

// What nobody took is dropped once the builds after it have begun; what is being asked for stays.
func TestStaleEarlyFlashblocksGo(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.store.Begin(testRequest(t))
	h.add(9, 0)
	for range staleAfter {
		h.store.Begin(testRequest(t))
		require.Contains(t, h.store.lines.byID, id(9))
	}
	h.store.Begin(testRequest(t))
	require.NotContains(t, h.store.lines.byID, id(9))
	require.Zero(t, h.store.lines.earlyBytes)
}

// F14: what is published are the builder's own bytes, unknown keys and odd spelling included.
func TestOriginalBytesArePublished(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	r := h.bound(1, 9)
	h.add(9, 0)
	text := []byte(` {"metadata":{"block_number":100,"new":[{"x":"\u0041"}]} , "diff" : {"future_field":{"a":"}"},"transactions":["0X0209\u00301"],` +
		`"gas_used":42000,"state_root":"0x` + fmt.Sprintf("%064x", 1) + `","receipts_root":"0x` + fmt.Sprintf("%064x", 2) +
		`","logs_bloom":"0x` + fmt.Sprintf("%0512x", 3) + `","block_hash":"0x` + fmt.Sprintf("%064x", 4) + `"},"index":"0x1","payload_id":"0x0300000000000009","beyond":null}`)
	h.store.Add(delivery(t, text))
	require.Equal(t, []string{"9/0", "9/1"}, h.published())
	require.Equal(t, string(text), string(h.out[1].V1))
	require.Contains(t, string(h.out[1].V0()), `"transactions":["0x020901"]`)

	p := r.Freeze()
	require.Equal(t, []json.RawMessage{json.RawMessage(`"0x7e01"`), json.RawMessage(`"0x020901"`)}, p.Transactions())
	require.EqualValues(t, 42000, p.GasUsed())
	result, err := p.Envelope(4)
	require.NoError(t, err)
	require.NotContains(t, string(result), "future")
}

// The gap of a builder that lost messages is reported once per block, not for every flashblock after it.
func TestGapIsReportedOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.bound(1, 9)
	h.add(9, 0, 2, 3, 4)
	require.EqualValues(t, 1, h.gaps.Load())
	position, ok := h.store.Position()
	require.True(t, ok)
	require.Equal(t, flashblocks.FlashblockID{BlockNumber: testNumber, Index: 0}, position.Position())
	h.add(9, 1, 2, 3)
	require.Equal(t, []string{"9/0", "9/1", "9/2", "9/3"}, h.published())
}

// Everything at once, for the race detector; whatever the order, what is published is in order and frozen
// prefixes contain it.
func TestConcurrentRounds(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	const rounds, length = 40, 12
	for n := byte(1); n <= rounds; n++ {
		r := h.store.Begin(testRequest(t))
		var wg sync.WaitGroup
		var prefix *Prefix
		wg.Go(func() { r.BindLocal(id(n)) })
		wg.Go(func() { r.BindBuilder(id(n + 100)) })
		wg.Go(func() {
			for index := range uint64(length) {
				h.add(n+100, index)
			}
		})
		wg.Go(func() {
			_, err := r.Builder(t.Context())
			if err == nil {
				r.Peek()
				prefix = r.Freeze()
			}
		})
		wg.Wait()
		require.Same(t, prefix, r.Freeze())
		require.LessOrEqual(t, r.published, prefix.Count())
		r.Keep(Sealed{})
	}
	next := make(map[byte]uint64)
	for _, m := range h.out {
		if m.V1 == nil {
			continue
		}
		require.Equal(t, next[m.PayloadID[7]], m.Index)
		next[m.PayloadID[7]]++
	}
}

// F17: a reader of the stream sees a base first, also if the relay came in mid-block.
func TestMidBlockJoinIsNotPublished(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.bound(1, 9)
	h.add(9, 3, 4)
	require.Empty(t, h.published())
	require.EqualValues(t, 1, h.gaps.Load())
	h.add(9, 0, 1)
	require.Equal(t, []string{"9/0", "9/1"}, h.published())
}

func TestIsHex(t *testing.T) {
	t.Parallel()
	const digits = "0123456789abcdefABCDEF"
	for c := range 256 {
		for at := range 51 {
			text := []byte("0123456789abcdefABCDEF0123456789fedcba0123456789abc")
			text[at] = byte(c)
			require.Equal(t, strings.IndexByte(digits, byte(c)) >= 0, isHex(text), "%q at %d", c, at)
		}
	}
}
