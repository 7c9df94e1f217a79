// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// scenario is something that goes wrong, and what must go on in spite of it.
type scenario struct {
	name  string
	modes modes
	play  func(n *network, s *scene)
}

// modes are the ways in which boost gets the roots of the builder's blocks.
type modes uint8

const (
	inExternal modes = 1 << iota // the local execution layer computes them
	inRooted                     // the stream carries them
	inZero                       // the builder's getPayload tells them
	everywhere = inExternal | inRooted | inZero
)

// scene is a scenario being played.
type scene struct {
	*network
	local int // blocks of the local execution layer before
}

// fallsBack waits until op-node has got so many blocks of the local execution layer.
func (s *scene) fallsBack(count int) {
	s.t.Helper()
	s.await("blocks come from the local execution layer", func() bool { return s.created("l2") >= s.local+count })
}

// keeps waits until so many rounds of the builder are sealed with at least so many flashblocks each.
func (s *scene) keeps(count, flashblocks int) {
	s.t.Helper()
	from := s.head() + 1
	s.await("the builder's rounds are sealed", func() bool { return s.recorder.sealed(from, flashblocks) >= count })
}

// middle waits for the middle of a block of the builder and returns its number.
func (s *scene) middle() uint64 {
	s.t.Helper()
	return s.recorder.await("the middle of a block", func(fb *flashblocks.Flashblock) bool { return fb.Index == 2 })
}

// requireKept checks that what was published for a number is in the chain.
func (s *scene) requireKept(number uint64) {
	s.t.Helper()
	s.await("a block that was published in part is sealed", func() bool { return s.head() >= number })
	f := s.judge(number, number)
	require.Equal(s.t, 1, f.kept, "the block that was under construction keeps what was published of it")
}

