// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testleak"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

func TestMain(m *testing.M) { testleak.Main(m) }

const patience = teststream.Patience

// The block that every test request asks for.
const (
	testTime   = 1_700_000_000
	testNumber = 100
	depositTx  = "0x7e01"
)

var (
	testParent = common.HexToHash("0x11")
	testRandao = common.HexToHash("0x22")
	testBeacon = common.HexToHash("0x33")
	testFees   = common.HexToAddress("0x4200000000000000000000000000000000000011")
	testExtra  = common.FromHex("0x01000000fa000000060000000000000005")
)

// harness is a store whose publications are collected.
type harness struct {
	t     testing.TB
	store *Store
	set   *metrics.Set
	muted atomic.Bool // the mode does not allow publishing
	gaps  atomic.Int32

	mu  sync.Mutex
	out []stream.Message
}

func newHarness(t testing.TB, cfg Config) *harness {
	t.Helper()
	h := &harness{t: t, set: metrics.NewSet()}
	cfg.Metrics = h.set
	cfg.Publishing = func() bool { return !h.muted.Load() }
	cfg.Gap = func() { h.gaps.Add(1) }
	cfg.Publish = func(m stream.Message) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.out = append(h.out, m)
	}
	h.store = NewStore(cfg)
	return h
}

// published returns the v1 publications as "id/index", and the v0-only ones as their JSON.
func (h *harness) published() (list []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.out {
		if m.V1 == nil {
			list = append(list, string(m.V0()))
			continue
		}
		list = append(list, fmt.Sprintf("%d/%d", m.PayloadID[7], m.Index))
	}
	return list
}

// count is the value of a counter or of an integral gauge.
func (h *harness) count(name string) int {
	h.t.Helper()
	for _, known := range h.set.ListMetricNames() {
		if known == name {
			return int(h.set.GetOrCreateCounter(name).Get())
		}
	}
	h.t.Fatalf("there is no metric %s", name)
	return 0
}

const (
	extendErrors = "rollup_boost_flashblocks_service_extend_payload_errors"
	mismatches   = "rollup_boost_flashblocks_service_current_payload_id_mismatch"
	adopted      = "rollup_boost_flashblocks_service_pending_flashblocks_buffered"
	droppedEarly = "rollup_boost_flashblocks_service_pending_flashblocks_dropped"
	refusedLate  = "flashboost_flashblocks_refused_after_freeze_total"
)

// bound is a live round with the given local and builder ids.
func (h *harness) bound(local, builder byte) *Round {
	h.t.Helper()
	r := h.store.Begin(testRequest(h.t))
	require.Same(h.t, r, r.BindLocal(id(local)))
	r.BindBuilder(id(builder))
	return r
}

// add delivers flashblocks of a builder id by index, each with one transaction of its own.
func (h *harness) add(builder byte, indices ...uint64) {
	h.t.Helper()
	for _, index := range indices {
		h.store.Add(delivery(h.t, flashblock(builder, index).AppendJSON(nil)))
	}
}

func id(n byte) engine.PayloadID { return engine.PayloadID{0x03, 7: n} }

// testRequest is a Jovian request with one deposit.
func testRequest(t testing.TB) *Request {
	t.Helper()
	r, err := ParseRequest("engine_forkchoiceUpdatedV3", testParams())
	require.NoError(t, err)
	return r
}

func testParams() []json.RawMessage {
	return []json.RawMessage{
		json.RawMessage(fmt.Sprintf(`{"headBlockHash":%q,"safeBlockHash":%q,"finalizedBlockHash":%q,"future":1}`, testParent, testParent, testParent)),
		json.RawMessage(fmt.Sprintf(`{"timestamp":"0x%x","prevRandao":%q,"suggestedFeeRecipient":%q,"withdrawals":[],"parentBeaconBlockRoot":%q,`+
			`"transactions":[%q],"gasLimit":"0x1c9c380","eip1559Params":"0x000000fa00000006","minBaseFee":5,"someday":{"a":[1,"}"]}}`,
			testTime, testRandao, testFees, testBeacon, depositTx)),
	}
}

// flashblock is one that conforms to testRequest.
func flashblock(builder byte, index uint64) *flashblocks.Flashblock {
	fb := &flashblocks.Flashblock{
		PayloadID: id(builder), Index: index,
		Diff: flashblocks.Diff{
			GasUsed: 21000 * (index + 1), ReceiptsRoot: common.HexToHash("0x55"), WithdrawalsRoot: common.HexToHash("0x77"),
			BlobGasUsed: new(uint64), Transactions: [][]byte{tx(builder, index)},
		},
		Metadata: flashblocks.Metadata{BlockNumber: testNumber, Dialect: flashblocks.DialectFull},
	}
	if index == 0 {
		root := testBeacon
		fb.Base = &flashblocks.Base{
			ParentBeaconBlockRoot: &root, ParentHash: testParent, FeeRecipient: testFees, PrevRandao: testRandao,
			BlockNumber: testNumber, GasLimit: 30_000_000, Timestamp: testTime, ExtraData: testExtra, BaseFeePerGas: uint256.NewInt(1_000_000),
		}
		fb.Diff.Transactions = [][]byte{common.FromHex(depositTx)}
	}
	return fb
}

// tx is a transaction that tells where it came from.
func tx(builder byte, index uint64) []byte { return []byte{0x02, builder, byte(index)} }

func delivery(t testing.TB, text []byte) stream.Delivery {
	t.Helper()
	header, text, err := flashblocks.DecodeHeader(text, flashblocks.Limits{})
	require.NoError(t, err)
	return stream.Delivery{Header: header, JSON: text, Arrived: time.Unix(testTime, 0)}
}

// envelope is a prefix as a Payload.
func envelope(t testing.TB, p *Prefix) *Payload {
	t.Helper()
	result, err := p.Envelope(4)
	require.NoError(t, err)
	payload, err := ParsePayload(result)
	require.NoError(t, err)
	return payload
}
