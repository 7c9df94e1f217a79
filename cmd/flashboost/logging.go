// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/internal/cmdline"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// logFileMode keeps the log from other users.
const logFileMode = 0o600

// setupLog installs the root logger, on standard output as rollup-boost's unless there is a file. The closer
// takes it off again, and is not nil.
func setupLog(cfg *params.Boost) (closer func() error, err error) {
	level, err := cmdline.LogLevel(cfg.LogLevel)
	if err != nil {
		return nil, err
	}
	var out io.Writer = os.Stdout
	closer = func() error { return nil }
	if cfg.LogFile != "" {
		file, err := os.OpenFile(cfg.LogFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, logFileMode)
		if err != nil {
			return nil, fmt.Errorf("the log file (--log-file) cannot be opened: %w", err)
		}
		out = file
		before := log.Root()
		closer = func() error {
			log.SetDefault(before)
			return file.Close()
		}
	}
	cmdline.SetLog(out, level, cfg.LogFormat)
	return closer, nil
}

// logStart tells the operator what is connected to what.
func logStart(cfg *params.Boost) {
	log.Info("Starting flashboost", "version", version(), "mode", cfg.Mode)
	log.Info("Local execution layer", "url", redacted(cfg.L2.URL), "timeout", cfg.L2.Timeout)
	if cfg.HasBuilder() {
		log.Info("Builder", "url", redacted(cfg.Builder.URL), "timeout", cfg.Builder.Timeout,
			"externalStateRoot", cfg.ExternalStateRoot, "selection", cfg.Selection)
	} else {
		log.Info("There is no builder: everything is passed on to the local execution layer; --builder-url and --builder-jwt-path add one")
	}
	switch f := &cfg.Flashblocks; {
	case !f.Enabled:
		log.Info("Flashblocks are off; --flashblocks streams them")
	case !cfg.HasBuilder():
		log.Warn("Subscribers are served, but there is no builder to take flashblocks from")
	default:
		log.Info("Flashblocks", "from", redacted(f.BuilderURL), "to", "ws://"+f.Addr())
	}
	if cfg.Tracing || cfg.OTLPEndpoint != params.DefaultBoost.OTLPEndpoint {
		log.Warn("No spans are exported: --tracing and --otlp-endpoint are accepted from command lines of rollup-boost only; the latencies are in the metrics without them")
	}
}

// redacted is a URL without its password and its query, which may hold a key.
func redacted(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(malformed)"
	}
	u.RawQuery = ""
	return u.Redacted()
}
