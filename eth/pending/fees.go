// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	gethparams "github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
)

// feeHistory is what eth_feeHistory tells of consecutive blocks. The fees have one entry more than the
// rest, for the block behind.
type feeHistory struct {
	oldest       *big.Int
	rewards      [][]*big.Int
	fees         []*big.Int
	ratios       []float64
	blobFees     []*big.Int
	blobRatios   []float64
	knownRewards bool // rewards were asked for
}

// FeeHistory implements ethapi.Backend. Up to the block that the pending ones stand on it is told by the
// node's own oracle, which keeps what it has computed by number: pending blocks must not get into it.
func (b *Backend) FeeHistory(ctx context.Context, blocks uint64, last rpc.BlockNumber, percentiles []float64) (*big.Int, [][]*big.Int, []*big.Int, []float64, []*big.Int, []float64, error) {
	if last != rpc.PendingBlockNumber {
		return b.EthAPIBackend.FeeHistory(ctx, blocks, last, percentiles)
	}
	v := b.view(ctx)
	if v.snap == nil || blocks == 0 {
		return b.EthAPIBackend.FeeHistory(ctx, blocks, last, percentiles)
	}
	most := b.fees.MaxHeaderHistory
	if len(percentiles) > 0 {
		most = b.fees.MaxBlockHistory
	}
	blocks = min(blocks, max(most, 1))

	var (
		pending   = v.snap.Ancestors()
		base      = pending[0].Number() - 1
		canonical = max(blocks, uint64(len(pending))) - uint64(len(pending))
		h         = &feeHistory{knownRewards: len(percentiles) > 0}
		err       error
	)
	// With no canonical block to tell of, the oracle still judges the percentiles.
	h.oldest, h.rewards, h.fees, h.ratios, h.blobFees, h.blobRatios, err = b.EthAPIBackend.FeeHistory(ctx, max(canonical, 1), rpc.BlockNumber(base), percentiles)
	if b.chain.GetCanonicalHash(base) != pending[0].Header.ParentHash {
		// The chain was set back meanwhile, and pending is latest.
		return b.EthAPIBackend.FeeHistory(ctx, blocks, rpc.LatestBlockNumber, percentiles)
	}
	if err != nil {
		return new(big.Int), nil, nil, nil, nil, nil, err
	}
	if canonical == 0 || !h.reaches(base) {
		skipped := uint64(len(pending)) - min(blocks, uint64(len(pending)))
		pending = pending[skipped:]
		*h = feeHistory{oldest: new(big.Int).SetUint64(pending[0].Number()), knownRewards: h.knownRewards}
	}
	for _, s := range pending {
		v.appendFees(h, s, percentiles)
	}
	return h.oldest, h.rewards, h.fees, h.ratios, h.blobFees, h.blobRatios, nil
}

// reaches reports whether a history ends with a block. What a node that is not in full sync lacks is
// missing at the end.
func (h *feeHistory) reaches(number uint64) bool {
	n := uint64(len(h.ratios))
	return n > 0 && h.oldest.Uint64()+n == number+1
}

// appendFees appends what is known of a pending block, as op-geth's oracle computes it of a canonical one.
func (v *view) appendFees(h *feeHistory, s *overlay.Snapshot, percentiles []float64) {
	header := s.Header
	blobFee := new(big.Int)
	if header.ExcessBlobGas != nil {
		blobFee.SetUint64(gethparams.BlobTxMinBlobGasprice) // there are no blobs on an OP Stack chain
	}
	// What was said of the block behind the one before is said of this block itself.
	h.fees = append(h.fees[:len(h.ratios)], header.BaseFee, eip1559.CalcBaseFee(v.config, header, header.Time+1))
	h.blobFees = append(h.blobFees[:len(h.ratios)], blobFee, blobFee)
	h.ratios = append(h.ratios, float64(header.GasUsed)/float64(header.GasLimit))
	h.blobRatios = append(h.blobRatios, 0)
	if h.knownRewards {
		h.rewards = append(h.rewards, rewards(s, percentiles))
	}
}

// rewards returns the tips per gas at percentiles of a block's gas, its transactions in the order of their
// tips.
func rewards(s *overlay.Snapshot, percentiles []float64) []*big.Int {
	type paid struct {
		gas uint64
		tip *big.Int
	}
	out := make([]*big.Int, len(percentiles))
	if len(s.Txs) == 0 {
		for i := range out {
			out[i] = new(big.Int)
		}
		return out
	}
	list := make([]paid, len(s.Txs))
	for i, tx := range s.Txs {
		tip, _ := tx.EffectiveGasTip(s.Header.BaseFee) // negative for deposits, which pay nothing
		list[i] = paid{s.Receipts[i].GasUsed, tip}
	}
	slices.SortStableFunc(list, func(a, b paid) int { return a.tip.Cmp(b.tip) })
	at, sum := 0, list[0].gas
	for i, p := range percentiles {
		for threshold := uint64(float64(s.Header.GasUsed) * p / 100); sum < threshold && at < len(list)-1; {
			at++
			sum += list[at].gas
		}
		out[i] = list[at].tip
	}
	return out
}
