// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
)

// The follower is what an RPC provider runs: a flashgeth that builds nothing, takes flashblocks from the
// proxy, or from what the proxy would follow without one, and blocks from an op-node of its own, which hears of them by gossip and from L1.
const (
	followerName       = "follower"
	followerOpNodeName = "follower-op-node"
)

// startFollower boots the follower. The sequencer must be up, and the proxy if there is one.
func (d *Devnet) startFollower(ctx context.Context) error {
	d.cfg.step("starting a follower of the stream")
	// Blocks that gossip has not brought are fetched from the sequencer's execution layer.
	if err := d.prepareNode(ctx, d.cfg.NodeBinary, followerName, d.ports.follower, d.enode()); err != nil {
		return err
	}
	d.follower = d.followerProcess()
	if err := d.supervise(ctx, d.follower); err != nil {
		return err
	}
	gossip, err := d.gossipAddr(ctx)
	if err != nil {
		return err
	}
	d.followerOpNode = d.followerOpNodeProcess(gossip)
	return d.supervise(ctx, d.followerOpNode)
}

// followerProcess returns the follower's execution layer. It hands transactions on to the sequencer and
// takes no part in their gossip, as providers' nodes do.
func (d *Devnet) followerProcess() *Process {
	args := append(d.nodeArgs(followerName, d.ports.follower, flashgethAPIs),
		"--flashblocks.url", d.streamURL(),
		"--flashblocks.metrics-addr", net.JoinHostPort(loopback, strconv.Itoa(d.ports.follower.metrics)),
		"--rollup.sequencerhttp", d.submitURL(), "--rollup.disabletxpoolgossip",
	)
	return &Process{
		Name:  followerName,
		Path:  d.cfg.NodeBinary,
		Args:  args,
		Log:   d.layout.logPath(followerName),
		Ready: rpcReady(httpURL(d.ports.follower.http), "eth_chainId"),
	}
}

// followerOpNodeProcess returns the real op-node as follower.
func (d *Devnet) followerOpNodeProcess(gossip string) *Process {
	return &Process{
		Name: followerOpNodeName,
		Path: filepath.Join(d.cfg.OpStackDir, "op-node"),
		Args: append(d.opNodeArgs(followerOpNodeName, httpURL(d.ports.follower.engine), d.ports.followerOpNodeRPC, d.ports.followerOpNodeP2P),
			"--p2p.static", gossip),
		Log:   d.layout.logPath(followerOpNodeName),
		Ready: rpcReady(httpURL(d.ports.followerOpNodeRPC), "optimism_syncStatus"),
	}
}

// gossipAddr asks the sequencer's op-node for its address on the p2p network.
func (d *Devnet) gossipAddr(ctx context.Context) (string, error) {
	var self struct {
		Addresses []string `json:"addresses"`
	}
	if err := d.rollup.CallContext(ctx, &self, "opp2p_self"); err != nil {
		return "", fmt.Errorf("ask op-node for its p2p address: %w", err)
	}
	if len(self.Addresses) == 0 {
		return "", errors.New("op-node has no p2p address")
	}
	return self.Addresses[0], nil
}

// FollowerMetrics returns the URL of the follower's Prometheus endpoint, beside which /healthz and /readyz are.
func (d *Devnet) FollowerMetrics() string { return httpURL(d.ports.follower.metrics) + "/metrics" }

// KillFollower ends the follower's execution layer without grace (SIGKILL), as a crash does.
func (d *Devnet) KillFollower() {
	d.expectEnd(d.follower)
	d.follower.Kill()
}

// StopFollower ends the follower's execution layer as an operator does (SIGINT).
func (d *Devnet) StopFollower() error {
	d.expectEnd(d.follower)
	return d.follower.Stop()
}

// StartFollower runs the follower's execution layer again after KillFollower or StopFollower, on the same
// data and ports.
func (d *Devnet) StartFollower(ctx context.Context) error {
	return d.supervise(ctx, d.follower)
}
