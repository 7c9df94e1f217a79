// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
)

// known are the methods with a label of their own. A client chooses the name of its method, so all
// others share one label.
var known = map[string]bool{
	"eth_blockNumber": true, "eth_call": true, "eth_chainId": true, "eth_estimateGas": true,
	"eth_gasPrice": true, "eth_getBalance": true, "eth_getBlockByHash": true, "eth_getBlockByNumber": true,
	"eth_getBlockReceipts": true, "eth_getLogs": true, "eth_getProof": true, "eth_getTransactionByHash": true,
	"eth_getTransactionCount": true, "eth_getTransactionReceipt": true, "eth_sendRawTransaction": true,
	"eth_sendRawTransactionConditional": true, "eth_syncing": true,
	"miner_setExtra": true, "miner_setGasLimit": true, "miner_setGasPrice": true, "miner_setMaxDASize": true,
	"engine_exchangeCapabilities": true, "engine_getClientVersionV1": true, "engine_signalSuperchainV1": true,
	"engine_getPayloadBodiesByHashV1": true, "engine_getPayloadBodiesByRangeV1": true,
	"engine_getBlobsV1": true, "engine_getBlobsV2": true,
}

func init() {
	for _, prefix := range []string{engineapi.NewPayload, engineapi.ForkchoiceUpdated, engineapi.GetPayload} {
		for version := '1'; version <= '6'; version++ {
			known[prefix+string(version)] = true
		}
	}
}

const otherMethods = "other"

func methodLabel(method string) string {
	if known[method] {
		return method
	}
	return otherMethods
}

// callMetrics are the latencies of a backend. Each pair of method and status gets its histogram when
// it first occurs.
type callMetrics struct {
	set     *metrics.Set
	backend string
	seen    sync.Map // callLabels to *metrics.Histogram
}

type callLabels struct{ method, status string }

func (m *callMetrics) observe(method, status string, took time.Duration) {
	key := callLabels{methodLabel(method), status}
	h, ok := m.seen.Load(key)
	if !ok {
		h, _ = m.seen.LoadOrStore(key, m.set.GetOrCreateHistogram(fmt.Sprintf(
			`rollup_boost_backend_request_duration_seconds{backend=%q,method=%q,status=%q}`, m.backend, key.method, status)))
	}
	if h, ok := h.(*metrics.Histogram); ok {
		h.Update(took.Seconds())
	}
}

// queueMetrics are the figures of a queue.
type queueMetrics struct {
	set  *metrics.Set
	name string
	wait *metrics.Histogram // Seconds from Submit to the call
}

func newQueueMetrics(set *metrics.Set, name string, length func() float64) *queueMetrics {
	label := fmt.Sprintf("{queue=%q}", name)
	set.GetOrCreateGauge("rollup_boost_queue_length"+label, length)
	return &queueMetrics{
		set:  set,
		name: name,
		wait: set.GetOrCreateHistogram("rollup_boost_queue_wait_seconds" + label),
	}
}

// jobs counts the jobs of a kind by how they ended.
func (m *queueMetrics) jobs(kind Kind, outcome string) *metrics.Counter {
	return m.set.GetOrCreateCounter(fmt.Sprintf(`rollup_boost_queue_jobs_total{queue=%q,kind=%q,outcome=%q}`,
		m.name, strings.ToLower(kind.String()), outcome))
}
