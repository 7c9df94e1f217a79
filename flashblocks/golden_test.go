// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

var update = flag.Bool("update", false, "rewrite the golden files that the encoder is the source of")

func repeatedHash(b byte) common.Hash { return common.BytesToHash(bytes.Repeat([]byte{b}, 32)) }

func ptr[T any](v T) *T { return &v }

// goldenFlashblock is the flashblock that the golden cases vary: index 0 on Jovian with one deposit.
func goldenFlashblock() *Flashblock {
	return &Flashblock{
		PayloadID: engine.PayloadID{0x03, 0xc1, 0xd2, 0xe3, 0xf4, 0xa5, 0xb6, 0xc7},
		Base: &Base{
			ParentBeaconBlockRoot: ptr(repeatedHash(0x11)),
			ParentHash:            repeatedHash(0x22),
			FeeRecipient:          common.HexToAddress("0x4200000000000000000000000000000000000011"),
			PrevRandao:            repeatedHash(0x33),
			BlockNumber:           123456,
			GasLimit:              40_000_000,
			Timestamp:             0x69a0c0de,
			ExtraData:             common.FromHex("0x01000000fa000000060000000000000000"),
			BaseFeePerGas:         uint256.NewInt(1_000_000),
		},
		Diff: Diff{
			StateRoot:       repeatedHash(0x44),
			ReceiptsRoot:    repeatedHash(0x55),
			LogsBloom:       types.BytesToBloom([]byte{0x80, 0x01}),
			GasUsed:         0xb443,
			BlockHash:       repeatedHash(0x66),
			Transactions:    [][]byte{{0x7e, 0xf8, 0x01}},
			WithdrawalsRoot: repeatedHash(0x77),
			BlobGasUsed:     ptr(uint64(0)),
		},
		Metadata: Metadata{
			BlockNumber: 123456,
			NewAccountBalances: []AccountBalance{
				{Address: common.HexToAddress("0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001"), Balance: new(uint256.Int)},
				{Address: common.HexToAddress("0x00000000000000000000000000000000000000C0"), Balance: uint256.MustFromHex("0x123456789abcdef0fedcba9876543210f")},
			},
			Receipts: []Receipt{{TxHash: repeatedHash(0x88), Receipt: &types.Receipt{
				Type: types.DepositTxType, Status: 1, CumulativeGasUsed: 0xb443, Logs: []*types.Log{}, TxHash: repeatedHash(0x88),
				DepositNonce: ptr(uint64(0x1e23f)), DepositReceiptVersion: ptr(uint64(1)),
			}}},
		},
	}
}

// goldenUserFlashblock is a later index with two user transactions.
func goldenUserFlashblock() *Flashblock {
	fb := goldenFlashblock()
	fb.Index, fb.Base = 4, nil
	fb.Diff.Transactions = [][]byte{{0x02, 0xf8}, {0xf8, 0x6c}}
	fb.Diff.GasUsed = 0x3d090
	fb.Diff.BlobGasUsed = ptr(uint64(0x1c20))
	fb.Metadata.NewAccountBalances = nil
	fb.Metadata.Receipts = []Receipt{
		{TxHash: repeatedHash(0xaa), Receipt: &types.Receipt{
			Type: types.DynamicFeeTxType, Status: 1, CumulativeGasUsed: 0x2c000, TxHash: repeatedHash(0xaa),
			Logs: []*types.Log{{
				Address: common.HexToAddress("0x4200000000000000000000000000000000000006"),
				Topics:  []common.Hash{repeatedHash(0xab), repeatedHash(0xac)},
				Data:    []byte{0xde, 0xad},
			}},
		}},
		{TxHash: repeatedHash(0x0b), Receipt: &types.Receipt{
			Type: types.LegacyTxType, CumulativeGasUsed: 0x3d090, Logs: []*types.Log{}, TxHash: repeatedHash(0x0b),
		}},
	}
	return fb
}

func goldenTrimmed(prev *FlashblockID) *Flashblock {
	fb := goldenUserFlashblock()
	fb.Metadata = Metadata{BlockNumber: 123456, Dialect: DialectTrimmed, PrevFlashblockID: prev}
	return fb
}

