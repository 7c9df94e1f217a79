// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// generator makes random flashblocks that a round trip through JSON must not change.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator {
	return generator{rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))}
}

func (g generator) fill(dst []byte) {
	for i := range dst {
		dst[i] = byte(g.Uint32())
	}
}

func (g generator) bytes(n int) []byte {
	out := make([]byte, n)
	g.fill(out)
	return out
}

func (g generator) hash() (h common.Hash)       { g.fill(h[:]); return h }
func (g generator) address() (a common.Address) { g.fill(a[:]); return a }
func (g generator) coin() bool                  { return g.IntN(2) == 0 }

// uint64 favours the edges of every hex length.
func (g generator) uint64() uint64 { return g.Uint64() >> g.IntN(64) }

func (g generator) uint256() *uint256.Int {
	v := new(uint256.Int).SetBytes(g.bytes(g.IntN(33)))
	return v.Rsh(v, uint(g.IntN(8)))
}

func (g generator) optional() *uint64 {
	if g.coin() {
		return nil
	}
	v := g.uint64()
	return &v
}

func (g generator) flashblock(txs int) *Flashblock {
	fb := &Flashblock{Index: g.uint64(), Diff: g.diff(txs)}
	g.fill(fb.PayloadID[:])
	number := 1 + g.uint64()>>1
	if g.coin() {
		fb.Base = g.base(number)
	}
	fb.Metadata = g.metadata(number, txs)
	return fb
}

func (g generator) base(number uint64) *Base {
	b := &Base{
		ParentHash:    g.hash(),
		FeeRecipient:  g.address(),
		PrevRandao:    g.hash(),
		BlockNumber:   number,
		GasLimit:      g.uint64(),
		Timestamp:     g.uint64(),
		ExtraData:     g.bytes(g.IntN(33)),
		BaseFeePerGas: g.uint256(),
	}
	if g.coin() {
		root := g.hash()
		b.ParentBeaconBlockRoot = &root
	}
	return b
}

func (g generator) diff(txs int) Diff {
	d := Diff{
		StateRoot:       g.hash(),
		ReceiptsRoot:    g.hash(),
		GasUsed:         g.uint64(),
		BlockHash:       g.hash(),
		WithdrawalsRoot: g.hash(),
		BlobGasUsed:     g.optional(),
	}
	g.fill(d.LogsBloom[:])
	for range txs {
		d.Transactions = append(d.Transactions, g.bytes(g.IntN(400)))
	}
	for range g.IntN(3) {
		d.Withdrawals = append(d.Withdrawals, &types.Withdrawal{
			Index: g.uint64(), Validator: g.uint64(), Address: g.address(), Amount: g.uint64(),
		})
	}
	if g.IntN(4) == 0 {
		d.PostExecTx = g.bytes(g.IntN(100))
	}
	return d
}

func (g generator) metadata(number uint64, txs int) Metadata {
	m := Metadata{BlockNumber: number, Dialect: DialectFull}
	if g.IntN(3) == 0 {
		m.Dialect = DialectTrimmed
		if g.coin() {
			m.PrevFlashblockID = &FlashblockID{BlockNumber: g.uint64(), Index: g.uint64()}
		}
		return m
	}
	for range txs {
		m.NewAccountBalances = append(m.NewAccountBalances, AccountBalance{Address: g.address(), Balance: g.uint256()})
		m.Receipts = append(m.Receipts, Receipt{TxHash: g.hash()})
	}
	// encoding/json sorts maps by key, so the model of the encoder needs them sorted.
	slices.SortFunc(m.NewAccountBalances, func(a, b AccountBalance) int { return a.Address.Cmp(b.Address) })
	slices.SortFunc(m.Receipts, func(a, b Receipt) int { return a.TxHash.Cmp(b.TxHash) })
	for i := range m.Receipts {
		m.Receipts[i].Receipt = g.receipt(m.Receipts[i].TxHash, uint64(i+1)*21000)
	}
	return m
}

func (g generator) receipt(txHash common.Hash, cumulative uint64) *types.Receipt {
	kinds := []uint8{
		types.LegacyTxType, types.AccessListTxType, types.DynamicFeeTxType, types.SetCodeTxType, types.DepositTxType,
	}
	r := &types.Receipt{
		Type:              kinds[g.IntN(len(kinds))],
		Status:            g.Uint64() & 1,
		CumulativeGasUsed: cumulative,
		Logs:              []*types.Log{},
		TxHash:            txHash,
	}
	for range g.IntN(3) {
		l := &types.Log{Address: g.address(), Topics: []common.Hash{}, Data: g.bytes(g.IntN(100))}
		for range g.IntN(5) {
			l.Topics = append(l.Topics, g.hash())
		}
		r.Logs = append(r.Logs, l)
	}
	if r.Type == types.DepositTxType {
		r.DepositNonce, r.DepositReceiptVersion = g.optional(), g.optional()
	}
	return r
}

// full returns a flashblock as a busy builder sends it: every transaction with a receipt of one log.
func (g generator) full(txs int) *Flashblock {
	fb := g.flashblock(0)
	fb.Base = g.base(1000)
	fb.Metadata = Metadata{BlockNumber: 1000}
	for i := range txs {
		hash := g.hash()
		r := g.receipt(hash, uint64(i+1)*60000)
		r.Logs = []*types.Log{{
			Address: g.address(), Topics: []common.Hash{g.hash(), g.hash(), g.hash()}, Data: g.bytes(32),
		}}
		fb.Diff.Transactions = append(fb.Diff.Transactions, g.bytes(180))
		fb.Metadata.Receipts = append(fb.Metadata.Receipts, Receipt{TxHash: hash, Receipt: r})
		fb.Metadata.NewAccountBalances = append(fb.Metadata.NewAccountBalances,
			AccountBalance{Address: g.address(), Balance: g.uint256()},
			AccountBalance{Address: g.address(), Balance: g.uint256()})
	}
	return fb
}

func compress(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var out bytes.Buffer
	level := 5 // that of the proxies in use
	if len(data) > 1<<20 {
		level = 0
	}
	w := brotli.NewWriterLevel(&out, level)
	_, err := w.Write(data)
	require.NoError(tb, err)
	require.NoError(tb, w.Close())
	return out.Bytes()
}

// vector returns the messages of a recorded sequence, and the sequence itself.
func vector(tb testing.TB, name string) ([]json.RawMessage, []*Flashblock) {
	tb.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(tb, err)
	var messages []json.RawMessage
	require.NoError(tb, json.Unmarshal(file, &messages))
	fbs := make([]*Flashblock, len(messages))
	for i, message := range messages {
		fbs[i], _, err = Decode(message, Limits{})
		require.NoError(tb, err)
	}
	return messages, fbs
}

const (
	unichainVector = "unichain-sepolia-35535698.json"
	baseVector     = "base-sepolia-33439826.json"
)
