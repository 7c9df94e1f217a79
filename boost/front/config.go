// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package front is the sidecar's side towards op-node and all other callers: HTTP, who may call, how much they may send,
// and how bodies become calls and answers become bodies. What a call does, it does not know.
package front

import (
	"context"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/route"
)

// Routes answers the calls; *route.Router is one.
type Routes interface {
	// PassesOn reports whether a call is passed on and nothing else.
	PassesOn(req *jsonrpc.Request) bool

	// Forward passes on a body whose calls are all of that kind. take gets the reply.
	Forward(ctx context.Context, body *route.Body, take func(*backend.Reply)) error

	// Call answers one call. The answer to a notification is empty.
	Call(ctx context.Context, header http.Header, req *jsonrpc.Request) []byte
}

// Hold keeps back what the builder is to be told of the calls until their callers have their answers.
type Hold interface {
	Answered() // an answer has been sent
	Wake()     // the answer is sent later, with others: nothing is to be kept back for it
}

// Config configures a Server. Every field is required, unless it says otherwise.
type Config struct {
	Addr   string // TCP address
	Routes Routes
	Hold   Hold

	Probes   http.Handler // Answers the paths of package health; nil for 404
	Secret   []byte       // JWT secret that callers must know; nil for no check
	MaxBody  int64        // Longest request body in bytes, default 32 MiB
	MaxBatch int          // Longest answer to a batch with engine calls in it, default 64 MiB; any other batch has the execution layer's bound

	Metrics *metrics.Set
	Log     log.Logger
	Now     func() time.Time // Clock of the tokens
}

const (
	// defaultMaxBody holds the largest block that op-node's gossip carries (10 MiB of transactions), in
	// hex, and half as much again.
	defaultMaxBody = 32 << 20

	// defaultMaxBatch is more than op-geth's own bound for a batch, 25 MB.
	defaultMaxBatch = 64 << 20
)

func (c Config) withDefaults() Config {
	if c.MaxBody <= 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.MaxBatch <= 0 {
		c.MaxBatch = defaultMaxBatch
	}
	return c
}
