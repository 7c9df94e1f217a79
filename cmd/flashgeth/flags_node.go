// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
)

// The flags of the node by subject. Deprecated ones stay: geth still accepts them and says so.
var (
	// accountFlags: the keystore, hardware wallets and the external signer.
	accountFlags = []cli.Flag{
		utils.UnlockedAccountFlag,
		utils.PasswordFileFlag,
		utils.KeyStoreDirFlag,
		utils.ExternalSignerFlag,
		utils.NoUSBFlag,
		utils.USBFlag,
		utils.SmartCardDaemonPathFlag,
		utils.EnablePersonal,
		utils.LightKDFFlag,
	}

	// overrideFlags: fork times and the genesis given by hand.
	overrideFlags = []cli.Flag{
		utils.OverrideOsaka,
		utils.OverrideBPO1,
		utils.OverrideBPO2,
		utils.OverrideVerkle,
		utils.OverrideGenesisFlag,
		utils.OverrideOptimismCanyon,
		utils.OverrideOptimismEcotone,
		utils.OverrideOptimismFjord,
		utils.OverrideOptimismGranite,
		utils.OverrideOptimismHolocene,
		utils.OverrideOptimismIsthmus,
		utils.OverrideOptimismJovian,
		utils.OverrideOptimismKarst,
		utils.OverrideOptimismInterop,
	}

	// poolFlags: the transaction and the blob pool.
	poolFlags = []cli.Flag{
		utils.TxPoolLocalsFlag,
		utils.TxPoolNoLocalsFlag,
		utils.TxPoolJournalFlag,
		utils.TxPoolJournalRemotesFlag,
		utils.TxPoolRejournalFlag,
		utils.TxPoolPriceLimitFlag,
		utils.TxPoolPriceBumpFlag,
		utils.TxPoolAccountSlotsFlag,
		utils.TxPoolGlobalSlotsFlag,
		utils.TxPoolAccountQueueFlag,
		utils.TxPoolGlobalQueueFlag,
		utils.TxPoolLifetimeFlag,
		utils.TxPoolMaxTxGasLimitFlag,
		utils.BlobPoolDataDirFlag,
		utils.BlobPoolDataCapFlag,
		utils.BlobPoolPriceBumpFlag,
	}

	// historyFlags: how the node syncs and how much of the past it keeps.
	historyFlags = []cli.Flag{
		utils.MinFreeDiskSpaceFlag,
		utils.SyncModeFlag,
		utils.SyncTargetFlag,
		utils.ExitWhenSyncedFlag,
		utils.GCModeFlag,
		utils.SnapshotFlag,
		utils.TxLookupLimitFlag,
		utils.TransactionHistoryFlag,
		utils.ChainHistoryFlag,
		utils.LogHistoryFlag,
		utils.LogNoHistoryFlag,
		utils.LogExportCheckpointsFlag,
		utils.StateHistoryFlag,
		utils.TrienodeHistoryFlag,
		utils.TrienodeHistoryFullValueCheckpointFlag,
		utils.EthRequiredBlocksFlag,
		utils.LegacyWhitelistFlag,
	}

	// resourceFlags: memory, file handles and cryptography.
	resourceFlags = []cli.Flag{
		utils.CacheFlag,
		utils.CacheDatabaseFlag,
		utils.CacheTrieFlag,
		utils.CacheTrieJournalFlag,
		utils.CacheTrieRejournalFlag,
		utils.CacheGCFlag,
		utils.CacheSnapshotFlag,
		utils.CacheNoPrefetchFlag,
		utils.CachePreimagesFlag,
		utils.CacheLogSizeFlag,
		utils.FDLimitFlag,
		utils.CryptoKZGFlag,
	}

	// peerFlags: devp2p.
	peerFlags = []cli.Flag{
		utils.IdentityFlag,
		utils.BootnodesFlag,
		utils.ListenPortFlag,
		utils.DiscoveryPortFlag,
		utils.MaxPeersFlag,
		utils.MaxPendingPeersFlag,
		utils.NATFlag,
		utils.NoDiscoverFlag,
		utils.DiscoveryV4Flag,
		utils.DiscoveryV5Flag,
		utils.LegacyDiscoveryV5Flag,
		utils.NetrestrictFlag,
		utils.NodeKeyFileFlag,
		utils.NodeKeyHexFlag,
		utils.DNSDiscoveryFlag,
		utils.NetworkIdFlag,
		utils.EthStatsURLFlag,
	}

	// minerFlags: op-geth's own miner and the gas price oracle.
	minerFlags = []cli.Flag{
		utils.MiningEnabledFlag,
		utils.MinerGasLimitFlag,
		utils.MinerEffectiveGasLimitFlag,
		utils.MinerGasPriceFlag,
		utils.MinerEtherbaseFlag,
		utils.MinerExtraDataFlag,
		utils.MinerMaxBlobsFlag,
		utils.MinerRecommitIntervalFlag,
		utils.MinerPendingFeeRecipientFlag,
		utils.MinerNewPayloadTimeoutFlag,
		utils.GpoBlocksFlag,
		utils.GpoPercentileFlag,
		utils.GpoMaxGasPriceFlag,
		utils.GpoIgnoreGasPriceFlag,
		utils.GpoMinSuggestedPriorityFeeFlag,
	}

	// vmFlags: developer mode and the EVM.
	vmFlags = []cli.Flag{
		utils.DeveloperFlag,
		utils.DeveloperGasLimitFlag,
		utils.DeveloperPeriodFlag,
		utils.VMEnableDebugFlag,
		utils.VMTraceFlag,
		utils.VMTraceJsonConfigFlag,
		utils.VMWitnessStatsFlag,
		utils.VMStatelessSelfValidationFlag,
	}

	// rollupFlags: the OP Stack.
	rollupFlags = []cli.Flag{
		utils.RollupSequencerHTTPFlag,
		utils.RollupSequencerTxConditionalEnabledFlag,
		utils.RollupSequencerTxConditionalCostRateLimitFlag,
		utils.RollupHistoricalRPCFlag,
		utils.RollupHistoricalRPCTimeoutFlag,
		utils.RollupInteropRPCFlag,
		utils.RollupInteropMempoolFilteringFlag,
		utils.RollupTxPoolDisableGossipFlag,
		utils.RollupTxPoolNetrestrictFlag,
		utils.RollupTxPoolTrustedPeersOnlyFlag,
		utils.RollupTxPoolEnableAdmissionFlag,
		utils.RollupComputePendingBlock,
		utils.RollupHaltOnIncompatibleProtocolVersionFlag,
		utils.RollupSuperchainUpgradesFlag,
	}

	// beaconFlags: the light beacon client that can drive the node on L1.
	beaconFlags = []cli.Flag{
		utils.BeaconApiFlag,
		utils.BeaconApiHeaderFlag,
		utils.BeaconThresholdFlag,
		utils.BeaconNoFilterFlag,
		utils.BeaconConfigFlag,
		utils.BeaconGenesisRootFlag,
		utils.BeaconGenesisTimeFlag,
		utils.BeaconCheckpointFlag,
		utils.BeaconCheckpointFileFlag,
	}

	// legacyLogFlags: logging beyond debug.Flags.
	legacyLogFlags = []cli.Flag{
		utils.LogDebugFlag,
		utils.LogBacktraceAtFlag,
		utils.LogSlowBlockFlag,
	}
)
