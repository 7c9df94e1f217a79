// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/stateless"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	gethminer "github.com/ethereum/go-ethereum/miner"
	"github.com/ethereum/go-ethereum/rlp"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// reference is what op-geth's own miner builds of attributes without the pool.
func (h *harness) reference(args *gethminer.BuildPayloadArgs, witness bool) (*engine.ExecutionPayloadEnvelope, error) {
	h.t.Helper()
	exact := *args
	exact.NoTxPool = true
	payload, err := h.stock(time.Hour).BuildPayload(context.Background(), &exact, witness)
	if err != nil {
		return nil, err
	}
	return payload.ResolveFull(), nil
}

// requireSameEnvelope compares all of two answers but their witnesses.
func requireSameEnvelope(t testing.TB, want, have *engine.ExecutionPayloadEnvelope) {
	t.Helper()
	require.Equal(t, want.ExecutionPayload, have.ExecutionPayload)
	require.Equal(t, want.BlockValue.String(), have.BlockValue.String())
	require.Equal(t, want.Requests, have.Requests)
	require.Equal(t, want.BlobsBundle, have.BlobsBundle)
	require.Equal(t, want.ParentBeaconBlockRoot, have.ParentBeaconBlockRoot)
}

// fetch builds and fetches a payload.
func (h *harness) fetch(args *gethminer.BuildPayloadArgs, opts Options) *engine.ExecutionPayloadEnvelope {
	h.t.Helper()
	id, err := h.builder.BuildPayload(args, opts)
	require.NoError(h.t, err)
	require.Equal(h.t, args.Id(), id)
	envelope, err := h.builder.GetPayload(id)
	require.NoError(h.t, err)
	return envelope
}

// A payload without the pool is op-geth's to the last byte, is never streamed, and is imported from its sealed
// state.
func TestExact(t *testing.T) {
	t.Parallel()
	seed := int64(testseed.New(t))
	for f := bedrock; f <= jovian; f++ {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			s := newTimed(t, harnessConfig{fork: f, accounts: mixAccounts})
			plain := s.newChain()
			m, deploy := newMix(s.harness, seed+int64(f))
			for n := range 6 {
				args := m.attributes()
				args.NoTxPool = true
				if n == 0 {
					args.Transactions = append(args.Transactions, deploy...)
				} else {
					args.Transactions = append(args.Transactions, m.txs(20)...)
				}
				want, err := s.reference(args, false)
				if err != nil {
					_, have := s.builder.BuildPayload(args, Options{})
					require.EqualError(t, have, err.Error())
					args.Transactions = args.Transactions[:1]
					want, err = s.reference(args, false)
					require.NoError(t, err)
				}
				have := s.fetch(args, Options{})
				requireSameEnvelope(t, want, have)
				testchain.Insert(t, plain, s.insert(have, args))
				require.EqualValues(t, n+1, s.builder.metrics.reused.Get(), "imported from the sealed state")
			}
			require.Empty(t, s.stream.all())
			requireSameState(t, s.chain, plain)
		})
	}
}

// A payload that is complete stands for its attributes however often they come, and takes the place of what
// was under construction.
func TestExactIsComplete(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	live := s.begin(s.attributes(s.chain.CurrentBlock()))
	live.step()
	args := s.attributes(s.chain.CurrentBlock(), s.transfer(0, 0, 5))
	args.NoTxPool = true
	id, err := s.builder.BuildPayload(args, Options{})
	require.NoError(t, err)
	<-live.job.finished
	require.Nil(t, s.live())
	require.Equal(t, [][2]string{{live.id.String(), "reorg"}}, s.stream.notes(t))

	built := s.builder.find(id)
	again, err := s.builder.BuildPayload(args, Options{})
	require.NoError(t, err)
	require.Equal(t, id, again)
	require.Same(t, built, s.builder.find(id))
	first, err := s.builder.GetPayload(id)
	require.NoError(t, err)
	second, err := s.builder.GetPayload(id)
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.Len(t, first.ExecutionPayload.Transactions, 2)
}

