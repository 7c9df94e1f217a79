// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/p2p/enode"
	"github.com/ethereum/go-ethereum/rpc"
)

// initTimeout bounds writing the genesis block, which takes well under a second.
const initTimeout = 3 * time.Minute

// nodeProcess returns the sequencer's execution layer, with Config.Boost the builder, with its genesis block written.
func (d *Devnet) nodeProcess(ctx context.Context) (*Process, error) {
	key, peer := d.keys.node, ""
	if d.cfg.Boost {
		key, peer = d.keys.builder, d.enode()
	}
	if err := d.prepareNode(ctx, d.cfg.NodeBinary, "node", d.ports.nodePorts, peer); err != nil {
		return nil, err
	}
	apis := gethAPIs
	if !d.cfg.Plain {
		apis = flashgethAPIs
	}
	args := append(d.nodeArgs("node", d.ports.nodePorts, apis), "--nodekeyhex", key.hexKey()[2:])
	if !d.cfg.Plain {
		args = append(args, d.builderArgs()...)
	}
	return &Process{
		Name:  filepath.Base(d.cfg.NodeBinary),
		Path:  d.cfg.NodeBinary,
		Args:  append(args, d.cfg.NodeArgs...),
		Log:   d.layout.logPath("node"),
		Ready: rpcReady(httpURL(d.ports.http), "eth_chainId"),
	}, nil
}

// enode returns the address on the p2p network of the sequencer's execution layer.
func (d *Devnet) enode() string {
	return enode.NewV4(&d.keys.node.key.PublicKey, net.ParseIP(loopback), d.sequencer().nodeP2P, 0).URLv4()
}

// prepareNode writes the genesis block and the configuration file of the execution layer called name. peer
// is the enode it connects to, empty for none.
func (d *Devnet) prepareNode(ctx context.Context, binary, name string, ports nodePorts, peer string) error {
	if err := d.initNode(ctx, binary, d.layout.path(name)); err != nil {
		return err
	}
	// The listening address of p2p has no flag: without this the node binds every interface.
	config := fmt.Sprintf("[Node.P2P]\nListenAddr = \"%s:%d\"\n", loopback, ports.nodeP2P)
	if peer != "" {
		config += fmt.Sprintf("StaticNodes = [%q]\n", peer)
	}
	return os.WriteFile(d.layout.path(name+".toml"), []byte(config), 0o600)
}

// initNode writes the genesis block into dataDir.
func (d *Devnet) initNode(ctx context.Context, binary, dataDir string) error {
	ctx, cancel := context.WithTimeout(ctx, initTimeout)
	defer cancel()

	args := append([]string{"init", "--datadir", dataDir}, flagIf("--state.scheme", d.cfg.StateScheme)...)
	cmd := exec.CommandContext(ctx, binary, append(args, d.layout.path("genesis.json"))...) //nolint:gosec // the caller's binary
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("write the L2's genesis with %s init: %w\n%s", binary, err, out)
	}
	return nil
}

// flagIf returns a flag with its value, nothing if the value is empty.
func flagIf(name, value string) []string {
	if value == "" {
		return nil
	}
	return []string{name, value}
}

// nodeArgs returns the command line that every execution layer has. It takes op-geth's flags only. How the state is kept and
// cached is the program's own choice unless the configuration says otherwise: a devnet runs what operators run.
func (d *Devnet) nodeArgs(name string, ports nodePorts, apis string) []string {
	return slices.Concat(flagIf("--state.scheme", d.cfg.StateScheme), flagIf("--gcmode", d.cfg.GCMode), []string{
		"--datadir", d.layout.path(name), "--config", d.layout.path(name + ".toml"),
		"--networkid", strconv.Itoa(L2ChainID), "--syncmode", "full",
		"--nodiscover", "--maxpeers", "8", "--nat", "none", "--ipcdisable",
		"--authrpc.addr", loopback, "--authrpc.port", strconv.Itoa(ports.engine),
		"--authrpc.jwtsecret", d.layout.path("jwt.hex"), "--authrpc.vhosts", "*",
		"--http", "--http.addr", loopback, "--http.port", strconv.Itoa(ports.http), "--http.vhosts", "*",
		"--http.api", apis,
		"--ws", "--ws.addr", loopback, "--ws.port", strconv.Itoa(ports.ws), "--ws.origins", "*",
		"--ws.api", apis,
		"--rpc.txfeecap", "0", "--miner.gasprice", "1",
		"--txpool.pricelimit", "1", "--txpool.accountslots", "512", "--txpool.globalslots", "20000",
	})
}

// The namespaces that an execution layer serves.
const (
	gethAPIs      = "admin,eth,net,web3,debug,txpool,miner"
	flashgethAPIs = gethAPIs + ",flashblocks,op"
)

