// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/VictoriaMetrics/metrics"
	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/internal/cmdline"
	"github.com/ethereum/go-ethereum/flashgeth/internal/operator"
	"github.com/ethereum/go-ethereum/flashgeth/params"
	"github.com/ethereum/go-ethereum/flashgeth/proxy"
	"github.com/ethereum/go-ethereum/flashgeth/proxy/admission"
)

// run serves until the context ends.
func run(c *cli.Context) error {
	if c.Args().Present() {
		return fmt.Errorf("unexpected argument %q", c.Args().First())
	}
	cfg := params.DefaultProxy
	if err := cfg.ApplyFlags(c); err != nil {
		return err
	}
	if err := cfg.Check(); err != nil {
		return err
	}
	if err := setupLog(&cfg); err != nil {
		return err
	}
	s, err := newService(&cfg)
	if err != nil {
		return err
	}
	if err := s.start(c.Context); err != nil {
		return errors.Join(err, s.stop(&cfg))
	}
	<-c.Context.Done()
	log.Info("Flashblocks proxy is stopping")
	return s.stop(&cfg)
}

// service is everything that runs.
type service struct {
	proxy     *proxy.Proxy
	admission *admission.Gatekeeper
	operators []*operator.Endpoint
}

// newService wires the parts. It starts nothing.
func newService(cfg *params.Proxy) (*service, error) {
	set := metrics.NewSet()
	keeper, keyed, err := newGatekeeper(cfg, set)
	if err != nil {
		return nil, err
	}
	config, err := proxyConfig(cfg, set)
	if err != nil {
		return nil, err
	}
	config.Admission, config.KeyRoutes = keeper, keyed
	p, err := proxy.New(config)
	if err != nil {
		return nil, err
	}
	s := &service{proxy: p, admission: keeper}
	if cfg.Metrics {
		labels, err := metricLabels(cfg)
		if err != nil {
			return nil, err
		}
		s.operators = append(s.operators, operator.NewEndpoint("metrics", cfg.MetricsAddr, proxy.MetricsHandler(set, labels)))
	}
	if cfg.Pprof {
		s.operators = append(s.operators, operator.NewEndpoint("pprof", cfg.PprofAddr, operator.Pprof()))
	}
	return s, nil
}

// start starts everything, the operators' endpoints first: a port that is taken stops start-up before
// any client is served.
func (s *service) start(ctx context.Context) error {
	for _, endpoint := range s.operators {
		if err := endpoint.Start(ctx); err != nil {
			return err
		}
		log.Info("Operator's endpoint listens", "endpoint", endpoint.Name(), "addr", endpoint.Addr())
	}
	// The end of ctx is the beginning of an orderly stop, not the end of every connection, nor of what
	// other instances are told about them.
	ctx = context.WithoutCancel(ctx)
	if err := s.admission.Start(ctx); err != nil {
		return err
	}
	if err := s.proxy.Start(ctx); err != nil {
		return err
	}
	log.Info("Flashblocks proxy listens", "addr", s.proxy.Addr())
	return nil
}

// stop drains the clients, then gives back what is left.
func (s *service) stop(cfg *params.Proxy) error {
	ctx, cancel := context.WithTimeout(context.Background(), cfg.DrainTimeout)
	defer cancel()
	errs := []error{s.proxy.Stop(ctx)}
	// Its own time: the counts in Redis go whatever the clients did.
	ctx, cancel = context.WithTimeout(context.Background(), cfg.DrainTimeout)
	defer cancel()
	errs = append(errs, s.admission.Stop(ctx))
	for _, endpoint := range s.operators {
		errs = append(errs, endpoint.Stop(ctx))
	}
	return errors.Join(errs...)
}

// metricLabels returns the labels on every metric.
func metricLabels(cfg *params.Proxy) ([]proxy.Label, error) {
	labels, bad := proxy.ParseLabels(cfg.MetricsLabels)
	for _, entry := range bad {
		log.Warn("A label for the metrics is not name=value and is left out", "entry", entry)
	}
	if !cfg.MetricsHost {
		return labels, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("the host name for the metrics is not known: %w", err)
	}
	return append(labels, proxy.Label{Name: "hostname", Value: host}), nil
}

// setupLog installs the root logger.
func setupLog(cfg *params.Proxy) error {
	level, err := cmdline.LogLevel(cfg.LogLevel)
	if err != nil {
		return err
	}
	cmdline.SetLog(os.Stderr, level, cfg.LogFormat)
	return nil
}
