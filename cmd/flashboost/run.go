// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// run serves until the context ends.
func run(c *cli.Context) (err error) {
	if c.Args().Present() {
		return fmt.Errorf("unexpected argument %q", c.Args().First())
	}
	cfg := params.DefaultBoost
	cfg.L2.MethodTimeouts = maps.Clone(cfg.L2.MethodTimeouts)
	if err := cfg.ApplyFlags(c); err != nil {
		return err
	}
	if err := cfg.Check(); err != nil {
		return err
	}
	closeLog, err := setupLog(&cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	s, err := newService(&cfg)
	if err != nil {
		return err
	}
	logStart(&cfg)
	if err := s.start(c.Context); err != nil {
		return errors.Join(err, s.stop(context.WithoutCancel(c.Context)))
	}
	<-c.Context.Done()
	log.Info("Flashboost is stopping: calls in progress are answered first", "atMost", cfg.DrainTimeout)
	return s.stop(context.WithoutCancel(c.Context))
}

// start starts everything in the order of the parts. A port that is taken stops it.
func (s *service) start(ctx context.Context) error {
	// The end of ctx is the beginning of an orderly stop, not the end of every connection.
	ctx = context.WithoutCancel(ctx)
	for _, p := range s.parts {
		if err := p.start(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		s.started++
		if p.addr != nil {
			log.Info("Listening", "for", p.name, "addr", p.addr())
		}
	}
	return nil
}

// stop stops what was started, the last first: op-node is drained while everything it needs still runs.
func (s *service) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.DrainTimeout)
	defer cancel()
	var errs []error
	for _, p := range slices.Backward(s.parts[:s.started]) {
		if err := p.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
	}
	s.started = 0
	for _, client := range s.clients {
		client.Close()
	}
	return errors.Join(errs...)
}
