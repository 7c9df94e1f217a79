// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/flashgeth/params"
	"github.com/ethereum/go-ethereum/flashgeth/proxy"
	"github.com/ethereum/go-ethereum/flashgeth/proxy/admission"
)

// proxyConfig translates the flags, but for admission.
func proxyConfig(cfg *params.Proxy, set *metrics.Set) (proxy.Config, error) {
	out := proxy.Config{
		Addr:             cfg.ListenAddr,
		Compression:      cfg.Compression,
		TextFrames:       cfg.TextFrames,
		Deflate:          cfg.Deflate,
		RingMessages:     cfg.Ring(),
		RingBytes:        cfg.RingBytes,
		MaxLag:           cfg.MessageBuffer,
		SendBuffer:       cfg.SendBuffer,
		ClientPing:       cfg.ClientPing,
		PingInterval:     cfg.ClientPingInterval,
		PongTimeout:      cfg.ClientPongTimeout,
		SendTimeout:      cfg.ClientSendTimeout,
		UpstreamPing:     cfg.UpstreamPing,
		UpstreamPong:     cfg.UpstreamPong,
		UpstreamBackoff:  cfg.UpstreamMaxInterval,
		NoNotices:        !cfg.UpstreamNotices,
		NoBackfill:       !cfg.Backfill,
		ConductorPoll:    cfg.ConductorPoll,
		ReadyMaxAge:      cfg.ReadyMaxAge,
		DrainTimeout:     cfg.DrainTimeout,
		HandshakeTimeout: cfg.HandshakeTimeout,
		Handshakes:       cfg.Handshakes,
		HeaderBytes:      cfg.HeaderBytes,
		Origins:          cfg.Origins,
		Metrics:          set,
	}
	if out.SendBuffer == 0 {
		out.SendBuffer = -1 // the kernel's own choice
	}
	for i, upstream := range cfg.Upstreams {
		u := proxy.Upstream{URL: upstream}
		if len(cfg.Conductors) > 0 {
			u.Conductor = cfg.Conductors[i]
		}
		out.Upstreams = append(out.Upstreams, u)
	}
	if cfg.TLSCert != "" {
		cert, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey)
		if err != nil {
			return out, fmt.Errorf("the TLS certificate cannot be used: %w", err)
		}
		out.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	return out, nil
}

// newGatekeeper builds admission, and reports whether keys are configured.
func newGatekeeper(cfg *params.Proxy, set *metrics.Set) (*admission.Gatekeeper, bool, error) {
	keys, err := apiKeys(cfg)
	if err != nil {
		return nil, false, err
	}
	trusted, err := admission.ParseTrustedProxies(cfg.TrustedProxies)
	if err != nil {
		return nil, false, err
	}
	config := admission.Config{
		Keys:           keys,
		PublicAccess:   cfg.PublicAccess,
		IPHeader:       cfg.IPHeader,
		TrustedProxies: trusted,
		InstanceLimit:  cfg.InstanceLimit,
		GlobalLimit:    cfg.GlobalLimit,
		PerIPLimit:     cfg.PerIPLimit,
		Metrics:        set,
	}
	if cfg.RedisURL != "" {
		config.Redis = &admission.RedisConfig{URL: cfg.RedisURL, KeyPrefix: cfg.RedisPrefix}
	}
	keeper, err := admission.New(config)
	return keeper, keys != nil, err
}

// apiKeys reads the keys from the flag or the file, where they may also stand one per line, with
// comments after a #.
func apiKeys(cfg *params.Proxy) (*admission.Keyring, error) {
	list := cfg.APIKeys
	if cfg.APIKeysFile != "" {
		text, err := os.ReadFile(cfg.APIKeysFile)
		if err != nil {
			return nil, fmt.Errorf("the file with the API keys cannot be read: %w", err)
		}
		var entries []string
		for line := range strings.Lines(string(text)) {
			line, _, _ = strings.Cut(line, "#")
			if line = strings.Trim(line, " \t\r\n,"); line != "" {
				entries = append(entries, line)
			}
		}
		if list = strings.Join(entries, ","); list == "" {
			return nil, errors.New("the file with the API keys has none")
		}
	}
	keys, err := admission.ParseKeys(list)
	if err != nil || keys == nil {
		return nil, err
	}
	if _, _, taken := keys.Lookup(proxy.ReservedKey); taken {
		return nil, fmt.Errorf("%q cannot be an API key: it is part of a route", proxy.ReservedKey)
	}
	return keys, nil
}
