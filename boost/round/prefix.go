// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// Prefix is what came of a builder's block in flashblocks, contiguous from index 0. It is immutable and
// safe for concurrent use; a zero Prefix is empty.
type Prefix struct {
	pieces    []*piece
	published int

	rootOnce sync.Once
	rooted   bool
}

// Count is the number of flashblocks.
func (p *Prefix) Count() int { return len(p.pieces) }

// Published is how many of them were published.
func (p *Prefix) Published() int { return p.published }

// Public is the part of the prefix that was published.
func (p *Prefix) Public() *Prefix {
	return &Prefix{pieces: p.pieces[:p.published:p.published], published: p.published}
}

// Transactions are those of all flashblocks in order, the post-exec transaction last, as hex strings with
// their quotes: the list for Request.Rebuild.
func (p *Prefix) Transactions() []json.RawMessage {
	var list []json.RawMessage
	p.eachTransaction(len(p.pieces), func(tx []byte) bool {
		list = append(list, tx)
		return true
	})
	if tx := p.postExec(); tx != nil {
		list = append(list, tx)
	}
	return list
}

// eachTransaction calls visit for those of the first n flashblocks until it returns false.
func (p *Prefix) eachTransaction(n int, visit func(tx []byte) bool) {
	for _, piece := range p.pieces[:n] {
		for _, tx := range piece.diff.transactions {
			if !visit(tx) {
				return
			}
		}
	}
}

// postExec is the transaction that replaces its like at every index and stands behind all others.
func (p *Prefix) postExec() []byte {
	if len(p.pieces) == 0 {
		return nil
	}
	return p.last().postExecTx
}

func (p *Prefix) last() *diff { return &p.pieces[len(p.pieces)-1].diff }

// Number is the number of the block, zero if the prefix is empty.
func (p *Prefix) Number() uint64 {
	if len(p.pieces) == 0 {
		return 0
	}
	return p.pieces[0].base.BlockNumber
}

// BlockHash is the hash that the last flashblock claims.
func (p *Prefix) BlockHash() common.Hash { return p.hash(func(d *diff) []byte { return d.blockHash }) }

// StateRoot is the root that the last flashblock carries, zero if the builder leaves it to others.
func (p *Prefix) StateRoot() common.Hash { return p.hash(func(d *diff) []byte { return d.stateRoot }) }

// GasUsed is the gas of all transactions, as the last flashblock says.
func (p *Prefix) GasUsed() uint64 {
	if len(p.pieces) == 0 {
		return 0
	}
	return p.last().gasUsed
}

func (p *Prefix) hash(of func(*diff) []byte) (hash common.Hash) {
	if len(p.pieces) > 0 {
		_ = walk(of(p.last())).Fixed(hash[:]) // checked when it came
	}
	return hash
}

// Rooted reports whether the last flashblock carries a state root and a block hash that is the hash of
// the fields, so that the prefix is a block by itself. The first call computes the hash, which a zero
// root spares.
func (p *Prefix) Rooted() bool {
	p.rootOnce.Do(func() {
		if p.StateRoot() == (common.Hash{}) {
			return
		}
		p.rooted = p.hashes()
	})
	return p.rooted
}

// hashes reports whether the fields have the claimed hash under the forks that they tell, or under the
// ones that a zero withdrawals root would hide.
func (p *Prefix) hashes() bool {
	fbs := make([]*flashblocks.Flashblock, len(p.pieces))
	for i, piece := range p.pieces {
		fb, _, err := flashblocks.Decode(piece.json, flashblocks.Limits{})
		if err != nil {
			return false
		}
		fbs[i] = fb
	}
	forks := flashblocks.InferForks(fbs[0].Base, &fbs[len(fbs)-1].Diff)
	for range 2 {
		payload, err := flashblocks.Assemble(fbs, forks)
		if err != nil {
			return false
		}
		if hash, err := payload.Hash(); err == nil && hash == p.BlockHash() {
			return true
		}
		forks.Isthmus = !forks.Isthmus && forks.Ecotone
	}
	return false
}

// Matches checks that what was published is, transaction by transaction, the beginning of a block. A
// prefix of which nothing was published matches every block. Post-exec transactions are not compared, since
// each replaces the one before. Error: ErrMismatch.
func (p *Prefix) Matches(block *Payload) (err error) {
	i := 0
	p.eachTransaction(p.published, func(tx []byte) bool {
		switch {
		case i == len(block.Transactions):
			err = fmt.Errorf("%w: it has %d transactions, more were published", ErrMismatch, i)
		case !sameHex(tx, block.Transactions[i]):
			err = fmt.Errorf("%w: another transaction at place %d", ErrMismatch, i)
		}
		i++
		return err == nil
	})
	return err
}

// Equal checks that a block consists of the prefix's transactions and no others, as a rebuilt one must.
// Error: ErrMismatch.
func (p *Prefix) Equal(block *Payload) error {
	txs := p.Transactions()
	if len(txs) != len(block.Transactions) {
		return fmt.Errorf("%w: %d transactions instead of %d", ErrMismatch, len(block.Transactions), len(txs))
	}
	for i, tx := range txs {
		if !sameHex(tx, block.Transactions[i]) {
			return fmt.Errorf("%w: another transaction at place %d", ErrMismatch, i)
		}
	}
	return nil
}

// sameHex compares two hex strings whatever the case of their digits.
func sameHex(a, b []byte) bool {
	return bytes.Equal(a, b) || bytes.EqualFold(a, b)
}
