// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// lane is a class of calls with connections of its own.
type lane struct {
	transport *http.Transport
	inFlight  atomic.Int64
	most      int64
}

// laneID numbers the lanes.
type laneID int

const (
	laneCritical   laneID = iota // newPayload, forkchoiceUpdated with attributes, getPayload
	laneForkchoice               // forkchoiceUpdated without attributes
	laneProxied                  // everything else
	lanes
)

// laneConns bounds the connections of a lane. The critical one needs a few: a validation, a getPayload
// and a build may run at the same time, each once more for a hung connection that is being given up.
var laneConns = [lanes]int{laneCritical: 8, laneForkchoice: 2, laneProxied: 64}

const (
	// waitersPerConn bounds what may wait for a connection. A backend slower than that is not helped
	// by more calls, and what waits is memory.
	waitersPerConn = 16

	// dialTimeout is for one attempt; the call's own timeout still counts.
	dialTimeout = 5 * time.Second

	// idleTimeout is below the 120 s after which op-geth closes an idle connection, so that it is us
	// who close, not the EL at the moment of a call.
	idleTimeout = 90 * time.Second
)

func newLanes() (out [lanes]*lane) {
	for id := range out {
		dialer := &net.Dialer{
			Timeout: dialTimeout,
			// A host that vanished without a word is found out while its connections idle, not by a call.
			KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: time.Second, Count: 3},
		}
		out[id] = &lane{
			most: int64(laneConns[id] * (1 + waitersPerConn)),
			transport: &http.Transport{
				DialContext:         dialer.DialContext,
				TLSHandshakeTimeout: dialTimeout,
				MaxConnsPerHost:     laneConns[id],
				MaxIdleConnsPerHost: laneConns[id],
				IdleConnTimeout:     idleTimeout,
				// Compressing a block costs an EL on the same machine or rack more than sending it.
				// What comes compressed nevertheless is decompressed.
				DisableCompression: true,
				WriteBufferSize:    4 << 10,
				ReadBufferSize:     32 << 10,
			},
		}
	}
	return out
}

// enter admits a call to the lane, leave ends it.
func (l *lane) enter() bool {
	if l.inFlight.Add(1) > l.most {
		l.inFlight.Add(-1)
		return false
	}
	return true
}

func (l *lane) leave() { l.inFlight.Add(-1) }

// laneOf chooses the lane of a call.
func laneOf(req *jsonrpc.Request) laneID {
	switch {
	case strings.HasPrefix(req.Method, engineapi.NewPayload), strings.HasPrefix(req.Method, engineapi.GetPayload):
		return laneCritical
	case strings.HasPrefix(req.Method, engineapi.ForkchoiceUpdated):
		if args, err := req.Args(); err == nil && len(args) > 1 && string(args[1]) != "null" {
			return laneCritical
		}
		return laneForkchoice
	default:
		return laneProxied
	}
}
