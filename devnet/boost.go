// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
)

// With Config.Boost op-node drives flashboost, and flashboost two execution layers: op-geth's own geth,
// whose word counts, and flashgeth as builder. The two are peers, so that the builder catches up after
// an outage and hears of transactions that only the local one was sent.
const (
	boostName = "flashboost"
	localName = "geth"
)

// boostHealthInterval is how often flashboost looks at its backends: often enough for a human to watch.
const boostHealthInterval = 2 * time.Second

// Links are the addresses by which the parts around flashboost find each other.
type Links struct {
	Boost   string // Engine API that op-node drives
	Local   string // Engine API of the local execution layer
	Builder string // Engine API of the builder
	Stream  string // flashblocks of the builder
}

// linkUp decides where the parts around flashboost find each other.
func (d *Devnet) linkUp() {
	d.links = Links{
		Boost:   httpURL(d.ports.boost),
		Local:   httpURL(d.ports.local.engine),
		Builder: httpURL(d.ports.engine),
		Stream:  wsURL(d.ports.stream),
	}
	if d.cfg.Between != nil {
		d.links = d.cfg.Between(d.links)
	}
}

// sequencer returns the ports of the sequencer's own execution layer.
func (d *Devnet) sequencer() nodePorts { return *d.ports.sequencer(d.cfg.Boost) }

// engineURL is the Engine API that the sequencer's op-node drives.
func (d *Devnet) engineURL() string {
	if d.cfg.Boost {
		return d.links.Boost
	}
	return httpURL(d.ports.engine)
}

// submitURL is where transactions reach the builder at once. Through boost they reach both execution layers.
func (d *Devnet) submitURL() string {
	if d.cfg.Boost {
		return httpURL(d.ports.boost)
	}
	return httpURL(d.ports.http)
}

// publishedURL is the stream that the sequencer gives away: the builder's, or what boost makes of it.
func (d *Devnet) publishedURL() string {
	if d.cfg.Boost {
		return wsURL(d.ports.boostStream)
	}
	return wsURL(d.ports.stream)
}

// startLocal boots the local execution layer, an op-geth without a line of flashgeth in it.
func (d *Devnet) startLocal(ctx context.Context) error {
	d.cfg.step("starting geth (unmodified op-geth) as local execution layer")
	binary := filepath.Join(d.cfg.OpStackDir, "geth")
	if err := d.prepareNode(ctx, binary, localName, d.ports.local, ""); err != nil {
		return err
	}
	d.local = &Process{
		Name:  localName,
		Path:  binary,
		Args:  append(d.nodeArgs(localName, d.ports.local, gethAPIs), "--nodekeyhex", d.keys.node.hexKey()[2:]),
		Log:   d.layout.logPath(localName),
		Ready: rpcReady(httpURL(d.ports.local.http), "eth_chainId"),
	}
	return d.supervise(ctx, d.local)
}

// startBoost boots flashboost. Both execution layers must be up.
func (d *Devnet) startBoost(ctx context.Context) error {
	d.cfg.step("starting flashboost between op-node and the two execution layers")
	d.boost = d.boostProcess()
	return d.supervise(ctx, d.boost)
}

// boostProcess returns the real flashboost.
func (d *Devnet) boostProcess() *Process {
	args := []string{
		"--l2-url", d.links.Local, "--l2-jwt-path", d.layout.path("jwt.hex"),
		"--builder-url", d.links.Builder, "--builder-jwt-path", d.layout.path("jwt.hex"),
		"--rpc-host", loopback, "--rpc-port", strconv.Itoa(d.ports.boost),
		"--debug-host", loopback, "--debug-server-port", strconv.Itoa(d.ports.boostDebug),
		"--metrics", "--metrics-host", loopback, "--metrics-port", strconv.Itoa(d.ports.boostMetrics),
		"--flashblocks", "--flashblocks-builder-url", d.links.Stream,
		"--flashblocks-host", loopback, "--flashblocks-port", strconv.Itoa(d.ports.boostStream),
		"--health-check-interval", strconv.Itoa(int(boostHealthInterval.Seconds())),
	}
	if d.cfg.External {
		args = append(args, "--external-state-root")
	}
	return &Process{
		Name:      boostName,
		Path:      d.cfg.BoostBinary,
		Args:      append(args, d.cfg.BoostArgs...),
		Log:       d.layout.logPath(boostName),
		Ready:     d.boostReady,
		Interrupt: syscall.SIGTERM, // as service managers and containers stop it
	}
}

// boostReady succeeds once every port of flashboost serves.
func (d *Devnet) boostReady(ctx context.Context) error {
	stream, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(loopback, strconv.Itoa(d.ports.boostStream)))
	if err != nil {
		return err
	}
	return errors.Join(
		stream.Close(),
		httpReady(httpURL(d.ports.boost)+"/readyz")(ctx),
		httpReady(httpURL(d.ports.boostMetrics)+"/metrics")(ctx),
		rpcReady(httpURL(d.ports.boostDebug), "debug_getExecutionMode")(ctx),
		rpcReady(httpURL(d.ports.boost), "eth_chainId")(ctx),
	)
}

// KillBoost ends flashboost without grace (SIGKILL), as a crash does.
func (d *Devnet) KillBoost() {
	d.expectEnd(d.boost)
	d.boost.Kill()
}

// StopBoost ends flashboost as a service manager does (SIGTERM): calls in progress are answered.
func (d *Devnet) StopBoost() error {
	d.expectEnd(d.boost)
	return d.boost.Stop()
}

// StartBoost runs flashboost again after KillBoost or StopBoost, on the same ports. external and args stand
// in for Config.External and Config.BoostArgs from now on.
func (d *Devnet) StartBoost(ctx context.Context, external bool, args ...string) error {
	d.cfg.External, d.cfg.BoostArgs = external, args
	d.boost.Args = d.boostProcess().Args
	return d.supervise(ctx, d.boost)
}

// SetExecutionMode switches flashboost at run time by its debug API: "enabled", "dry_run" or "disabled".
func (d *Devnet) SetExecutionMode(ctx context.Context, mode string) error {
	client, err := rpc.DialContext(ctx, httpURL(d.ports.boostDebug))
	if err != nil {
		return err
	}
	defer client.Close()
	return client.CallContext(ctx, nil, "debug_setExecutionMode", map[string]string{"execution_mode": mode})
}
