// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/eth/tracers"
	"github.com/ethereum/go-ethereum/graphql"
	"github.com/ethereum/go-ethereum/internal/ethapi"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/rpc"
)

// PendingConfig configures RegisterPending.
type PendingConfig struct {
	// Eth is the configuration the node's eth service was made with: log queries and fee estimates keep
	// the limits of its flags. Nil stands for op-geth's defaults.
	Eth *ethconfig.Config

	// GraphQL serves GraphQL over the pending state, with the CORS and virtual host settings of the
	// node's configuration. The node must not have a GraphQL service already.
	GraphQL bool
}

// RegisterPending makes every API of the node answer questions about "pending" from source. It has to be
// called after everything else that registers services of the eth and debug namespaces, because of two
// methods of one name the node serves the one registered last, and before the node starts.
func RegisterPending(stack *node.Node, ethereum *gethEth.Ethereum, cfg PendingConfig, source snapshots) (*Backend, error) {
	node := cfg.Eth
	if node == nil {
		node = &ethconfig.Defaults
	}
	b := newBackend(ethereum, source, node.GPO)
	logs := filters.NewFilterSystem(b, filters.Config{
		LogCacheSize:  node.FilterLogCacheSize,
		LogQueryLimit: node.LogQueryLimit,
		RangeLimit:    node.RangeLimit,
	})
	apis := pendingAPIs(b, logs, node)
	position, err := newPositionAPI(b, apis)
	if err != nil {
		return nil, err
	}
	stack.RegisterAPIs(append(apis, rpc.API{Namespace: "flashblocks", Service: position}))
	if cfg.GraphQL {
		if err := graphql.New(stack, newGraphQLBackend(b), logs, stack.Config().GraphQLCors, stack.Config().GraphQLVirtualHosts); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// pendingAPIs lists the services in the order they have to be registered in: the stock ones, on our
// backend where that is enough, then what they would get wrong.
func pendingAPIs(b *Backend, logs *filters.FilterSystem, cfg *ethconfig.Config) []rpc.API {
	apis := append(ethapi.GetAPIs(b), tracers.APIs(b.EthAPIBackend)...)
	return append(apis, []rpc.API{
		{Namespace: "eth", Service: newLogsAPI(b, logs, cfg)},
		{Namespace: "eth", Service: newPendingAPI(b)},
		{Namespace: "debug", Service: newPendingDebugAPI(b)},
		{Namespace: "op", Service: new(CapabilitiesAPI)},
	}...)
}
