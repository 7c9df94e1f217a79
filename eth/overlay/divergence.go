// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// Fields by which an execution here may differ from what the stream or the chain says.
const (
	fieldGasUsed      = "gas_used"
	fieldLogsBloom    = "logs_bloom"
	fieldReceiptsRoot = "receipts_root"
	fieldBlockHash    = "block_hash"
)

var divergenceFields = []string{fieldGasUsed, fieldLogsBloom, fieldReceiptsRoot, fieldBlockHash}

// outcome is what executing a block, or its beginning, gives, as headers and flashblocks tell it.
type outcome struct {
	gasUsed     uint64
	bloom       types.Bloom
	receiptRoot common.Hash
}

func outcomeOf(h *types.Header) outcome { return outcome{h.GasUsed, h.Bloom, h.ReceiptHash} }

func (s *Snapshot) outcome() outcome { return outcomeOf(s.Header) }

func (b *block) outcome() outcome { return outcome{b.gasUsed, b.bloom, b.receiptRoot} }

// differs names the first difference, empty if there is none.
func (o outcome) differs(from outcome) string {
	switch {
	case o.gasUsed != from.gasUsed:
		return fieldGasUsed
	case o.bloom != from.bloom:
		return fieldLogsBloom
	case o.receiptRoot != from.receiptRoot:
		return fieldReceiptsRoot
	}
	return ""
}

// divergence compares the execution with what the stream says of it, and names the first difference.
func (b *block) divergence() string {
	return b.outcome().differs(outcome{b.last.GasUsed, b.last.LogsBloom, b.last.ReceiptsRoot})
}

// hashable reports whether the stream has told the roots without which a block has no hash. Of what this node's
// builder executed, the builder has computed it.
func (b *block) hashable() bool {
	return b.root != nil && b.snapshot != nil && b.last.StateRoot != (common.Hash{})
}

// checkHash compares the hash of a block that the stream has completed with the one by which the next block
// names it. That costs a root of its transactions, once for a block, and nothing if roots are deferred.
func (p *Processor) checkHash(b *block, next *flashblocks.Base) {
	if b.hashable() && b.supports() && b.snapshot.Block().Hash() != next.ParentHash {
		p.diverges(b, b.snapshot.Index, fieldBlockHash)
	}
}

// diverges notes that an execution differs from what the stream says. It reports whether the block is withheld
// from there on.
func (p *Processor) diverges(b *block, index uint64, field string) bool {
	p.metrics.diverged[field].Inc()
	log.Warn("Execution of a flashblock differs from what the stream says", "number", b.number(), "index", index, "field", field)
	if !p.cfg.Strict {
		return false
	}
	b.broken = true
	p.conclude()
	p.interrupt(b)
	return true
}