// builderArgs returns the builder's part of the sequencer's command line.
func (d *Devnet) builderArgs() []string {
	return []string{
		"--flashblocks.enabled", "--flashblocks.addr", loopback, "--flashblocks.port", strconv.Itoa(d.ports.stream),
		"--flashblocks.block-time", strconv.FormatInt(d.cfg.Interval.Milliseconds(), 10),
		"--flashblocks.metrics-addr", fmt.Sprintf("%s:%d", loopback, d.ports.metrics),
		"--rollup.chain-block-time", strconv.FormatInt(d.cfg.BlockTime.Milliseconds(), 10),
	}
}

// opNodeProcess returns the real op-node as sequencer.
func (d *Devnet) opNodeProcess() *Process {
	args := append(d.opNodeArgs("op-node", d.engineURL(), d.ports.opNodeRPC, d.ports.opNodeP2P),
		"--sequencer.enabled", "--sequencer.l1-confs", "0",
		"--p2p.sequencer.key", d.keys.sequencer.hexKey()[2:],
	)
	return &Process{
		Name:  "op-node",
		Path:  filepath.Join(d.cfg.OpStackDir, "op-node"),
		Args:  append(args, d.cfg.OpNodeArgs...),
		Log:   d.layout.logPath("op-node"),
		Ready: rpcReady(httpURL(d.ports.opNodeRPC), "optimism_syncStatus"),
	}
}

// opNodeArgs returns the command line that every op-node has.
func (d *Devnet) opNodeArgs(name, engine string, rpcPort, p2pPort int) []string {
	port := strconv.Itoa(p2pPort)
	return []string{
		"--l1", httpURL(d.ports.l1), "--l1.rpckind", "standard", "--l1.trustrpc", "--l1.beacon.ignore",
		"--l1.http-poll-interval", "500ms", "--l1.epoch-poll-interval", "12s",
		"--l2", engine, "--l2.jwt-secret", d.layout.path("jwt.hex"), "--l2.enginekind", "geth",
		"--rollup.config", d.layout.path("rollup.json"), "--rollup.l1-chain-config", d.layout.path("l1-genesis.json"),
		"--verifier.l1-confs", "0",
		"--rpc.addr", loopback, "--rpc.port", strconv.Itoa(rpcPort), "--rpc.enable-admin",
		// An empty list of bootnodes is not possible, and the default one needs DNS even without discovery.
		"--p2p.bootnodes", ",", "--p2p.no-discovery",
		"--p2p.listen.ip", loopback, "--p2p.listen.tcp", port, "--p2p.listen.udp", port, "--p2p.advertise.ip", loopback,
		"--p2p.priv.path", d.layout.path(name + "-p2p.key"),
		"--p2p.peerstore.path", "memory", "--p2p.discovery.path", "memory",
		"--safedb.path", d.layout.path(name + "-safedb"),
	}
}

// batcherProcess returns the real op-batcher. It posts calldata, since the L1 serves no blobs, and
// closes a channel with almost every L1 block, so that the safe head follows closely.
func (d *Devnet) batcherProcess() *Process {
	args := []string{
		"--l1-eth-rpc", httpURL(d.ports.l1), "--l2-eth-rpc", httpURL(d.sequencer().http), "--rollup-rpc", httpURL(d.ports.opNodeRPC),
		"--private-key", d.keys.batcher.hexKey()[2:],
		"--data-availability-type", "calldata", "--max-channel-duration", "1", "--sub-safety-margin", "4",
		"--poll-interval", "1s", "--num-confirmations", "1", "--safe-abort-nonce-too-low-count", "3",
		"--resubmission-timeout", "30s", "--txmgr.receipt-query-interval", "500ms",
		"--rpc.addr", loopback, "--rpc.port", strconv.Itoa(d.ports.batcherRPC), "--rpc.enable-admin",
	}
	if d.cfg.Boost {
		args = append(args, "--throttle.additional-endpoints", httpURL(d.ports.http)) // the builder heeds its limits too
	}
	return &Process{
		Name:  "op-batcher",
		Path:  filepath.Join(d.cfg.OpStackDir, "op-batcher"),
		Args:  args,
		Log:   d.layout.logPath("op-batcher"),
		Ready: rpcReady(httpURL(d.ports.batcherRPC), "rpc_modules"),
	}
}

// rpcReady returns a probe that succeeds once the endpoint answers the method without error.
func rpcReady(url, method string) func(context.Context) error {
	return func(ctx context.Context) error {
		client, err := rpc.DialContext(ctx, url)
		if err != nil {
			return err
		}
		defer client.Close()

		var result any
		return client.CallContext(ctx, &result, method)
	}
}
