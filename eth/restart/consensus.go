// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"context"
	"sync"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/stateless"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/log"
)

// ConsensusAPI is op-geth's Engine API, which trusts that a block in the database has a state. Where one has not, it is
// made again if what is needed for that is there, and the answer is SYNCING until it is. What is answered VALID is in the
// journal first.
//
// Of a canonical block at or below the head VALID is the truth without a state: it was executed once.
type ConsensusAPI struct {
	*catalyst.ConsensusAPI

	chain   chain
	journal *journal
	remaker *remaker
	snap    func() bool // op-geth syncs the state from peers: none can be made meanwhile

	importing sync.Locker // held while a block that may be known is executed

	// decide refuses a forkchoice state before any of it is applied, its head being a block with a state.
	decide Decision
}

// chain is what the ConsensusAPI needs of the node's chain.
type chain interface {
	CurrentBlock() *types.Header
	CurrentSafeBlock() *types.Header
	CurrentFinalBlock() *types.Header
	GetBlockByHash(hash common.Hash) *types.Block
	GetCanonicalHash(number uint64) common.Hash
	HasState(root common.Hash) bool
	InsertBlockWithoutSetHead(ctx context.Context, block *types.Block, makeWitness bool) (*stateless.Witness, error)
	SetCanonical(head *types.Block) (common.Hash, error)
}

// ForkchoiceUpdatedV1 serves engine_forkchoiceUpdatedV1.
func (api *ConsensusAPI) ForkchoiceUpdatedV1(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoice(ctx, update, attrs, api.ConsensusAPI.ForkchoiceUpdatedV1)
}

// ForkchoiceUpdatedV2 serves engine_forkchoiceUpdatedV2.
func (api *ConsensusAPI) ForkchoiceUpdatedV2(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoice(ctx, update, attrs, api.ConsensusAPI.ForkchoiceUpdatedV2)
}

// ForkchoiceUpdatedV3 serves engine_forkchoiceUpdatedV3.
func (api *ConsensusAPI) ForkchoiceUpdatedV3(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoice(ctx, update, attrs, api.ConsensusAPI.ForkchoiceUpdatedV3)
}

// ForkchoiceUpdatedV4 serves engine_forkchoiceUpdatedV4.
func (api *ConsensusAPI) ForkchoiceUpdatedV4(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes, custody *types.CustodyBitmap) (engine.ForkChoiceResponse, error) {
	return api.forkchoice(ctx, update, attrs, func(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
		return api.ConsensusAPI.ForkchoiceUpdatedV4(ctx, update, attrs, custody)
	})
}

// ForkchoiceUpdatedWithWitnessV1 serves engine_forkchoiceUpdatedWithWitnessV1.
func (api *ConsensusAPI) ForkchoiceUpdatedWithWitnessV1(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoice(ctx, update, attrs, api.ConsensusAPI.ForkchoiceUpdatedWithWitnessV1)
}

// ForkchoiceUpdatedWithWitnessV2 serves engine_forkchoiceUpdatedWithWitnessV2.
func (api *ConsensusAPI) ForkchoiceUpdatedWithWitnessV2(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoice(ctx, update, attrs, api.ConsensusAPI.ForkchoiceUpdatedWithWitnessV2)
}

// ForkchoiceUpdatedWithWitnessV3 serves engine_forkchoiceUpdatedWithWitnessV3.
func (api *ConsensusAPI) ForkchoiceUpdatedWithWitnessV3(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes) (engine.ForkChoiceResponse, error) {
	return api.forkchoice(ctx, update, attrs, api.ConsensusAPI.ForkchoiceUpdatedWithWitnessV3)
}

