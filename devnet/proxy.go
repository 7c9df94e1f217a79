// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
)

// proxyName is the flashproxy between the sequencer's stream, the builder's or boost's, and whoever follows it.
const proxyName = "flashproxy"

// startProxy boots the proxy. The stream it follows must be up.
func (d *Devnet) startProxy(ctx context.Context) error {
	d.cfg.step("starting flashproxy behind the stream")
	d.proxy = d.proxyProcess()
	return d.supervise(ctx, d.proxy)
}

// proxyProcess returns the real flashproxy. Frames are text, as the builder's, so that any websocket client
// shows them; connections are not limited, since all of them come from one address.
func (d *Devnet) proxyProcess() *Process {
	return &Process{
		Name: proxyName,
		Path: d.cfg.ProxyBinary,
		Args: []string{
			"--upstream-ws", d.publishedURL(),
			"--listen-addr", net.JoinHostPort(loopback, strconv.Itoa(d.ports.proxy)),
			"--metrics-addr", net.JoinHostPort(loopback, strconv.Itoa(d.ports.proxyMetrics)),
			"--per-ip-connection-limit", "0", "--instance-connection-limit", "0",
			"--text-frames",
		},
		Log:       d.layout.logPath(proxyName),
		Ready:     httpReady(httpURL(d.ports.proxy) + "/healthz"),
		Interrupt: syscall.SIGTERM, // as service managers and containers stop it
	}
}

// streamURL is what followers subscribe to: the proxy, or what it follows without one.
func (d *Devnet) streamURL() string {
	if d.cfg.Proxy {
		return wsURL(d.ports.proxy) + "/ws"
	}
	return d.publishedURL()
}

// KillProxy ends flashproxy without grace (SIGKILL), as a crash does.
func (d *Devnet) KillProxy() {
	d.expectEnd(d.proxy)
	d.proxy.Kill()
}

// StopProxy ends flashproxy as a service manager does (SIGTERM): its clients are drained.
func (d *Devnet) StopProxy() error {
	d.expectEnd(d.proxy)
	return d.proxy.Stop()
}

// StartProxy runs flashproxy again after KillProxy or StopProxy, on the same ports.
func (d *Devnet) StartProxy(ctx context.Context) error {
	return d.supervise(ctx, d.proxy)
}

// httpReady returns a probe that succeeds once the URL answers 200.
func httpReady(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, resp.Status)
		}
		return nil
	}
}
