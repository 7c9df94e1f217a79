// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"errors"
	"fmt"

	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/misc"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/types/interoptypes"
	"github.com/ethereum/go-ethereum/core/vm"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// environment is the block under construction as its execution sees it. It belongs to the goroutine of
// one job, except for cancel, which may be called from anywhere.
type environment struct {
	config  *gethparams.ChainConfig
	header  *types.Header // fixed fields; gas used and roots are not kept here
	baseFee *uint256.Int
	signer  types.Signer
	state   *recorder
	evm     *vm.EVM
	gasPool *core.GasPool

	parentRoot common.Hash   // state root of the parent
	storage    *storageRoots // nil until a transaction's conditions are to be checked

	footprintScalar uint64 // DA footprint per estimated byte, 0 before Jovian
	failsafe        func() bool

	used budget // by everything executed so far
	fees *uint256.Int

	txs      []*types.Transaction
	raws     [][]byte // EIP-2718 encodings of txs
	receipts []*types.Receipt
}

// openStates returns two states on root that share the cache of what they read: one to execute on and
// one to hash. wrap, if not nil, stands between the former and the database.
func openStates(chain *core.BlockChain, root common.Hash, wrap func(state.Reader) state.Reader) (exec, hash *state.StateDB, err error) {
	db := state.NewDatabase(chain.TrieDB(), chain.CodeDB()).WithSnapshot(chain.Snapshots())
	execReader, hashReader, err := db.ReadersWithCacheStats(root)
	if err != nil {
		return nil, nil, err
	}
	if wrap != nil {
		execReader = wrap(execReader)
	}
	if exec, err = state.NewWithReader(root, db, execReader); err != nil {
		return nil, nil, err
	}
	if hash, err = state.NewWithReader(root, db, hashReader); err != nil {
		return nil, nil, err
	}
	return exec, hash, nil
}

// newEnvironment runs everything that precedes the first transaction, of which l1Info will be the first,
// nil if there is none.
func newEnvironment(chain core.ChainContext, parent, header *types.Header, db *state.StateDB, l1Info *types.Transaction, vmConfig vm.Config) (*environment, error) {
	cfg := chain.Config()
	env := &environment{
		config:     cfg,
		header:     header,
		signer:     types.MakeSigner(cfg, header.Number, header.Time),
		state:      newRecorder(db),
		gasPool:    core.NewGasPool(header.GasLimit),
		failsafe:   func() bool { return false },
		used:       budget{size: uint64(header.Size())},
		parentRoot: parent.Root,
		fees:       new(uint256.Int),
	}
	if header.BaseFee != nil {
		env.baseFee = uint256.MustFromBig(header.BaseFee)
	}
	env.evm = vm.NewEVM(core.NewEVMBlockContext(header, chain, &header.Coinbase, cfg, env.state), env.state, cfg, vmConfig)
	var err error
	if env.footprintScalar, err = footprintScalar(cfg, parent, l1Info); err != nil {
		return nil, err
	}
	if header.ParentBeaconRoot != nil {
		core.ProcessBeaconBlockRoot(*header.ParentBeaconRoot, env.evm)
	}
	if cfg.IsPrague(header.Number, header.Time) {
		core.ProcessParentBlockHash(header.ParentHash, env.evm)
	}
	misc.EnsureCreate2Deployer(cfg, header.Time, env.state)
	return env, nil
}

// footprintScalar is the DA footprint per estimated byte of the block on parent, 0 before Jovian. It is read from
// the L1 attributes from the second Jovian block on (Jovian specification: the activation block still carries
// Isthmus attributes).
func footprintScalar(cfg *gethparams.ChainConfig, parent *types.Header, l1Info *types.Transaction) (uint64, error) {
	if !cfg.IsJovian(parent.Time) {
		return 0, nil
	}
	if l1Info == nil || !l1Info.IsDepositTx() {
		return 0, errMissingL1Attributes
	}
	scalar, err := types.ExtractDAFootprintGasScalar(l1Info.Data())
	return uint64(scalar), err
}

// err is why the state cannot be trusted: something could not be read. The EVM takes such a value for zero
// and goes on, so what was executed since must not be published.
func (env *environment) err() error {
	if err := env.state.Error(); err != nil {
		return fmt.Errorf("%w: %w", errUnreadableState, err)
	}
	return nil
}

// interrupted reports whether the execution was cancelled, after which the state is worthless.
func (env *environment) interrupted() bool { return env.evm.Cancelled() }

// cancel makes the running transaction fail and every later one too. The execution state is worthless
// afterwards.
func (env *environment) cancel() { env.evm.Cancel() }