// forkchoice has the head's state made if it is missing, and notes what op-geth's update has set.
func (api *ConsensusAPI) forkchoice(ctx context.Context, update engine.ForkchoiceStateV1, attrs *engine.PayloadAttributes,
	stock func(context.Context, engine.ForkchoiceStateV1, *engine.PayloadAttributes) (engine.ForkChoiceResponse, error),
) (engine.ForkChoiceResponse, error) {
	if head := api.chain.GetBlockByHash(update.HeadBlockHash); head != nil {
		err := api.decide(update)
		if !api.chain.HasState(head.Root()) && !api.remade(ctx, head, err == nil) {
			return engine.STATUS_SYNCING, nil
		}
		if err != nil {
			log.Warn("Refused the forkchoice", "head", update.HeadBlockHash, "safe", update.SafeBlockHash, "finalized", update.FinalizedBlockHash, "err", err)
			return engine.STATUS_INVALID, err
		}
		api.raise(head)
	}
	res, err := stock(ctx, update, attrs)
	if res.PayloadStatus.Status == engine.VALID { // beside an error as well: the head is set, the attributes are refused
		api.journal.noteForkchoice(currentForkchoice(api.chain))
	}
	return res, err
}

// remade has the state of a head made for a forkchoice that could be applied. It reports whether it is there.
func (api *ConsensusAPI) remade(ctx context.Context, head *types.Block, applicable bool) bool {
	return applicable && !api.snap() && api.remaker.await(ctx, head.Hash())
}

// raise sets a canonical block above the head as the head, which op-geth forgets. There is one if a crash came between
// the two writes.
func (api *ConsensusAPI) raise(head *types.Block) {
	number := head.NumberU64()
	if number <= api.chain.CurrentBlock().Number.Uint64() || api.chain.GetCanonicalHash(number) != head.Hash() {
		return
	}
	if _, err := api.chain.SetCanonical(head); err != nil {
		log.Error("Cannot set the head", "number", number, "hash", head.Hash(), "err", err)
	}
}

// payload has the state of a known block made before op-geth is asked, which answers VALID without one, and that of an
// unknown block's parent.
func (api *ConsensusAPI) payload(ctx context.Context, params *engine.ExecutableData, stock func() (engine.PayloadStatusV1, error)) (engine.PayloadStatusV1, error) {
	if known := api.chain.GetBlockByHash(params.BlockHash); known != nil {
		api.execute(ctx, known)
	} else if parent := api.chain.GetBlockByHash(params.ParentHash); parent != nil {
		api.execute(ctx, parent)
	}
	status, err := stock()
	if err != nil || status.Status != engine.VALID && status.Status != engine.ACCEPTED {
		return status, err
	}
	block := api.chain.GetBlockByHash(params.BlockHash)
	if block == nil || !api.settled(block) {
		return engine.PayloadStatusV1{Status: engine.SYNCING}, nil
	}
	if !api.canonical(block) {
		api.journal.noteBlock(block)
	}
	return status, nil
}

// execute makes the state of one block if its parent has one.
func (api *ConsensusAPI) execute(ctx context.Context, block *types.Block) {
	api.importing.Lock() // a known block with a state would become the head
	defer api.importing.Unlock()
	if api.settled(block) {
		return
	}
	parent := api.chain.GetBlockByHash(block.ParentHash())
	if parent == nil || !api.chain.HasState(parent.Root()) {
		return
	}
	if _, err := api.chain.InsertBlockWithoutSetHead(ctx, block, false); err != nil {
		log.Error("A block of the database cannot be executed", "number", block.Number(), "hash", block.Hash(), "err", err)
	}
}

// settled tells whether a block has its state, or has had it under the head of today.
func (api *ConsensusAPI) settled(block *types.Block) bool {
	return api.chain.HasState(block.Root()) || api.canonical(block) && api.chain.HasState(api.chain.CurrentBlock().Root)
}

// canonical tells whether a block is the head or an ancestor of it.
func (api *ConsensusAPI) canonical(block *types.Block) bool {
	return block.NumberU64() <= api.chain.CurrentBlock().Number.Uint64() && api.chain.GetCanonicalHash(block.NumberU64()) == block.Hash()
}

// currentForkchoice returns the heads of a chain.
func currentForkchoice(c interface {
	CurrentBlock() *types.Header
	CurrentSafeBlock() *types.Header
	CurrentFinalBlock() *types.Header
},
) forkchoice {
	h := forkchoice{head: c.CurrentBlock().Hash()}
	if safe := c.CurrentSafeBlock(); safe != nil {
		h.safe = safe.Hash()
	}
	if final := c.CurrentFinalBlock(); final != nil {
		h.finalized = final.Hash()
	}
	return h
}
