// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engineapi

import (
	"fmt"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// Span is what rollup-boost calls one kind of work for op-node. Each has a histogram of the time that it took,
// everything included.
type Span struct {
	Name   string
	Labels string // more labels, each with a comma before it
}

// ForkchoiceSpan is that of a forkchoice update by the method.
func ForkchoiceSpan(method string) Span {
	return Span{Name: "fork_choice_updated_v" + strings.TrimPrefix(method, ForkchoiceUpdated)}
}

// NewPayloadSpan is that of a block by the method.
func NewPayloadSpan(method string) Span {
	return Span{Name: "new_payload_v" + strings.TrimPrefix(method, NewPayload)}
}

// Observe meters a span that has ended. The error is for a call that got no answer.
func (s Span) Observe(set *metrics.Set, start, end time.Time, resp *jsonrpc.Response, err error) {
	status, code := "ok", ""
	switch {
	case err != nil:
		status = "error"
	case resp.Error != nil:
		status, code = "error", fmt.Sprintf(",code=\"%d\"", resp.Error.Code)
	}
	set.GetOrCreateHistogram(fmt.Sprintf("rollup_boost_%s_duration{span_kind=\"Server\",status=%q%s%s}", s.Name, status, code, s.Labels)).
		Update(end.Sub(start).Seconds())
}