// scenarios is everything that is done to the parts around boost.
var scenarios = []scenario{
	{"builder killed in a block", everywhere, func(n *network, s *scene) {
		number := s.middle()
		n.KillNode()
		s.requireKept(number)
		s.fallsBack(2)
		require.NoError(n.t, n.StartNode(n.t.Context()))
	}},
	{"builder restarted in a block", inRooted, func(n *network, s *scene) {
		number := s.middle()
		require.NoError(n.t, n.StopNode())
		require.NoError(n.t, n.StartNode(n.t.Context()))
		s.requireKept(number)
	}},
	{"builder hangs", inExternal | inRooted, func(n *network, s *scene) {
		n.builder.set(hung)
		s.fallsBack(3)
	}},
	{"builder hangs in getPayload", everywhere, func(n *network, s *scene) {
		n.builder.set(on(hung, getPayload))
		s.keeps(3, 2)
	}},
	{"builder answers 5 s late", inExternal, func(n *network, s *scene) {
		n.builder.set(slow(5 * time.Second))
		s.fallsBack(3)
	}},
	{"builder answers 50 ms late", inRooted | inZero, func(n *network, s *scene) {
		n.builder.set(slow(50 * time.Millisecond))
		s.keeps(4, 2)
	}},
	{"builder answers garbage", inRooted, func(n *network, s *scene) {
		n.builder.set(answers(
			reply{http.StatusInternalServerError, []byte("<html>no</html>")},
			reply{http.StatusOK, nil},
			reply{http.StatusOK, []byte(`{"jsonrpc":"2.0","id":1,"result":null}`)},
			reply{http.StatusOK, []byte(`{"jsonrpc":"2.0","id":1,"result":{"payloadStatus":7,"payloadId":[]}}`)},
			reply{http.StatusOK, []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-38001,"message":"Unknown payload"}}`)},
			reply{http.StatusOK, bytes.Repeat([]byte("["), 1<<20)},
			reply{},
		))
		s.fallsBack(4)
	}},
	{"builder's roots are zeroed", inExternal | inZero, func(n *network, s *scene) {
		n.builder.set(payloads(func(payload object) { payload["stateRoot"] = encode(common.Hash{}) }))
		s.keeps(2, 2)
	}},
	{"builder builds what nobody has asked for", inExternal | inZero, playNonconforming},
	{"stream is cut in a block", everywhere, func(n *network, s *scene) {
		number := s.middle()
		n.stream.cut()
		s.requireKept(number)
		s.keeps(1, 2)
	}},
	{"stream has gaps", everywhere, func(n *network, s *scene) {
		n.stream.set(func(header flashblocks.Header, text []byte) [][]byte {
			if header.Index == 2 {
				return nil
			}
			return [][]byte{text}
		})
		from := n.head() + 2
		s.keeps(3, 2)
		s.requireAtMost(from, 2, "the gap")
	}},
	{"stream repeats and contradicts itself", inExternal | inRooted, playRepetitions},
	{"stream has garbage", inRooted, playGarbage},
	{"stream has wrong payload ids", inRooted, func(n *network, s *scene) {
		n.stream.set(func(header flashblocks.Header, text []byte) [][]byte {
			id := header.PayloadID.String()
			wrong := id[:len(id)-4] + strings.Map(func(c rune) rune { return 'a' + (c-'a'+1)&3 }, id[len(id)-4:])
			return [][]byte{bytes.Replace(text, []byte(id), []byte(wrong), 1)}
		})
		s.silence(2)
	}},
	{"flashblocks come after getPayload", everywhere, playLate},
	{"builder publishes a transaction that cannot be", inRooted | inZero, playImpossible},
	{"local execution layer is slow", everywhere, func(n *network, s *scene) {
		n.local.set(slow(60 * time.Millisecond))
		s.keeps(3, 2)
	}},
	{"burst of forkchoice updates", inExternal | inRooted, playBurst},
	{"payloads without the pool", inRooted, playNoTxPool},
}

// silence waits for so many blocks and checks that nothing was published for them. The first may still have
// begun before.
func (s *scene) silence(blocks uint64) {
	s.t.Helper()
	from := s.head() + 3
	s.await("the chain goes on", func() bool { return s.head() >= from+blocks })
	require.Zero(s.t, s.recorder.published(from, from+blocks), "rounds published for blocks %d to %d", from, from+blocks)
}

// playNonconforming has the builder build blocks that are valid, but not the ones that op-node wants: each
// forkchoice update asks for something else.
func playNonconforming(n *network, s *scene) {
	var (
		mu   sync.Mutex
		turn int
	)
	changes := []func(object){
		func(attrs object) { attrs["suggestedFeeRecipient"] = encode(common.Address{1}) },
		func(attrs object) { attrs["transactions"] = encode([]string{}) },
		func(attrs object) { attrs["gasLimit"] = quantity(30_000_000) },
		func(attrs object) { attrs["prevRandao"] = encode(common.Hash{2}) },
		func(attrs object) { attrs["parentBeaconBlockRoot"] = encode(common.Hash{3}) },
	}
	n.builder.set(attributes(func(attrs object) {
		mu.Lock()
		defer mu.Unlock()
		changes[turn%len(changes)](attrs)
		turn++
	}))
	s.silence(uint64(len(changes)) - 1)
	s.fallsBack(len(changes))
}

// playGarbage sends something that is no flashblock in the middle of every block. Boost drops the connection
// and resumes where it was.
func playGarbage(n *network, s *scene) {
	var (
		mu   sync.Mutex
		seen = make(map[engine.PayloadID]bool)
		junk = [][]byte{[]byte("no flashblock"), []byte("{}"), []byte(`{"payload_id":7}`), {0x1b, 0xff, 0}}
	)
	n.stream.set(func(header flashblocks.Header, text []byte) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		if header.Index != 2 || seen[header.PayloadID] {
			return [][]byte{text}
		}
		seen[header.PayloadID] = true
		return [][]byte{junk[len(seen)%len(junk)], text}
	})
	s.keeps(len(junk), 2)
}

// playRepetitions sends every flashblock again, and another one at the position of the third. Nothing follows that
// one, as it might belong to either of the two blocks.
func playRepetitions(n *network, s *scene) {
	var (
		mu   sync.Mutex
		past [][]byte
	)
	n.stream.set(func(header flashblocks.Header, text []byte) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		if header.Index == 0 {
			past = nil
		}
		past = append(past, slices.Clone(text))
		out := append([][]byte{text, text}, past...)
		if header.Index == 2 {
			out = append(out, bytes.Replace(text, []byte(`"gas_used":"0x`), []byte(`"gas_used":"0x1`), 1))
		}
		return out
	})
	from := n.head() + 2
	s.keeps(3, 3) // the recorder refuses what comes twice
	s.requireAtMost(from, 3, "the contradiction")
}

// requireAtMost checks that no round since a block has more flashblocks published.
func (s *scene) requireAtMost(from uint64, flashblocks int, behind string) {
	s.t.Helper()
	for number := from; number <= s.head(); number++ {
		rounds, _ := s.recorder.at(number)
		for _, round := range rounds {
			require.LessOrEqual(s.t, len(round.Flashblocks), flashblocks, "nothing behind %s in block %d is published", behind, number)
		}
	}
}

// playLate holds everything behind index 1 back until op-node has its payload.
func playLate(n *network, s *scene) {
	var (
		mu   sync.Mutex
		held [][]byte
		sent int
	)
	n.front.onAnswer(func() {
		mu.Lock()
		late := held
		held = nil
		sent += len(late)
		mu.Unlock()
		n.stream.inject(late...)
	})
	n.stream.set(func(header flashblocks.Header, text []byte) [][]byte {
		if header.Index < 2 {
			return [][]byte{text}
		}
		mu.Lock()
		defer mu.Unlock()
		held = append(held, slices.Clone(text))
		return nil
	})
	from := n.head() + 2
	s.keeps(3, 2)
	s.await("flashblocks have come late", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return sent > 0
	})
	for number := from; number <= n.head(); number++ {
		rounds, _ := n.recorder.at(number)
		for _, round := range rounds {
			require.LessOrEqual(n.t, len(round.Flashblocks), 2, "flashblocks of block %d, of which all but two came late", number)
		}
	}
}

// playImpossible adds a transaction to the stream that no chain can have. What was published cannot be
// kept then, so v0 takes it back, and the slot gets another block.
func playImpossible(n *network, s *scene) {
	n.stream.set(func(header flashblocks.Header, text []byte) [][]byte {
		if header.Index != 1 {
			return [][]byte{text}
		}
		bad := bytes.Replace(text, []byte(`"transactions":[`), []byte(`"transactions":["0x02c0",`), 1)
		return [][]byte{bytes.Replace(bad, []byte(`"0x02c0",]`), []byte(`"0x02c0"]`), 1)}
	})
	s.awaitBlocks(3)
}

// playBurst sends thousands of forkchoice updates while blocks are built and the builder is slow to take
// them: the builder gets only the newest ones, op-node's own calls do not wait behind them.
func playBurst(n *network, s *scene) {
	const count = 5000
	n.builder.set(on(slow(50*time.Millisecond), forkchoiceUpdated))
	before := n.builder.count(forkchoiceUpdated)
	begin := time.Now()
	n.front.burst(n.ends.BoostRPC, count)
	got := n.builder.count(forkchoiceUpdated) - before
	n.t.Logf("%d forkchoice updates in %v, of which the builder got %d", count, time.Since(begin).Round(time.Millisecond), got)
	require.Less(n.t, got, count/2, "forkchoice updates that the builder got")
	s.keeps(2, 2)
}

// playNoTxPool has op-node ask for blocks without transactions of the pool: they are none of the builder's
// business and no reason for alarm.
func playNoTxPool(n *network, s *scene) {
	n.front.alter(attributes(func(attrs object) { attrs["noTxPool"] = encode(true) }))
	s.awaitBlocks(2) // the ones under construction are others
	from, asked := n.head()+1, n.builder.count(build, getPayload)
	s.awaitBlocks(2)
	require.Equal(n.t, asked, n.builder.count(build, getPayload), "blocks that the builder was asked for")
	s.await("boost is well", func() bool { return n.health() == http.StatusOK })
	for number := from; number < from+2; number++ {
		require.Zero(n.t, users(n.block(number)), "user transactions of block %d", number)
	}
	require.Zero(n.t, n.recorder.published(from, from+1))
}

// playAll plays the scenarios of a mode one after the other, and judges each once the builder is back.
func (n *network) playAll(mode modes) {
	n.t.Helper()
	n.awaitKept(2)
	from := uint64(2) // the first slot may have been over before the devnet was up
	for _, sc := range scenarios {
		if sc.modes&mode == 0 {
			continue
		}
		begin := time.Now()
		sc.play(n, &scene{network: n, local: n.created("l2")})
		n.lift()
		n.awaitKept(1)
		n.t.Logf("--- %s: %v", sc.name, time.Since(begin).Round(10*time.Millisecond))
		head := n.head()
		f := n.judge(from, head)
		from = head + 1
		if !strings.Contains(sc.name, "cannot be") {
			require.Zero(n.t, f.discarded, "rounds taken back: %s", sc.name)
		} else {
			require.Positive(n.t, f.discarded, "rounds taken back")
		}
	}
}

// TestFaults plays every scenario against boost in each way of getting roots.
func TestFaults(t *testing.T) {
	t.Parallel()
	t.Run("rooted", func(t *testing.T) {
		t.Parallel()
		n := boot(t, options{rooted: true})
		n.playAll(inRooted)
		n.requireSound()
	})
	t.Run("zero", func(t *testing.T) {
		t.Parallel()
		n := boot(t, options{})
		n.playAll(inZero)
		n.playModes()
		n.playUnhealthy()
		n.requireSound()
	})
	t.Run("external", func(t *testing.T) {
		t.Parallel()
		n := boot(t, options{external: true, follower: true})
		n.playUsers(0)
		n.playAll(inExternal)
		n.playUsers(3)
		n.requireSound()
	})
}
