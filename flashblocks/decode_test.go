// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

func TestDecodeRoundTrip(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		want := newGenerator(seed).flashblock(int(seed % 5))
		encoded := want.AppendJSON(nil)
		frames := map[string][]byte{
			"plain":  encoded,
			"spaced": append([]byte(" \r\n\t"), encoded...),
		}
		if seed%20 == 0 {
			frames["brotli"] = compress(t, encoded)
		}
		for form, frame := range frames {
			got, original, err := Decode(frame, Limits{})
			require.NoError(t, err, "seed %d, %s", seed, form)
			require.Equal(t, want, got, "seed %d, %s", seed, form)
			require.Equal(t, string(encoded), strings.TrimSpace(string(original)), "seed %d, %s", seed, form)
		}
	}
}

// withMetadata returns a golden message of index 4 with other metadata.
func withMetadata(metadata string) string {
	return string((&Flashblock{
		PayloadID: goldenFlashblock().PayloadID, Index: 4, Diff: goldenUserFlashblock().Diff,
		Metadata: Metadata{Dialect: DialectOpaque, Raw: []byte(metadata)},
	}).AppendJSON(nil))
}

func TestDecodeMetadata(t *testing.T) {
	t.Parallel()
	const hash = `"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"`
	const body = `"status":"0x1","cumulativeGasUsed":"0x5208","logs":[]`
	tests := []struct {
		name     string
		metadata string
		dialect  Dialect
		number   uint64
		receipts []uint8 // types
		unknown  int
	}{
		{"full", `{"block_number":7,"new_account_balances":{},"receipts":{}}`, DialectFull, 7, nil, 0},
		{"full with null access list", `{"block_number":7,"new_account_balances":{},"receipts":{},"access_list":null}`, DialectFull, 7, nil, 0},
		{"full with predecessor", `{"prev_flashblock_id":{"index":3,"block_number":7},"receipts":{},"block_number":7}`, DialectFull, 7, nil, 0},
		{"hex block number", `{"block_number":"0x07","receipts":{}}`, DialectFull, 7, nil, 0},
		{"only balances", `{"block_number":7,"new_account_balances":{}}`, DialectFull, 7, nil, 0},
		{"null maps", `{"block_number":7,"new_account_balances":null,"receipts":null}`, DialectTrimmed, 7, nil, 0},
		{"access list", `{"block_number":7,"access_list":{"account_changes":[]}}`, DialectAccessList, 7, nil, 0},
		{"trimmed", `{"block_number":7,"prev_flashblock_id":{"block_number":7,"index":3}}`, DialectTrimmed, 7, nil, 0},
		{"trimmed, later key", `{"block_number":7,"prev_flashblock_id":null,"later":1}`, DialectTrimmed, 7, nil, 0},
		{"number alone", `{"block_number":7}`, DialectTrimmed, 7, nil, 0},
		{"free form with number", `{"block_number":7,"note":"x"}`, DialectOpaque, 7, nil, 0},
		{"free form", `{"note":"x"}`, DialectOpaque, 0, nil, 0},
		{"empty", `{}`, DialectOpaque, 0, nil, 0},
		{"null", `null`, DialectOpaque, 0, nil, 0},
		{"string", `"metadata"`, DialectOpaque, 0, nil, 0},
		{"receipts without number", `{"receipts":{}}`, DialectOpaque, 0, nil, 0},
		{"receipts of wrong kind", `{"receipts":[1],"block_number":7}`, DialectOpaque, 7, nil, 0},
		{"bad balance", `{"new_account_balances":{"0x00000000000000000000000000000000000000c0":"x"},"block_number":7}`, DialectOpaque, 7, nil, 0},
		{"bad account", `{"new_account_balances":{"0xc0":"0x0"},"block_number":7}`, DialectOpaque, 7, nil, 0},
		{"number twice", `{"block_number":7,"block_number":8,"receipts":{}}`, DialectOpaque, 0, nil, 0},
		{"negative number", `{"block_number":-7,"receipts":{}}`, DialectOpaque, 0, nil, 0},
		{"internal tag", `{"block_number":7,"receipts":{` + hash + `:{"type":"0x2",` + body + `}}}`, DialectFull, 7, []uint8{types.DynamicFeeTxType}, 0},
		{"internal tag at the end", `{"block_number":7,"receipts":{` + hash + `:{` + body + `,"type":"0x0"}}}`, DialectFull, 7, []uint8{types.LegacyTxType}, 0},
		{"unknown key in receipt", `{"block_number":7,"receipts":{` + hash + `:{"type":"0x4",` + body + `,"new":{"a":[]}}}}`, DialectFull, 7, []uint8{types.SetCodeTxType}, 0},
		{"external Legacy", `{"block_number":7,"receipts":{` + hash + `:{"Legacy":{` + body + `}}}}`, DialectFull, 7, []uint8{types.LegacyTxType}, 0},
		{"external Eip2930", `{"block_number":7,"receipts":{` + hash + `:{"Eip2930":{` + body + `}}}}`, DialectFull, 7, []uint8{types.AccessListTxType}, 0},
		{"external Eip1559", `{"block_number":7,"receipts":{` + hash + `:{"Eip1559":{` + body + `}}}}`, DialectFull, 7, []uint8{types.DynamicFeeTxType}, 0},
		{"external Eip7702", `{"block_number":7,"receipts":{` + hash + `:{"Eip7702":{` + body + `}}}}`, DialectFull, 7, []uint8{types.SetCodeTxType}, 0},
		{"external Deposit", `{"block_number":7,"receipts":{` + hash + `:{"Deposit":{` + body + `,"depositNonce":null}}}}`, DialectFull, 7, []uint8{types.DepositTxType}, 0},
		{"external PostExec", `{"block_number":7,"receipts":{` + hash + `:{"PostExec":{` + body + `}}}}`, DialectFull, 7, []uint8{types.PostExecTxType}, 0},
		{"unknown type", `{"block_number":7,"receipts":{` + hash + `:{"type":"0x55",` + body + `}}}`, DialectFull, 7, nil, 1},
		{"type beyond a byte", `{"block_number":7,"receipts":{` + hash + `:{"type":"0x102",` + body + `}}}`, DialectFull, 7, nil, 1},
		{"unknown variant", `{"block_number":7,"receipts":{` + hash + `:{"Eip9999":{` + body + `}}}}`, DialectFull, 7, nil, 1},
		{"two variants", `{"block_number":7,"receipts":{` + hash + `:{"Legacy":{` + body + `},"Eip1559":{}}}}`, DialectFull, 7, nil, 1},
		{"receipt of wrong kind", `{"block_number":7,"receipts":{` + hash + `:[[]]}}`, DialectFull, 7, nil, 1},
		{"bad hash", `{"block_number":7,"receipts":{"0x12":{"type":"0x2",` + body + `}}}`, DialectFull, 7, nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			message := withMetadata(tt.metadata)
			fb, original, err := Decode([]byte(message), Limits{})
			require.NoError(t, err)
			require.Equal(t, message, string(original))
			require.Equal(t, goldenUserFlashblock().Diff, fb.Diff)
			m := fb.Metadata
			require.Equal(t, tt.dialect, m.Dialect)
			require.Equal(t, tt.number, m.BlockNumber)
			require.Equal(t, tt.unknown, m.UnknownReceipts)
			require.Len(t, m.Receipts, len(tt.receipts))
			for i, kind := range tt.receipts {
				require.Equal(t, kind, m.Receipts[i].Receipt.Type)
				require.EqualValues(t, 21000, m.Receipts[i].Receipt.CumulativeGasUsed)
				require.Equal(t, types.ReceiptStatusSuccessful, m.Receipts[i].Receipt.Status)
			}
			if tt.dialect == DialectAccessList || tt.dialect == DialectOpaque {
				require.Equal(t, tt.metadata, string(m.Raw))
			}
		})
	}
}

