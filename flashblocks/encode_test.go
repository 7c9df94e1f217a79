// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// The structs below describe the wire to encoding/json, independently of the encoder.
type (
	modelFlashblock struct {
		PayloadID engine.PayloadID `json:"payload_id"`
		Index     uint64           `json:"index"`
		Base      *modelBase       `json:"base,omitempty"`
		Diff      modelDiff        `json:"diff"`
		Metadata  any              `json:"metadata"`
	}
	modelBase struct {
		ParentBeaconBlockRoot *common.Hash   `json:"parent_beacon_block_root,omitempty"`
		ParentHash            common.Hash    `json:"parent_hash"`
		FeeRecipient          hexutil.Bytes  `json:"fee_recipient"`
		PrevRandao            common.Hash    `json:"prev_randao"`
		BlockNumber           hexutil.Uint64 `json:"block_number"`
		GasLimit              hexutil.Uint64 `json:"gas_limit"`
		Timestamp             hexutil.Uint64 `json:"timestamp"`
		ExtraData             hexutil.Bytes  `json:"extra_data"`
		BaseFeePerGas         *hexutil.U256  `json:"base_fee_per_gas"`
	}
	modelDiff struct {
		StateRoot       common.Hash         `json:"state_root"`
		ReceiptsRoot    common.Hash         `json:"receipts_root"`
		LogsBloom       types.Bloom         `json:"logs_bloom"`
		GasUsed         hexutil.Uint64      `json:"gas_used"`
		BlockHash       common.Hash         `json:"block_hash"`
		Transactions    []hexutil.Bytes     `json:"transactions"`
		Withdrawals     []*types.Withdrawal `json:"withdrawals"`
		WithdrawalsRoot common.Hash         `json:"withdrawals_root"`
		BlobGasUsed     *hexutil.Uint64     `json:"blob_gas_used,omitempty"`
		PostExecTx      *hexutil.Bytes      `json:"post_exec_tx,omitempty"`
	}
	modelFull struct {
		BlockNumber uint64                        `json:"block_number"`
		Balances    map[string]*hexutil.U256      `json:"new_account_balances"`
		Receipts    map[common.Hash]*modelReceipt `json:"receipts"`
	}
	modelTrimmed struct {
		BlockNumber uint64        `json:"block_number"`
		Prev        *FlashblockID `json:"prev_flashblock_id"`
	}
	modelReceipt struct {
		Type              hexutil.Uint64  `json:"type"`
		Status            hexutil.Uint64  `json:"status"`
		CumulativeGasUsed hexutil.Uint64  `json:"cumulativeGasUsed"`
		Logs              []modelLog      `json:"logs"`
		DepositNonce      *hexutil.Uint64 `json:"depositNonce,omitempty"`
		Version           *hexutil.Uint64 `json:"depositReceiptVersion,omitempty"`
	}
	modelLog struct {
		Address hexutil.Bytes `json:"address"`
		Topics  []common.Hash `json:"topics"`
		Data    hexutil.Bytes `json:"data"`
	}
)

func modelOf(fb *Flashblock) *modelFlashblock {
	m := &modelFlashblock{PayloadID: fb.PayloadID, Index: fb.Index}
	if b := fb.Base; b != nil {
		m.Base = &modelBase{
			ParentBeaconBlockRoot: b.ParentBeaconBlockRoot,
			ParentHash:            b.ParentHash,
			FeeRecipient:          b.FeeRecipient[:],
			PrevRandao:            b.PrevRandao,
			BlockNumber:           hexutil.Uint64(b.BlockNumber),
			GasLimit:              hexutil.Uint64(b.GasLimit),
			Timestamp:             hexutil.Uint64(b.Timestamp),
			ExtraData:             b.ExtraData,
			BaseFeePerGas:         (*hexutil.U256)(b.BaseFeePerGas),
		}
	}
	d := &fb.Diff
	m.Diff = modelDiff{
		StateRoot: d.StateRoot, ReceiptsRoot: d.ReceiptsRoot, LogsBloom: d.LogsBloom,
		GasUsed: hexutil.Uint64(d.GasUsed), BlockHash: d.BlockHash,
		Transactions: []hexutil.Bytes{}, Withdrawals: []*types.Withdrawal{}, WithdrawalsRoot: d.WithdrawalsRoot,
		BlobGasUsed: (*hexutil.Uint64)(d.BlobGasUsed),
	}
	for _, tx := range d.Transactions {
		m.Diff.Transactions = append(m.Diff.Transactions, tx)
	}
	m.Diff.Withdrawals = append(m.Diff.Withdrawals, d.Withdrawals...)
	if d.PostExecTx != nil {
		m.Diff.PostExecTx = (*hexutil.Bytes)(&d.PostExecTx)
	}
	m.Metadata = modelMetadata(&fb.Metadata)
	return m
}

