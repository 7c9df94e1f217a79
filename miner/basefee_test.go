// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// onChain is a node with another chain than the harness's.
type onChain struct {
	*harness
	chain *core.BlockChain
}

// BlockChain implements Backend.
func (c onChain) BlockChain() *core.BlockChain { return c.chain }

// On a genesis block without base fee parameters no block can stand. That is said, in every form, and nothing
// panics anywhere.
func TestGenesisWithoutParameters(t *testing.T) {
	t.Parallel()
	for _, f := range []fork{holocene, jovian} {
		for _, size := range []int{0, 5, 9, 17} {
			h := newHarness(t, harnessConfig{fork: f})
			h.genesis.ExtraData = make([]byte, size)
			chain := h.newChain()
			for _, publisher := range []Publisher{h.stream, nil} {
				config := h.builder.config
				config.Metrics, config.VMConfig = nil, nil
				b, err := New(onChain{h, chain}, config, publisher)
				require.NoError(t, err)
				for _, noTxPool := range []bool{false, true} {
					args := h.attributes(chain.CurrentBlock())
					args.NoTxPool = noTxPool
					_, err = b.BuildPayload(args, Options{})
					require.ErrorIs(t, err, errNoBaseFeeParams)
					require.NotErrorIs(t, err, ErrNotBuilt)
				}
				require.NoError(t, b.Stop())
			}
		}
	}
}

// Parameters after which no base fee could be computed are refused, and so is a foreign block with them, which
// op-geth alone would import and die of.
func TestUnusableParameters(t *testing.T) {
	t.Parallel()
	for _, f := range []fork{holocene, jovian} {
		s := newTimed(t, harnessConfig{fork: f})
		args := s.attributes(s.chain.CurrentBlock())
		bad := *args
		bad.EIP1559Params = []byte{0, 0, 0, 1, 2, 0, 0, 0}
		for _, noTxPool := range []bool{false, true} {
			bad.NoTxPool = noTxPool
			_, err := s.builder.BuildPayload(&bad, Options{})
			require.ErrorIs(t, err, errNoGasTarget)
		}

		good := s.begin(args)
		block := s.toBlock(good.end(), args)
		header := block.Header()
		copy(header.Extra[1:], bad.EIP1559Params)
		foreign := types.NewBlockWithHeader(header).WithBody(*block.Body())
		_, err := s.newChain().InsertBlockWithoutSetHead(t.Context(), foreign, false)
		require.NoError(t, err, "by the rules alone it is valid")

		header = block.Header()
		header.Time = math.MaxUint64
		last := types.NewBlockWithHeader(header).WithBody(*block.Body())

		guarded := s.newChain()
		guarded.SetBlockValidatorAndProcessorForTesting(NewValidator(guarded.Validator(), guarded.Config()), guarded.Processor())
		_, err = guarded.InsertBlockWithoutSetHead(t.Context(), foreign, false)
		require.ErrorIs(t, err, errNoGasTarget)
		require.Nil(t, guarded.GetBlockByHash(foreign.Hash()))
		_, err = guarded.InsertBlockWithoutSetHead(t.Context(), last, false)
		require.ErrorIs(t, err, errLastTimestamp)
		_, err = guarded.InsertBlockWithoutSetHead(t.Context(), block, false)
		require.NoError(t, err)
	}
}

// Where op-geth computes a base fee it is the same, and where op-geth panics, or computes one that no header has
// room for, there is an error.
func TestNextBaseFee(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(testseed.New(t), 0xba5e))
	pick := func(of ...uint64) uint64 { return of[rng.IntN(len(of))] }
	errs := make(map[error]int)
	for f := bedrock; f <= jovian; f++ {
		cfg := *newHarness(t, harnessConfig{fork: f}).chain.Config()
		for range 3_000 {
			op := *cfg.Optimism
			op.EIP1559Elasticity = pick(0, 1, 6, 1<<40)
			op.EIP1559Denominator = pick(0, 1, 50)
			if d := pick(0, 1, 250); d == 1 {
				op.EIP1559DenominatorCanyon = nil
			} else {
				op.EIP1559DenominatorCanyon = &d
			}
			config := cfg
			config.Optimism = &op
			parent := &types.Header{
				Number:   big.NewInt(7),
				Time:     uint64(rng.IntN(1_000)) + 2_000_000_000,
				GasLimit: pick(0, 1, 30_000_000, 1<<62),
				GasUsed:  pick(0, 1, 21_000, 15_000_000, 1<<62),
				BaseFee:  new(big.Int).Lsh(big.NewInt(1), uint(pick(0, 30, 200, 255, 256))),
				Extra:    make([]byte, pick(0, 5, 9, 17, 17)),
			}
			if len(parent.Extra) >= 9 {
				copy(parent.Extra[1:], eip1559.EncodeHolocene1559Params(pick(0, 1, 250, 1<<31), pick(0, 1, 6, 1<<31)))
			}
			if rng.IntN(4) > 0 {
				used := pick(0, 1, 40_000_000)
				parent.BlobGasUsed = &used
			}
			if rng.IntN(16) == 0 {
				parent.BaseFee = nil
			}
			have, err := nextBaseFee(&config, parent, parent.Time+2)
			want := theirBaseFee(func() *big.Int { return eip1559.CalcBaseFee(&config, parent, parent.Time+2) })
			if want == nil || want.BitLen() > 256 {
				require.Error(t, err)
				for _, known := range []error{errNoBaseFee, errNoBaseFeeParams, errNoGasTarget, errNoFootprint, errBaseFeeOverflow} {
					if err == known { //nolint:errorlint // these are returned as they are
						errs[known]++
					}
				}
				continue
			}
			if err != nil {
				// Only because the parent is on its target by chance does op-geth get by without dividing.
				require.True(t, errors.Is(err, errNoBaseFee) || errors.Is(err, errNoBaseFeeParams), "%v", err)
				require.Contains(t, []string{"<nil>", parent.BaseFee.String()}, want.String())
				continue
			}
			require.Equal(t, want.String(), have.String())
		}
	}
	require.Len(t, errs, 5, "every error was met: %v", errs)
}

// theirBaseFee is op-geth's result, nil if it panics.
func theirBaseFee(calc func() *big.Int) (fee *big.Int) {
	defer func() {
		if recover() != nil {
			fee = nil
		}
	}()
	return calc()
}