// force executes the transactions of the payload attributes, which must all be valid.
func (env *environment) force(ctx context.Context, txs []*types.Transaction) error {
	for _, tx := range txs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := env.commit(tx, budget{}); err != nil {
			if unreadable := env.err(); unreadable != nil {
				return unreadable // and nothing is known of the transaction
			}
			from, _ := types.Sender(env.signer, tx)
			return fmt.Errorf("failed to force-include tx: %s type: %d sender: %s nonce: %d, err: %w", tx.Hash(), tx.Type(), from, tx.Nonce(), err)
		}
	}
	return env.err()
}

// commit executes tx and appends it to the block. On an error the state is as before, but for
// errInterrupted, after which it must not be used.
func (env *environment) commit(tx *types.Transaction, need budget) error {
	if tx.Type() == types.BlobTxType {
		return errBlobTransaction
	}
	if len(interoptypes.TxToInteropAccessList(tx)) > 0 && env.failsafe() {
		tx.SetRejected()
		return errFailsafe
	}
	if conditional := tx.Conditional(); conditional != nil {
		if env.storage == nil {
			env.storage = newStorageRoots(env.state, env.parentRoot)
		}
		if err := errors.Join(env.header.CheckTransactionConditional(conditional), env.storage.check(conditional)); err != nil {
			tx.SetRejected()
			return fmt.Errorf("%w: %w", errConditional, err)
		}
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return err
	}
	receipt, err := env.apply(tx)
	if err != nil {
		return err
	}
	env.txs = append(env.txs, tx)
	env.raws = append(env.raws, raw)
	env.receipts = append(env.receipts, receipt)
	env.used.size += tx.Size()
	env.used.gas = env.gasPool.Used()
	env.used.da += need.da
	env.used.footprint += need.footprint
	if need.footprint == 0 && env.footprintScalar != 0 && !tx.IsDepositTx() {
		env.used.footprint += tx.RollupCostData().EstimatedDASize().Uint64() * env.footprintScalar
	}
	env.addFee(tx, receipt.GasUsed)
	return nil
}

// apply executes tx, reverting state and gas pool if it is invalid.
func (env *environment) apply(tx *types.Transaction) (*types.Receipt, error) {
	msg, err := core.TransactionToMessage(tx, env.signer, env.header.BaseFee)
	if err != nil {
		return nil, err
	}
	var (
		snapshot = env.state.Snapshot()
		gas      = *env.gasPool
	)
	env.state.SetTxContext(tx.Hash(), len(env.txs))
	receipt, err := core.ApplyTransactionWithEVM(msg, env.gasPool, env.state.StateDB, env.header.Number, common.Hash{}, env.header.Time, tx, env.evm)
	if env.evm.Cancelled() {
		// A cancelled EVM ends a transaction early without an error, as if it had run to its end.
		return nil, errInterrupted
	}
	if err != nil {
		env.state.RevertToSnapshot(snapshot)
		env.gasPool.Set(&gas)
		return nil, err
	}
	return receipt, nil
}

// extend returns the block so far as a prefix that continues last. It costs as much as what is new.
func (env *environment) extend(last *prefix, receiptRoot *ListRoot) prefix {
	n := len(env.txs)
	p := prefix{
		indices:  last.indices,
		txs:      env.txs[:n:n],
		raws:     env.raws[:n:n],
		receipts: env.receipts[:n:n],
		used:     env.used,
		bloom:    last.bloom,
		fees:     *env.fees,
	}
	for _, receipt := range p.receipts[len(last.receipts):] {
		for i, b := range receipt.Bloom {
			p.bloom[i] |= b
		}
	}
	receiptRoot.Extend(types.Receipts(p.receipts))
	p.receipt = receiptRoot.Hash()
	return p
}

func (env *environment) addFee(tx *types.Transaction, gasUsed uint64) {
	if tx.IsDepositTx() {
		return
	}
	tip := effectiveTip(uint256.MustFromBig(tx.GasFeeCap()), uint256.MustFromBig(tx.GasTipCap()), env.baseFee)
	env.fees.Add(env.fees, tip.Mul(&tip, uint256.NewInt(gasUsed)))
}

// effectiveTip is min(tipCap, feeCap-baseFee), zero if the fee cap is below the base fee.
func effectiveTip(feeCap, tipCap, baseFee *uint256.Int) (tip uint256.Int) {
	if baseFee == nil {
		return *tipCap
	}
	if feeCap.Lt(baseFee) {
		return tip
	}
	tip.Sub(feeCap, baseFee)
	if tip.Gt(tipCap) {
		tip = *tipCap
	}
	return tip
}