func modelMetadata(m *Metadata) any {
	if m.Dialect == DialectTrimmed {
		return modelTrimmed{BlockNumber: m.BlockNumber, Prev: m.PrevFlashblockID}
	}
	full := modelFull{
		BlockNumber: m.BlockNumber,
		Balances:    map[string]*hexutil.U256{},
		Receipts:    map[common.Hash]*modelReceipt{},
	}
	for _, account := range m.NewAccountBalances {
		full.Balances[hexutil.Encode(account.Address[:])] = (*hexutil.U256)(account.Balance)
	}
	for _, entry := range m.Receipts {
		r := entry.Receipt
		receipt := &modelReceipt{
			Type: hexutil.Uint64(r.Type), Status: hexutil.Uint64(r.Status),
			CumulativeGasUsed: hexutil.Uint64(r.CumulativeGasUsed), Logs: []modelLog{},
			DepositNonce: (*hexutil.Uint64)(r.DepositNonce), Version: (*hexutil.Uint64)(r.DepositReceiptVersion),
		}
		for _, l := range r.Logs {
			receipt.Logs = append(receipt.Logs, modelLog{Address: l.Address[:], Topics: l.Topics, Data: l.Data})
		}
		full.Receipts[entry.TxHash] = receipt
	}
	return full
}

func TestAppendJSONEqualsEncodingJSON(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		fb := newGenerator(seed).flashblock(int(seed % 7))
		want, err := json.Marshal(modelOf(fb))
		require.NoError(t, err)
		got := fb.AppendJSON(nil)
		require.Equal(t, string(want), string(got), "seed %d", seed)
		require.LessOrEqual(t, len(got), fb.SizeHint(), "seed %d", seed)

		viaMarshal, err := json.Marshal(fb)
		require.NoError(t, err)
		require.Equal(t, string(want), string(viaMarshal), "seed %d", seed)
	}
}

func TestAppendJSONAppends(t *testing.T) {
	t.Parallel()
	fb := newGenerator(1).flashblock(3)
	require.Equal(t, "prefix"+string(fb.AppendJSON(nil)), string(fb.AppendJSON([]byte("prefix"))))
}

func TestAppendJSONLargestSizes(t *testing.T) {
	t.Parallel()
	// Every quantity at its longest must still fit the size hint.
	full := ^uint64(0)
	g := newGenerator(2)
	fb := g.full(3)
	fb.Index, fb.Metadata.BlockNumber = full, full
	root := g.hash()
	*fb.Base = Base{
		ParentBeaconBlockRoot: &root, BlockNumber: full, GasLimit: full, Timestamp: full,
		BaseFeePerGas: new(uint256.Int).SetAllOne(),
	}
	fb.Diff.GasUsed, fb.Diff.BlobGasUsed, fb.Diff.PostExecTx = full, &full, []byte{}
	fb.Diff.Withdrawals = []*types.Withdrawal{{Index: full, Validator: full, Amount: full}}
	for i := range fb.Metadata.NewAccountBalances {
		fb.Metadata.NewAccountBalances[i].Balance = new(uint256.Int).SetAllOne()
	}
	for _, r := range fb.Metadata.Receipts {
		r.Receipt.Type, r.Receipt.Status, r.Receipt.CumulativeGasUsed = types.DepositTxType, full, full
		r.Receipt.DepositNonce, r.Receipt.DepositReceiptVersion = &full, &full
		r.Receipt.Logs = []*types.Log{{Topics: make([]common.Hash, 4)}, {Topics: make([]common.Hash, 4)}}
	}
	require.LessOrEqual(t, len(fb.AppendJSON(nil)), fb.SizeHint())
}

func TestAppendJSONDoesNotAllocate(t *testing.T) {
	fb := newGenerator(3).full(150)
	buf := fb.AppendJSON(nil)
	allocs := testing.AllocsPerRun(10, func() { buf = fb.AppendJSON(buf[:0]) })
	require.Zero(t, allocs)
}

func TestEncodeToleratesNil(t *testing.T) {
	t.Parallel()
	fb := &Flashblock{Base: &Base{}}
	fb.Metadata.NewAccountBalances = []AccountBalance{{}}
	fb.Metadata.Receipts = []Receipt{{}, {Receipt: &types.Receipt{}}}
	out := fb.AppendJSON(nil)
	require.True(t, json.Valid(out), "%s", out)
	require.Contains(t, string(out), `"base_fee_per_gas":"0x0"`)
	require.Contains(t, string(out), `"transactions":[],"withdrawals":[],`)
	require.Contains(t, string(out), `"logs":[]`)
}

func BenchmarkEncode(b *testing.B) {
	fb := newGenerator(4).full(150)
	model := modelOf(fb)
	size := int64(len(fb.AppendJSON(nil)))

	b.Run("append", func(b *testing.B) {
		buf := fb.AppendJSON(nil)
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			buf = fb.AppendJSON(buf[:0])
		}
	})
	b.Run("append-fresh", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			_ = fb.AppendJSON(nil)
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		var buf bytes.Buffer
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			buf.Reset()
			require.NoError(b, json.NewEncoder(&buf).Encode(model))
		}
	})
	b.Run("hex-only", func(b *testing.B) {
		// The floor: the hex of as many bytes in one go.
		raw := newGenerator(5).bytes(int(size) / 2)
		buf := appendHexDigits(nil, raw)
		b.SetBytes(size)
		for b.Loop() {
			buf = appendHexDigits(buf[:0], raw)
		}
	})
}