func TestDecodeOrdersReceiptsByExecution(t *testing.T) {
	t.Parallel()
	fb := goldenUserFlashblock()
	receipts := fb.Metadata.Receipts
	fb.Metadata.Receipts = []Receipt{receipts[1], receipts[0]}
	got, _, err := Decode(fb.AppendJSON(nil), Limits{})
	require.NoError(t, err)
	require.Equal(t, receipts, got.Metadata.Receipts)
}

func TestDecodeTakesNumberFromBase(t *testing.T) {
	t.Parallel()
	fb := goldenFlashblock()
	fb.Metadata = Metadata{Dialect: DialectOpaque}
	got, _, err := Decode(fb.AppendJSON(nil), Limits{})
	require.NoError(t, err)
	require.Equal(t, FlashblockID{BlockNumber: 123456}, got.Position())
}

func TestDecodeLenient(t *testing.T) {
	t.Parallel()
	message := string(goldenFlashblock().AppendJSON(nil))
	tests := []struct {
		name     string
		old, new string
	}{
		{"white space", `,"diff":{`, " \n\t\r, \"diff\" : { "},
		{"escaped key", `"payload_id"`, `"payload\u005fid"`},
		{"escaped value", `"0xf4240"`, `"\u0030xf4240"`},
		{"leading zeros", `"0xf4240"`, `"0x00f4240"`},
		{"upper case hex", `"0xf4240"`, `"0XF4240"`},
		{"plain number", `"gas_limit":"0x2625a00"`, `"gas_limit":40000000`},
		{"plain base fee", `"0xf4240"`, `1000000`},
		{"index as quantity", `"index":0`, `"index":"0x0"`},
		{"no withdrawals", `"withdrawals":[],`, ``},
		{"null withdrawals", `"withdrawals":[]`, `"withdrawals":null`},
		{"unknown key", `"index":0`, `"parent_flash_hash":[{},[],"\"",-1.5e-7,true,false,null],"index":0`},
		{"unknown key in base", `"gas_limit"`, `"later":{"a":{}},"gas_limit"`},
		{"unknown key in diff", `"gas_used"`, `"later":"x","gas_used"`},
		{"unknown key twice", `"index":0`, `"x":1,"x":2,"index":0`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, message, tt.old)
			got, _, err := Decode([]byte(strings.Replace(message, tt.old, tt.new, 1)), Limits{})
			require.NoError(t, err)
			require.Equal(t, goldenFlashblock(), got)
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	message := string(goldenFlashblock().AppendJSON(nil))
	tests := []struct {
		name     string
		old, new string // in the golden message; old "" replaces all of it
		want     error
		say      string // part of the text
	}{
		{"cut off", `"0x1"}}}}`, `"0x1"`, ErrMalformed, ""},
		{"trailing data", `"0x1"}}}}`, `"0x1"}}}} {}`, ErrMalformed, "trailing"},
		{"not UTF-8", `"index":0`, "\"x\":\"\xff\",\"index\":0", ErrMalformed, "UTF-8"},
		{"control character", `"index":0`, "\"x\":\"\n\",\"index\":0", ErrMalformed, "control"},
		{"bad escape", `"index":0`, `"x":"\q","index":0`, nil, ""},
		{"bad literal", `"index":0`, `"x":nil,"index":0`, ErrMalformed, ""},
		{"bad number", `"index":0`, `"x":01,"index":0`, ErrMalformed, ""},
		{"missing colon", `"index":0`, `"index" 0`, ErrMalformed, ""},
		{"missing comma", `,"diff"`, `"diff"`, ErrMalformed, ""},
		{"trailing comma", `"0x1"}}}}`, `"0x1"}}},}`, ErrMalformed, ""},
		{"deep nesting", `"index":0`, `"x":` + strings.Repeat("[", 100_000) + `,"index":0`, ErrMalformed, "nested"},
		{"bad metadata", `"new_account_balances":{`, `"new_account_balances":{{`, ErrMalformed, ""},
		{"empty object", "", `{}`, ErrMissingField, "payload_id"},
		{"no diff", "", `{"payload_id":"0x0000000000000000","index":0,"metadata":{}}`, ErrMissingField, "diff"},
		{"no gas used", `"gas_used":"0xb443",`, ``, ErrMissingField, "diff: "},
		{"no base fee", `,"base_fee_per_gas":"0xf4240"`, ``, ErrMissingField, "base_fee_per_gas"},
		{"index twice", `"index":0`, `"index":0,"index":1`, ErrDuplicateField, "index"},
		{"transactions twice", `"transactions":[`, `"transactions":[],"transactions":[`, ErrDuplicateField, "transactions"},
		{"gas limit twice", `"gas_limit"`, `"gas_limit":1,"gas_limit"`, ErrDuplicateField, "gas_limit"},
		{"short payload id", `0x03c1d2e3f4a5b6c7`, `0x03c1d2e3f4a5b6`, ErrInvalidField, "payload_id"},
		{"hex without prefix", `"0x7ef801"`, `"7ef801"`, ErrInvalidField, "transactions"},
		{"odd hex", `"0x7ef801"`, `"0x7ef80"`, ErrInvalidField, "transactions"},
		{"not hex", `"0x7ef801"`, `"0x7ef80g"`, ErrInvalidField, "transactions"},
		{"null transaction", `"0x7ef801"`, `null`, ErrMalformed, "transactions"},
		{"empty quantity", `"0xb443"`, `"0x"`, ErrInvalidField, "gas_used"},
		{"signed quantity", `"0xb443"`, `"0x-1"`, ErrInvalidField, "gas_used"},
		{"fraction", `"index":0`, `"index":0.5`, ErrInvalidField, "index"},
		{"quantity over 64 bits", `"0xb443"`, `"0x10000000000000000"`, ErrInvalidField, "gas_used"},
		{"base fee over 256 bits", `"0xf4240"`, `"0x1` + strings.Repeat("0", 64) + `"`, ErrInvalidField, "base_fee_per_gas"},
		{"short bloom", `"logs_bloom":"0x00`, `"logs_bloom":"0x`, ErrInvalidField, "logs_bloom"},
		{"numbers disagree", `"block_number":123456`, `"block_number":123457`, ErrBlockNumberMismatch, "123457"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			input := tt.new
			if tt.old != "" {
				require.Contains(t, message, tt.old)
				input = strings.Replace(message, tt.old, tt.new, 1)
			}
			_, _, err := Decode([]byte(input), Limits{})
			want := tt.want
			if want == nil {
				want = ErrMalformed
			}
			require.ErrorIs(t, err, want)
			require.ErrorContains(t, err, tt.say)
		})
	}
}

