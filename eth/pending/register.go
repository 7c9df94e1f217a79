// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

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

// Register makes every API of the node answer questions about "pending" from the source. It has to be
// called after everything else that registers services of the eth and debug namespaces, because of two
// methods of one name the node serves the one registered last, and before the node starts.
func Register(stack *node.Node, ethereum *gethEth.Ethereum, cfg Config) (*Backend, error) {
	node := cfg.Eth
	if node == nil {
		node = &ethconfig.Defaults
	}
	b := newBackend(ethereum, cfg.Source, node.GPO)
	logs := filters.NewFilterSystem(b, filters.Config{
		LogCacheSize:  node.FilterLogCacheSize,
		LogQueryLimit: node.LogQueryLimit,
		RangeLimit:    node.RangeLimit,
	})
	apis := services(b, logs, node)
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

// services lists the services in the order they have to be registered in: the stock ones, on our
// backend where that is enough, then what they would get wrong.
func services(b *Backend, logs *filters.FilterSystem, cfg *ethconfig.Config) []rpc.API {
	apis := append(ethapi.GetAPIs(b), tracers.APIs(b.EthAPIBackend)...)
	return append(apis, []rpc.API{
		{Namespace: "eth", Service: newLogsAPI(b, logs, cfg)},
		{Namespace: "eth", Service: newEthAPI(b)},
		{Namespace: "debug", Service: newDebugAPI(b)},
		{Namespace: "op", Service: new(CapabilitiesAPI)},
	}...)
}
