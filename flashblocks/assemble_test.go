// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/trie"
)

// assembleVector runs a recorded sequence through the rules and assembles it.
func assembleVector(t *testing.T, name string) (*Payload, []*Flashblock) {
	t.Helper()
	_, fbs := vector(t, name)
	var s Sequence
	for _, fb := range fbs {
		require.Equal(t, Accepted, s.Add(fb).Outcome)
	}
	payload, err := s.Assemble(InferForks(s.Base(), &s.Last().Diff))
	require.NoError(t, err)
	require.Equal(t, Forks{Canyon: true, Ecotone: true, Isthmus: true}, payload.Forks)
	return payload, fbs
}

func TestAssembleUnichainSepolia(t *testing.T) {
	t.Parallel()
	payload, fbs := assembleVector(t, unichainVector)
	require.Len(t, fbs, 5)
	data := payload.Data
	require.EqualValues(t, 35535698, data.Number)
	require.Len(t, data.Transactions, 6)
	require.EqualValues(t, 0x32138, data.GasUsed)
	require.Equal(t, common.HexToHash("0x5615e4342d231c352438f0ba6a8f0f641459f67961961764b781a909969b28ad"), data.StateRoot)
	const want = "0xc463a3120c35268f610d969f5608b479332ef10953af77c7a6be806195831196"
	hash, err := payload.Hash()
	require.NoError(t, err)
	require.Equal(t, common.HexToHash(want), hash)
	require.Equal(t, hash, data.BlockHash)

	// op-geth itself agrees, and gets the same payload back out of the block.
	block, err := engine.ExecutableDataToBlock(*data, nil, payload.ParentBeaconBlockRoot, payload.Requests, types.IsthmusBlockConfig)
	require.NoError(t, err)
	require.Equal(t, data, engine.BlockToExecutableData(block, nil, nil, payload.Requests).ExecutionPayload)

	// The builder computed the hash of every prefix, too.
	for i, fb := range fbs {
		prefix, err := Assemble(fbs[:i+1], payload.Forks)
		require.NoError(t, err)
		hash, err := prefix.Hash()
		require.NoError(t, err)
		require.Equal(t, fb.Diff.BlockHash, hash)
	}
}

func TestAssembleBaseSepolia(t *testing.T) {
	t.Parallel()
	payload, fbs := assembleVector(t, baseVector)
	require.Len(t, fbs, 11)
	data := payload.Data
	require.EqualValues(t, 33439826, data.Number)
	require.Len(t, data.Transactions, 24)
	require.EqualValues(t, 0x49f43c, data.GasUsed)
	require.Equal(t, fbs[10].Diff.ReceiptsRoot, data.ReceiptsRoot)
	require.Equal(t, "0xaa280e93", data.ReceiptsRoot.Hex()[:10])
	require.Equal(t, "0x77b0fb16", data.WithdrawalsRoot.Hex()[:10])
	require.Zero(t, data.StateRoot)

	// Neither the claimed hash nor one computed without the state root is that of the sealed block.
	const sealed = "0x0c3c3ff081d8a5ea1239bfb8a0593f641154a06b783fa142809880e011cd6a3f"
	require.Equal(t, "0x2b440a26", data.BlockHash.Hex()[:10])
	require.NotEqual(t, common.HexToHash(sealed), data.BlockHash)
	hash, err := payload.Hash()
	require.NoError(t, err)
	require.NotEqual(t, common.HexToHash(sealed), hash)

	// The builder hashed the first flashblock with a zero state root, so that one can be checked.
	first, err := Assemble(fbs[:1], payload.Forks)
	require.NoError(t, err)
	hash, err = first.Hash()
	require.NoError(t, err)
	require.Equal(t, fbs[0].Diff.BlockHash, hash)
}

func TestSeal(t *testing.T) {
	t.Parallel()
	_, fbs := vector(t, unichainVector)
	last := &fbs[len(fbs)-1].Diff
	root, hash := last.StateRoot, last.BlockHash
	last.StateRoot, last.BlockHash = common.Hash{}, common.Hash{}
	payload, err := Assemble(fbs, Forks{Canyon: true, Ecotone: true, Isthmus: true})
	require.NoError(t, err)
	require.Zero(t, payload.Data.BlockHash)
	block, err := payload.Seal(root)
	require.NoError(t, err)
	require.Equal(t, hash, block.Hash())
	require.Equal(t, hash, payload.Data.BlockHash)
	require.Equal(t, root, payload.Data.StateRoot)

	payload.Data.Transactions = append(payload.Data.Transactions, []byte{0xff})
	_, err = payload.Seal(common.Hash{1})
	require.ErrorContains(t, err, "assemble block 35535698")
	require.Equal(t, root, payload.Data.StateRoot, "unchanged after a failure")
	_, err = payload.Hash()
	require.Error(t, err)
}

