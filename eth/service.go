// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"net"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/node"

	"github.com/ethereum/go-ethereum/flashgeth/eth/health"
	"github.com/ethereum/go-ethereum/flashgeth/internal/operator"
)

// Service is what Register attached to a node. The node starts and stops it. Without flashblocks it is empty.
type Service struct {
	set     *metrics.Set
	stream  func() net.Addr
	scrapes *operator.Endpoint
	health  *health.Monitor
	stages  []*stage
}

// StreamAddr returns the address of the flashblocks stream once a node that builds has started, else nil.
func (s *Service) StreamAddr() net.Addr {
	if s.stream == nil {
		return nil
	}
	return s.stream()
}

// MetricsAddr returns the address of the Prometheus endpoint once the node has started, nil without one.
func (s *Service) MetricsAddr() net.Addr {
	if s.scrapes == nil {
		return nil
	}
	return s.scrapes.Addr()
}

// Metrics returns the set with the metrics of all parts, nil without flashblocks.
func (s *Service) Metrics() *metrics.Set { return s.set }

// add appends a stage. Stages start in the order they were added in and stop in the reverse order.
func (s *Service) add(name string, start func(context.Context) error, stop func() error) {
	s.stages = append(s.stages, &stage{name: name, start: start, stop: stop})
}

// register hands the stages to the node.
func (s *Service) register(stack *node.Node) {
	for _, stage := range s.stages {
		stack.RegisterLifecycle(stage)
	}
}

// stage is one part of the service in the form that node.Node starts and stops: in the order of
// registration and back.
type stage struct {
	name  string
	start func(context.Context) error
	stop  func() error
}

// Start implements node.Lifecycle.
func (s *stage) Start() error { return s.start(context.Background()) }

// Stop implements node.Lifecycle.
func (s *stage) Stop() error { return s.stop() }