// A panic, or a state that cannot be read, is not held against the attributes, and leaves what is under
// construction alone.
func TestExactFails(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	live := s.begin(s.attributes(s.chain.CurrentBlock()))
	args := s.attributes(s.chain.CurrentBlock())
	args.NoTxPool = true
	s.builder.hooks.beforeWhole = func() { panic("injected") }
	_, err := s.builder.BuildPayload(args, Options{})
	require.ErrorIs(t, err, ErrNotBuilt)
	s.builder.hooks.beforeWhole = nil
	require.Same(t, live.job, s.live())
	s.fetch(args, Options{})

	require.NoError(t, s.builder.Stop())
	_, err = s.builder.BuildPayload(args, Options{})
	require.ErrorIs(t, err, ErrStopped)
	require.ErrorIs(t, err, ErrNotBuilt)
	require.Empty(t, s.builder.jobs[0].best.Load())
}

// decodeWitness decodes the witness of an envelope.
func decodeWitness(t testing.TB, envelope *engine.ExecutionPayloadEnvelope) *stateless.Witness {
	t.Helper()
	require.NotNil(t, envelope.Witness)
	w := new(stateless.Witness)
	require.NoError(t, rlp.DecodeBytes(*envelope.Witness, w))
	return w
}

// The witness is op-geth's own, with the pool and without, and suffices to execute the block.
func TestWitness(t *testing.T) {
	t.Parallel()
	seed := int64(testseed.New(t))
	for _, f := range []fork{bedrock, ecotone, isthmus, jovian} {
		for _, noTxPool := range []bool{false, true} {
			t.Run(f.String(), func(t *testing.T) {
				t.Parallel()
				s := newTimed(t, harnessConfig{fork: f, accounts: mixAccounts})
				stock := s.stock(100 * msec)
				m, deploy := newMix(s.harness, seed+int64(f))
				m.strangers = true
				s.harness.send(deploy...)
				for range 3 {
					args := m.attributes()
					args.NoTxPool = noTxPool
					s.txpool.Add(m.txs(20), true)
					payload, err := stock.BuildPayload(t.Context(), args, true)
					require.NoError(t, err)
					if !noTxPool {
						payload.WaitFull()
					}
					want := payload.ResolveFull()
					slot := s.beginWhole(args, Options{Witness: true})
					have := slot.fetchWhole()
					requireSameEnvelope(t, want, have)
					theirs, ours := decodeWitness(t, want), decodeWitness(t, have)
					require.Equal(t, theirs.Headers, ours.Headers)
					require.Equal(t, theirs.Codes, ours.Codes)
					require.Equal(t, theirs.State, ours.State)

					block := s.toBlock(have, args)
					bare := block.Header()
					bare.Root, bare.ReceiptHash = common.Hash{}, common.Hash{}
					root, receipts, err := core.ExecuteStateless(t.Context(), s.chain.Config(), vm.Config{}, types.NewBlockWithHeader(bare).WithBody(*block.Body()), ours)
					require.NoError(t, err)
					require.Equal(t, block.Root(), root)
					require.Equal(t, block.ReceiptHash(), receipts)
					s.insert(have, args)
				}
				require.Zero(t, s.builder.metrics.reused.Get())
			})
		}
	}
}

// What the testing namespace builds is op-geth's: of given transactions, of none, and of the pool's.
func TestTestBlock(t *testing.T) {
	t.Parallel()
	for f := bedrock; f <= jovian; f++ {
		s := newTimed(t, harnessConfig{fork: f})
		s.harness.send(s.transfer(3, 0, 5), s.transfer(4, 0, 7))
		for _, extra := range [][]byte{{}, []byte("extra")} {
			for _, txs := range [][]*types.Transaction{nil, {}, {s.transfer(0, 0, 5), s.transfer(1, 0, 9)}, {s.transfer(0, 3, 5)}} {
				args := s.attributes(s.chain.CurrentBlock())
				args.Transactions, args.GasLimit, args.EIP1559Params, args.MinBaseFee = nil, nil, nil, nil
				args.Version = engine.PayloadV1
				want, wantErr := s.stock(time.Hour).BuildTestingPayload(args, txs, txs != nil && len(txs) == 0, extra)
				have, err := s.builder.BuildTestBlock(args, txs, extra)
				if wantErr != nil {
					require.EqualError(t, err, wantErr.Error())
					continue
				}
				require.NoError(t, err)
				requireSameEnvelope(t, want, have)
			}
		}
		require.Empty(t, s.builder.jobs)
		require.NoError(t, s.builder.Stop())
		_, err := s.builder.BuildTestBlock(s.attributes(s.chain.CurrentBlock()), nil, nil)
		require.ErrorIs(t, err, ErrStopped)
	}
}
