// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"errors"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// sequencerStub takes transactions as a sequencer does.
type sequencerStub struct{ refuses atomic.Bool }

// SendRawTransaction serves eth_sendRawTransaction.
func (s *sequencerStub) SendRawTransaction(hexutil.Bytes) (common.Hash, error) {
	if s.refuses.Load() {
		return common.Hash{}, errors.New("nonce too low")
	}
	return common.Hash{1}, nil
}

// A follower hands transactions on to the sequencer and keeps none. A wallet that sends several in a row
// nevertheless gets their nonces right, and one that the sequencer refuses does not count.
func TestNonceOfHandedOn(t *testing.T) {
	t.Parallel()
	stub, server := new(sequencerStub), rpc.NewServer()
	require.NoError(t, server.RegisterName("eth", stub))
	t.Cleanup(server.Stop)
	sequencer := httptest.NewServer(server)
	t.Cleanup(sequencer.Close)

	n := ethtest.NewNode(t, ethtest.Jovian, ethtest.Jovian.Genesis(), func(cfg *ethconfig.Config) {
		cfg.RollupSequencerHTTP, cfg.RollupDisableTxPoolAdmission = sequencer.URL, true
	})
	backend := serve(t, n)
	now := time.Unix(ethtest.GenesisTime, 0)
	backend.handed.now = func() time.Time { return now }
	n.Start()

	nonce := func() string { return n.Call("eth_getTransactionCount", ethtest.User, "pending").Result }
	txs := ethtest.LocalTxs(5)
	send := func(i int) answer {
		raw, err := txs[i].MarshalBinary()
		require.NoError(t, err)
		return n.Call("eth_sendRawTransaction", hexutil.Bytes(raw))
	}
	require.Equal(t, `"0x0"`, nonce())
	require.Empty(t, send(0).Error)
	require.Equal(t, `"0x1"`, nonce())
	require.Empty(t, send(1).Error)
	require.Equal(t, `"0x2"`, nonce())
	require.Empty(t, send(3).Error)
	require.Equal(t, `"0x2"`, nonce(), "there is a gap")
	stub.refuses.Store(true)
	require.Equal(t, "nonce too low", send(2).Error)
	require.Equal(t, `"0x2"`, nonce())
	stub.refuses.Store(false)
	require.Empty(t, send(2).Error)
	require.Equal(t, `"0x4"`, nonce())
	require.False(t, n.Eth.TxPool().Has(txs[0].Hash()), "nothing is kept")
	require.Equal(t, `"0x0"`, n.Call("eth_getTransactionCount", ethtest.User, "latest").Result)

	now = now.Add(handedTime)
	require.Equal(t, `"0x0"`, nonce(), "the sequencer has lost them")
}

func TestHandedOnIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Unix(ethtest.GenesisTime, 0)
	h := newHandedOn(func() time.Time { return now })
	for i := range uint64(3 * handedNonces) {
		h.add(ethtest.User, i)
	}
	got := h.nonces(ethtest.User)
	require.Len(t, got, handedNonces)
	require.EqualValues(t, 3*handedNonces-1, got[len(got)-1].nonce)
	for i := range handedAccounts + 10 {
		h.add(common.BytesToAddress([]byte{1, byte(i >> 16), byte(i >> 8), byte(i)}), 0)
	}
	require.Equal(t, handedAccounts, h.accounts.Len())
	require.Empty(t, h.nonces(ethtest.User), "the account of longest ago")
	now = now.Add(handedTime)
	h.add(ethtest.User, 7)
	require.Len(t, h.nonces(ethtest.User), 1)
}