func TestAssembleForks(t *testing.T) {
	t.Parallel()
	root := common.Hash{9}
	tests := []struct {
		name  string
		forks Forks
		check func(t *testing.T, p *Payload, h *types.Header)
	}{
		{"Regolith", Forks{}, func(t *testing.T, p *Payload, h *types.Header) {
			t.Helper()
			require.Nil(t, p.Data.Withdrawals)
			require.Nil(t, h.WithdrawalsHash)
			require.Nil(t, h.BlobGasUsed)
		}},
		{"Canyon", Forks{Canyon: true}, func(t *testing.T, p *Payload, h *types.Header) {
			t.Helper()
			require.NotNil(t, p.Data.Withdrawals)
			require.Nil(t, p.Data.WithdrawalsRoot)
			require.Equal(t, types.EmptyWithdrawalsHash, *h.WithdrawalsHash)
			require.Nil(t, h.ParentBeaconRoot)
			require.Nil(t, h.ExcessBlobGas)
		}},
		{"Ecotone", Forks{Canyon: true, Ecotone: true}, func(t *testing.T, p *Payload, h *types.Header) {
			t.Helper()
			require.Equal(t, types.EmptyWithdrawalsHash, *h.WithdrawalsHash)
			require.Equal(t, repeatedHash(0x11), *h.ParentBeaconRoot)
			require.Zero(t, *h.ExcessBlobGas)
			require.Zero(t, *h.BlobGasUsed)
			require.Nil(t, p.Requests)
			require.Nil(t, h.RequestsHash)
		}},
		{"Isthmus", Forks{Canyon: true, Ecotone: true, Isthmus: true}, func(t *testing.T, p *Payload, h *types.Header) {
			t.Helper()
			require.Equal(t, root, *h.WithdrawalsHash)
			require.NotNil(t, p.Requests)
			require.Equal(t, types.EmptyRequestsHash, *h.RequestsHash)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fb := goldenFlashblock()
			fb.Diff.Transactions, fb.Diff.WithdrawalsRoot, fb.Diff.BlobGasUsed = nil, root, nil
			p, err := Assemble([]*Flashblock{fb}, tt.forks)
			require.NoError(t, err)
			block, err := p.Block()
			require.NoError(t, err)
			tt.check(t, p, block.Header())
			require.EqualValues(t, 1_000_000, block.BaseFee().Uint64())

			envelope := p.Envelope()
			require.Same(t, p.Data, envelope.ExecutionPayload)
			require.Zero(t, envelope.BlockValue.Sign())
			require.NotNil(t, envelope.BlobsBundle.Blobs)
			require.False(t, envelope.Override)
			require.Equal(t, p.Requests, envelope.Requests)
		})
	}
}

func TestAssembleUsesLastDiff(t *testing.T) {
	t.Parallel()
	postExec, err := types.NewTx(&types.PostExecTx{Data: []byte{1, 2}}).MarshalBinary()
	require.NoError(t, err)
	legacy, err := types.NewTx(&types.LegacyTx{Nonce: 1}).MarshalBinary()
	require.NoError(t, err)

	first := goldenFlashblock()
	first.Diff.Transactions = [][]byte{legacy}
	first.Diff.PostExecTx = []byte{0xff} // replaced by the last one
	second := goldenUserFlashblock()
	second.Index = 1
	second.Diff.Transactions = [][]byte{legacy, legacy}
	second.Diff.PostExecTx = postExec
	p, err := Assemble([]*Flashblock{first, second}, Forks{Canyon: true, Ecotone: true, Isthmus: true})
	require.NoError(t, err)
	require.Equal(t, [][]byte{legacy, legacy, legacy, postExec}, p.Data.Transactions)
	require.EqualValues(t, 0x1c20, *p.Data.BlobGasUsed)
	require.EqualValues(t, 0x3d090, p.Data.GasUsed)
	block, err := p.Block()
	require.NoError(t, err)
	require.EqualValues(t, types.PostExecTxType, block.Transactions()[3].Type())
	require.Equal(t, types.DeriveSha(block.Transactions(), trie.NewStackTrie(nil)), block.TxHash())
}

func TestAssembleErrors(t *testing.T) {
	t.Parallel()
	otherID := step(5, 2, 1)
	tests := []struct {
		name string
		fbs  []*Flashblock
		want error
	}{
		{"nothing", nil, ErrEmptySequence},
		{"no base", []*Flashblock{step(5, 1, 0, noBase)}, ErrBrokenSequence},
		{"starts late", []*Flashblock{step(5, 1, 1, strayBase)}, ErrBrokenSequence},
		{"hole", []*Flashblock{step(5, 1, 0), step(5, 1, 2)}, ErrBrokenSequence},
		{"two attempts", []*Flashblock{step(5, 1, 0), otherID}, ErrBrokenSequence},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Assemble(tt.fbs, Forks{})
			require.ErrorIs(t, err, tt.want)
		})
	}
	_, err := new(Sequence).Assemble(Forks{})
	require.ErrorIs(t, err, ErrEmptySequence)
}

func TestForksAt(t *testing.T) {
	t.Parallel()
	cfg := *params.OptimismTestConfig
	cfg.CanyonTime, cfg.EcotoneTime, cfg.IsthmusTime = ptr(uint64(10)), ptr(uint64(20)), ptr(uint64(30))
	require.Equal(t, Forks{}, ForksAt(&cfg, 9))
	require.Equal(t, Forks{Canyon: true}, ForksAt(&cfg, 10))
	require.Equal(t, Forks{Canyon: true, Ecotone: true}, ForksAt(&cfg, 20))
	require.Equal(t, Forks{Canyon: true, Ecotone: true, Isthmus: true}, ForksAt(&cfg, 30))
}

func TestInferForks(t *testing.T) {
	t.Parallel()
	with := &Base{ParentBeaconBlockRoot: new(common.Hash)}
	require.Equal(t, Forks{Canyon: true}, InferForks(&Base{}, &Diff{}))
	require.Equal(t, Forks{Canyon: true, Ecotone: true}, InferForks(with, &Diff{}))
	require.Equal(t, Forks{Canyon: true, Ecotone: true}, InferForks(with, &Diff{WithdrawalsRoot: types.EmptyWithdrawalsHash}))
	require.Equal(t, Forks{Canyon: true, Ecotone: true, Isthmus: true}, InferForks(with, &Diff{WithdrawalsRoot: common.Hash{1}}))
}
