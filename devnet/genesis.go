// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"fmt"
	"maps"
	"math/big"

	"github.com/ethereum-optimism/optimism/op-core/forks"
	"github.com/ethereum-optimism/optimism/op-core/nuts/state"
	"github.com/ethereum-optimism/optimism/op-core/predeploys"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
)

// Chain ids of a devnet. The L2's is the one that the predeploys were made for: Permit2 holds it, and
// a domain separator that depends on it, in its code.
const (
	L1ChainID = 900
	L2ChainID = 901
)

// EIP-1559 parameters of the L2, those of OP mainnet.
const (
	eip1559Denominator = 250
	eip1559Elasticity  = 6
	l1GasLimit         = 30_000_000
)

// predeployCount is the size of the namespace 0x4200…0000 to 07ff that a real genesis fills with
// proxies. Fork upgrades call these addresses: where no proxy is, they succeed and change nothing.
const predeployCount = 2048

// proxyAdminSlot is where a predeploy proxy keeps its admin (EIP-1967).
var proxyAdminSlot = common.HexToHash("0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103")

// funds is what every account of a devnet owns at genesis, in wei, and in units of the token.
var funds = new(big.Int).Mul(big.NewInt(1_000_000), big.NewInt(params.Ether))

// l1Genesis returns the genesis of the L1: Prague from the start, the two event emitters, and funds
// for the batcher and the users. Time is in Unix seconds.
func l1Genesis(keys accounts, time uint64) *core.Genesis {
	alloc := types.GenesisAlloc{
		params.BeaconRootsAddress:        {Nonce: 1, Code: params.BeaconRootsCode, Balance: new(big.Int)},
		params.HistoryStorageAddress:     {Nonce: 1, Code: params.HistoryStorageCode, Balance: new(big.Int)},
		params.WithdrawalQueueAddress:    {Nonce: 1, Code: params.WithdrawalQueueCode, Balance: new(big.Int)},
		params.ConsolidationQueueAddress: {Nonce: 1, Code: params.ConsolidationQueueCode, Balance: new(big.Int)},
		portalAddr:                       {Nonce: 1, Code: portalCode(), Balance: new(big.Int)},
		systemConfigAddr: {Nonce: 1, Code: systemConfigCode(), Balance: new(big.Int), Storage: map[common.Hash]common.Hash{
			unsafeBlockSignerSlot: common.BytesToHash(keys.sequencer.addr.Bytes()),
		}},
		keys.batcher.addr: {Balance: funds},
	}
	for _, user := range keys.users {
		alloc[user.addr] = types.Account{Balance: funds}
	}
	return &core.Genesis{
		Config:     l1ChainConfig(),
		Timestamp:  time,
		GasLimit:   l1GasLimit,
		BaseFee:    big.NewInt(params.InitialBaseFee),
		Difficulty: new(big.Int),
		Alloc:      alloc,
	}
}

// l1ChainConfig returns an L1 with every fork up to Prague active at genesis.
func l1ChainConfig() *params.ChainConfig {
	zero := uint64(0)
	config := baseChainConfig(L1ChainID)
	config.ShanghaiTime, config.CancunTime, config.PragueTime = &zero, &zero, &zero
	config.BlobScheduleConfig = &params.BlobScheduleConfig{
		Cancun: params.DefaultCancunBlobConfig,
		Prague: params.DefaultPragueBlobConfig,
	}
	return config
}

// l2ChainConfig returns an OP Stack chain with every fork up to Jovian active at genesis.
func l2ChainConfig() *params.ChainConfig {
	var (
		zero   = uint64(0)
		canyon = uint64(eip1559Denominator)
		config = baseChainConfig(L2ChainID)
	)
	config.ShanghaiTime, config.CancunTime, config.PragueTime = &zero, &zero, &zero
	config.BedrockBlock = new(big.Int)
	config.RegolithTime, config.CanyonTime, config.EcotoneTime, config.FjordTime = &zero, &zero, &zero, &zero
	config.GraniteTime, config.HoloceneTime, config.IsthmusTime, config.JovianTime = &zero, &zero, &zero, &zero
	config.Optimism = &params.OptimismConfig{
		EIP1559Elasticity:        eip1559Elasticity,
		EIP1559Denominator:       50,
		EIP1559DenominatorCanyon: &canyon,
	}
	return config
}