// goldenCases maps the files of testdata/golden that are encoded and decoded to what they stand for.
func goldenCases() map[string]*Flashblock {
	preEcotone := goldenFlashblock()
	preEcotone.Base.ParentBeaconBlockRoot, preEcotone.Base.ExtraData = nil, []byte{}
	preEcotone.Diff.WithdrawalsRoot, preEcotone.Diff.BlobGasUsed = common.Hash{}, nil
	preEcotone.Metadata.Receipts[0].Receipt.DepositReceiptVersion = nil

	preJovian := goldenFlashblock()
	preJovian.Base.ExtraData = common.FromHex("0x00000000fa00000006")
	preJovian.Diff.BlobGasUsed = nil

	postExec := goldenUserFlashblock()
	postExec.Diff.PostExecTx = []byte{0x7d, 0x01, 0x02}

	deferred := goldenUserFlashblock()
	deferred.Diff.StateRoot, deferred.Diff.BlockHash, deferred.Diff.WithdrawalsRoot = common.Hash{}, common.Hash{}, common.Hash{}

	accessList := goldenUserFlashblock()
	accessList.Metadata = Metadata{
		BlockNumber: 123456, Dialect: DialectAccessList,
		Raw: []byte(`{"block_number":123456,"access_list":{"min_tx_index":1,"max_tx_index":2,"account_changes":[]}}`),
	}
	freeForm := goldenUserFlashblock()
	freeForm.Metadata = Metadata{Dialect: DialectOpaque, Raw: []byte(`{"note":["anything",{"at":"all"}]}`)}

	return map[string]*Flashblock{
		"index0-jovian.json":      goldenFlashblock(),
		"index4-jovian.json":      goldenUserFlashblock(),
		"index0-pre-jovian.json":  preJovian,
		"index0-pre-ecotone.json": preEcotone,
		"index4-post-exec.json":   postExec,
		"index4-deferred.json":    deferred,
		"trimmed.json":            goldenTrimmed(&FlashblockID{BlockNumber: 123456, Index: 3}),
		"trimmed-start.json":      goldenTrimmed(nil),
		"access-list.json":        accessList,
		"free-form.json":          freeForm,
	}
}

// readGolden returns a golden file without its last line break.
func readGolden(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "golden", name))
	require.NoError(t, err)
	return bytes.TrimSuffix(data, []byte("\n"))
}

// checkGolden compares encoded JSON with a golden file, or rewrites the file with -update.
func checkGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		line := append(bytes.Clone(got), '\n')
		require.NoError(t, os.WriteFile(filepath.Join("testdata", "golden", name), line, 0o600))
	}
	require.Equal(t, string(readGolden(t, name)), string(got))
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, fb := range goldenCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkGolden(t, name, fb.AppendJSON(nil))
			got, original, err := Decode(readGolden(t, name), Limits{})
			require.NoError(t, err)
			require.Equal(t, string(readGolden(t, name)), string(original))
			require.Equal(t, fb, got)
		})
	}
}

// The files below are written by hand after other producers; they decode to the same as our own form.
func TestGoldenDecodeOnly(t *testing.T) {
	t.Parallel()
	external := goldenUserFlashblock()
	external.Metadata.Receipts = append([]Receipt{{
		TxHash: repeatedHash(0x01), Receipt: &types.Receipt{
			Type: types.DepositTxType, Status: 1, CumulativeGasUsed: 0xb41c, Logs: []*types.Log{}, TxHash: repeatedHash(0x01),
			DepositNonce: ptr(uint64(0x1fe5d3f)), DepositReceiptVersion: ptr(uint64(1)),
		},
	}}, external.Metadata.Receipts...)
	nullBase := goldenUserFlashblock()
	nullBase.Metadata.Receipts = nil

	for name, want := range map[string]*Flashblock{
		"external-tagging.json": external,
		"null-base.json":        nullBase,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, original, err := Decode(readGolden(t, name), Limits{})
			require.NoError(t, err)
			require.Equal(t, string(readGolden(t, name)), string(original))
			require.Equal(t, want, got)
		})
	}
}
