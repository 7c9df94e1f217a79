// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/ethereum/go-ethereum/flashgeth/devnet/published"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// ledgerBlocks is how many blocks of published flashblocks are kept for comparison. Blocks are sealed
// at once, so that only an outage of the node lets some wait.
const ledgerBlocks = 64

// settleTime is how long the flashblocks of a sealed block may still be on their way to the reader.
const settleTime = 3 * time.Second

// Flashblock is what the devnet saw of one flashblock. Its JSON form is a line of `devnet --json`.
type Flashblock struct {
	Block      uint64           `json:"block"`
	Index      uint64           `json:"index"`
	PayloadID  engine.PayloadID `json:"payload_id"`
	OffsetMs   float64          `json:"offset_ms"` // from the start of the slot to its arrival
	Txs        int              `json:"txs"`       // added by this flashblock
	GasUsed    uint64           `json:"gas_used"`  // cumulative
	GasCeiling uint64           `json:"gas_ceiling"`
	LatencyMs  float64          `json:"latency_ms"` // from the planned moment to its arrival
	Sealed     bool             `json:"sealed"`     // it is part of the sealed block of its number
}

// Verdict is the outcome of comparing a sealed block with what was published for it.
type Verdict int

const (
	// Matching means that the block is exactly what one payload id published.
	Matching Verdict = iota
	// Unstreamed means that nothing was published and the block has no user transaction.
	Unstreamed
	// Unobserved means that the devnet did not see the stream from the block's first flashblock on.
	Unobserved
	// Differing means that the block is not what was published: the builder broke its promise.
	Differing
	// Extended means that the block begins with what was published and goes on: boost sealed what the
	// builder added last. Behind boost only.
	Extended
	// Fallback means that nothing was published, and the block is the local execution layer's. Behind boost
	// only.
	Fallback
)

// String returns a word for the terminal.
func (v Verdict) String() string {
	return [...]string{"sealed", "not streamed", "not observed", "DIFFERS", "longer", "fallback"}[v]
}

// sealedBlock is a canonical block as the ledger needs it.
type sealedBlock struct {
	Number       uint64
	Hash         common.Hash
	ReceiptsRoot common.Hash
	GasUsed      uint64
	Txs          []common.Hash
	UserTxs      int       // those that are no deposits
	Seen         time.Time // when the devnet learned of it
}

// Block is a sealed block and how it compares with its flashblocks.
type Block struct {
	Number      uint64
	Hash        common.Hash
	Flashblocks int // published for the sealed payload id
	Txs         int
	GasUsed     uint64
	Verdict     Verdict
	Reason      string // what differs
	Abandoned   int    // flashblocks published for the number by payload ids that were not sealed
}

// attempt is what one payload id published for one block number.
type attempt struct {
	id        engine.PayloadID
	timestamp uint64
	gasLimit  uint64
	begin     time.Duration // offset of index 0
	position  int           // in the plan, of the last flashblock
	complete  bool          // every index from 0 on was seen
	cut       bool          // the stream was lost after the last flashblock
	settled   int           // flashblocks whose fate was told
	txs       []common.Hash
	last      flashblocks.Diff
	seen      []Flashblock
}

// ledger keeps what was published and compares it with what was sealed. It is not safe for
// concurrent use.
type ledger struct {
	plan     slotPlan
	boost    bool // the stream is boost's: whose block is sealed is decided last
	attempts published.Attempts[attempt]
	first    uint64 // lowest block number from which on the stream was followed without a break
}

// newLedger returns an empty ledger of a builder's stream, or of boost's.
func newLedger(plan slotPlan, boost bool) *ledger {
	return &ledger{plan: plan, boost: boost}
}

// add records a flashblock that arrived at the given time.
func (l *ledger) add(fb *flashblocks.Flashblock, arrived time.Time) Flashblock {
	number := fb.Metadata.BlockNumber
	a, begun := l.attempts.Of(fb)
	if begun {
		a.id = fb.PayloadID
		l.attempts.Forget(max(number, ledgerBlocks) - ledgerBlocks)
	}
	a.cut = false // if it was, the stream has resumed: a gap shows in the index
	if fb.Base != nil {
		a.timestamp, a.gasLimit, a.complete = fb.Base.Timestamp, fb.Base.GasLimit, len(a.seen) == 0
		if l.first == 0 {
			l.first = number
		}
	} else if int(fb.Index) != len(a.seen) {
		a.complete = false
	}
	for _, tx := range fb.Diff.Transactions {
		a.txs = append(a.txs, crypto.Keccak256Hash(tx))
	}
	a.last = fb.Diff

	view := Flashblock{
		Block: number, Index: fb.Index, PayloadID: fb.PayloadID,
		Txs: len(fb.Diff.Transactions), GasUsed: fb.Diff.GasUsed, GasCeiling: a.gasLimit,
	}
	if a.timestamp != 0 {
		offset := l.plan.offset(a.timestamp, arrived)
		if fb.Index == 0 {
			a.begin = offset
		}
		// Attributes that come before their slot (a chain's first, for one) start the builder's slot early.
		since := offset - min(a.begin, 0)
		if fb.Index > 0 {
			a.position = l.plan.position(since, a.position)
		}
		view.OffsetMs = milliseconds(offset)
		view.LatencyMs = milliseconds(since - l.plan.due[a.position])
		view.GasCeiling = l.plan.ceiling(a.position, a.begin, a.gasLimit)
	}
	a.seen = append(a.seen, view)
	return view
}