// baseChainConfig returns a proof-of-stake chain with every block-numbered fork active at genesis.
func baseChainConfig(chainID int64) *params.ChainConfig {
	return &params.ChainConfig{
		ChainID:                 big.NewInt(chainID),
		HomesteadBlock:          new(big.Int),
		EIP150Block:             new(big.Int),
		EIP155Block:             new(big.Int),
		EIP158Block:             new(big.Int),
		ByzantiumBlock:          new(big.Int),
		ConstantinopleBlock:     new(big.Int),
		PetersburgBlock:         new(big.Int),
		IstanbulBlock:           new(big.Int),
		MuirGlacierBlock:        new(big.Int),
		BerlinBlock:             new(big.Int),
		LondonBlock:             new(big.Int),
		ArrowGlacierBlock:       new(big.Int),
		GrayGlacierBlock:        new(big.Int),
		MergeNetsplitBlock:      new(big.Int),
		TerminalTotalDifficulty: new(big.Int),
	}
}

// l2Genesis returns the genesis of the L2: the real predeploys as they stand under Jovian, a proxy at
// every other predeploy address, the token and the funded accounts. Time is in Unix seconds.
func l2Genesis(keys accounts, time, gasLimit uint64) (*core.Genesis, error) {
	alloc, err := predeployAlloc()
	if err != nil {
		return nil, err
	}
	alloc[params.BeaconRootsAddress] = types.Account{Nonce: 1, Code: params.BeaconRootsCode, Balance: new(big.Int)}
	alloc[params.HistoryStorageAddress] = types.Account{Nonce: 1, Code: params.HistoryStorageCode, Balance: new(big.Int)}

	token := types.Account{Nonce: 1, Code: tokenCode(), Balance: new(big.Int), Storage: make(map[common.Hash]common.Hash)}
	for _, holder := range append(append([]account(nil), keys.users...), keys.load...) {
		alloc[holder.addr] = types.Account{Balance: funds}
		token.Storage[common.BytesToHash(holder.addr.Bytes())] = common.BigToHash(funds)
	}
	alloc[tokenAddr] = token

	return &core.Genesis{
		Config:     l2ChainConfig(),
		Timestamp:  time,
		ExtraData:  eip1559.EncodeJovianExtraData(eip1559Denominator, eip1559Elasticity, 0),
		GasLimit:   gasLimit,
		BaseFee:    big.NewInt(params.InitialBaseFee),
		Difficulty: new(big.Int),
		Alloc:      alloc,
	}, nil
}

// predeployAlloc returns the predeploys of a Jovian chain, proxies at unused addresses included.
func predeployAlloc() (types.GenesisAlloc, error) {
	frozen, err := state.PreForkState(forks.Karst)
	if err != nil {
		return nil, fmt.Errorf("load the predeploys of a Jovian chain: %w", err)
	}
	alloc := maps.Clone(frozen)
	for addr, entry := range alloc {
		if entry.Balance == nil {
			entry.Balance = new(big.Int)
			alloc[addr] = entry
		}
	}
	proxy := alloc[predeploys.L2CrossDomainMessengerAddr].Code
	if len(proxy) == 0 {
		return nil, fmt.Errorf("the predeploy %s has no proxy code to copy", predeploys.L2CrossDomainMessengerAddr)
	}
	first := predeploys.LegacyMessagePasserAddr.Big()
	for i := range int64(predeployCount) {
		addr := common.BigToAddress(new(big.Int).Add(first, big.NewInt(i)))
		if _, taken := alloc[addr]; taken || addr == predeploys.GovernanceTokenAddr {
			continue
		}
		alloc[addr] = types.Account{Code: proxy, Balance: new(big.Int), Storage: map[common.Hash]common.Hash{
			proxyAdminSlot: common.BytesToHash(predeploys.ProxyAdminAddr.Bytes()),
		}}
	}
	return alloc, nil
}