func TestDecodeWithdrawals(t *testing.T) {
	t.Parallel()
	fb := goldenUserFlashblock()
	fb.Diff.Withdrawals = []*types.Withdrawal{{Index: 1, Validator: 2, Address: common.Address{3}, Amount: 4}}
	encoded := string(fb.AppendJSON(nil))
	require.Contains(t, encoded, `"withdrawals":[{"index":"0x1","validatorIndex":"0x2","address":"0x03`)
	got, _, err := Decode([]byte(strings.Replace(encoded, `{"index":"0x1"`, `{"later":[],"index":"0x1"`, 1)), Limits{})
	require.NoError(t, err)
	require.Equal(t, fb, got)
}

func BenchmarkDecode(b *testing.B) {
	encoded := newGenerator(4).full(150).AppendJSON(nil)
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(encoded)))
		b.ReportAllocs()
		for b.Loop() {
			_, _, err := Decode(encoded, Limits{})
			require.NoError(b, err)
		}
	})
	b.Run("header", func(b *testing.B) {
		b.SetBytes(int64(len(encoded)))
		b.ReportAllocs()
		for b.Loop() {
			_, _, err := DecodeHeader(encoded, Limits{})
			require.NoError(b, err)
		}
	})
	compressed := compress(b, encoded)
	b.Run("brotli", func(b *testing.B) {
		b.SetBytes(int64(len(encoded)))
		b.ReportAllocs()
		for b.Loop() {
			_, err := Plain(compressed, Limits{})
			require.NoError(b, err)
		}
	})
}