// lost notes that the stream broke: what is published until it is back may remain unseen.
func (l *ledger) lost() {
	l.first = 0
	for _, number := range l.attempts.Numbers() {
		for _, a := range l.attempts.At(number) {
			a.cut = true
		}
	}
}

// compare judges a sealed block. It returns false while flashblocks of it may still arrive.
func (l *ledger) compare(sealed *sealedBlock, now time.Time) (Block, bool) {
	block := Block{Number: sealed.Number, Hash: sealed.Hash, Txs: len(sealed.Txs), GasUsed: sealed.GasUsed, Verdict: Differing}
	partial := false
	for _, a := range l.attempts.At(sealed.Number) {
		partial = partial || !a.complete || a.cut
		reason := a.difference(sealed)
		if reason == "" {
			block.Verdict, block.Reason, block.Flashblocks = Matching, "", len(a.seen)
			a.seal()
		} else if block.Verdict != Matching {
			block.Reason = fmt.Sprintf("payload %v: %s", a.id, reason)
		}
	}
	block.Abandoned = l.published(sealed.Number) - block.Flashblocks
	switch {
	case block.Verdict == Matching:
		return block, true
	case now.Sub(sealed.Seen) < settleTime:
		return block, false
	case l.boost && l.extend(sealed, &block):
	case l.first == 0 || sealed.Number < l.first || partial:
		block.Verdict, block.Reason = Unobserved, ""
	case len(l.attempts.At(sealed.Number)) == 0 && l.boost:
		block.Verdict = Fallback
	case len(l.attempts.At(sealed.Number)) == 0 && sealed.UserTxs == 0:
		block.Verdict = Unstreamed
	case len(l.attempts.At(sealed.Number)) == 0:
		block.Reason = fmt.Sprintf("nothing was published, but the block has %d user transactions", sealed.UserTxs)
	}
	return block, true
}

// extend judges a block that holds more than was published for it: boost may seal what it had no time to
// publish, as long as everything published is there, in its order. It returns false for other blocks.
func (l *ledger) extend(sealed *sealedBlock, block *Block) bool {
	for _, a := range l.attempts.At(sealed.Number) {
		if a.complete && !a.cut && len(a.txs) < len(sealed.Txs) && slices.Equal(a.txs, sealed.Txs[:len(a.txs)]) {
			block.Verdict, block.Reason, block.Flashblocks = Extended, "", len(a.seen)
			block.Abandoned = l.published(sealed.Number) - len(a.seen)
			a.seal()
			return true
		}
	}
	return false
}

// published counts the flashblocks seen for a block number.
func (l *ledger) published(number uint64) int {
	count := 0
	for _, a := range l.attempts.At(number) {
		count += len(a.seen)
	}
	return count
}

// settle returns the flashblocks whose fate is decided now that the block of the given number was
// judged, in order and each once: those of the sealed payload id, and all of earlier numbers. Their
// records stay, because a reorganisation can bring an abandoned block back.
func (l *ledger) settle(number uint64) []Flashblock {
	var decided []Flashblock
	for _, n := range l.attempts.Numbers() {
		for _, a := range l.attempts.At(n) {
			if n > number || (n == number && !a.sealed()) {
				continue
			}
			decided = append(decided, a.seen[a.settled:]...)
			a.settled = len(a.seen)
		}
	}
	return decided
}

// seal notes that the attempt became a canonical block.
func (a *attempt) seal() {
	for i := range a.seen {
		a.seen[i].Sealed = true
	}
}

// sealed tells whether the attempt became a canonical block.
func (a *attempt) sealed() bool {
	return len(a.seen) > 0 && a.seen[0].Sealed
}

// difference tells how a sealed block is not what was published, empty if it is.
func (a *attempt) difference(sealed *sealedBlock) string {
	for i := range min(len(a.txs), len(sealed.Txs)) {
		if a.txs[i] != sealed.Txs[i] {
			return fmt.Sprintf("transaction %d was published as %v and sealed as %v", i, a.txs[i], sealed.Txs[i])
		}
	}
	switch {
	case len(a.txs) != len(sealed.Txs):
		return fmt.Sprintf("%d transactions were published and %d sealed", len(a.txs), len(sealed.Txs))
	case a.last.GasUsed != sealed.GasUsed:
		return fmt.Sprintf("gas used was published as %d and sealed as %d", a.last.GasUsed, sealed.GasUsed)
	case a.last.ReceiptsRoot != sealed.ReceiptsRoot:
		return fmt.Sprintf("the receipts root was published as %v and sealed as %v", a.last.ReceiptsRoot, sealed.ReceiptsRoot)
	}
	return ""
}

// milliseconds returns d in milliseconds with a resolution of 0.1.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(100*time.Microsecond).Microseconds()) / 1000
}
