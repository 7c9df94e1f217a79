// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/eth"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/rpc"
)

// Devnet is a running devnet: an L1 in this process, and the nodes, op-nodes, flashboost, flashproxy and op-batcher as children.
type Devnet struct {
	cfg    Config
	layout *layout
	ports  *portSet
	keys   accounts
	spec   *chainSpec

	logs    *logCapture // nil without Config.CaptureLogs
	l1      *l1Node
	node    *Process
	opNode  *Process
	batcher *Process // nil without Config.Batcher
	rollup  *rpc.Client
	proxy   *Process // nil without Config.Proxy

	links Links    // zero without Config.Boost
	local *Process // nil without Config.Boost, like boost
	boost *Process

	follower       *Process // nil without Config.Follower, like its op-node
	followerOpNode *Process

	mu       sync.Mutex
	expected map[<-chan struct{}]bool // runs of processes that end on purpose
	keep     bool                     // the data directory outlives Stop
	failed   chan error
	quit     chan struct{}
	watchers sync.WaitGroup
	stopOnce sync.Once
}

// Start boots a devnet and returns once op-node answers. What was started is stopped again if a
// part fails; the error then tells which one, with the end of its log.
func Start(ctx context.Context, cfg Config) (*Devnet, error) {
	if cfg.GenesisOffset == 0 {
		cfg.GenesisOffset = DefaultConfig.GenesisOffset
	}
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	d := &Devnet{
		cfg:      cfg,
		keys:     deriveAccounts(),
		expected: make(map[<-chan struct{}]bool),
		failed:   make(chan error, 1),
		quit:     make(chan struct{}),
	}
	err := d.start(ctx)
	switch {
	case err == nil:
		return d, nil
	case ctx.Err() != nil:
		return nil, errors.Join(context.Cause(ctx), d.Stop())
	default:
		d.KeepData() // the logs tell more
		return nil, errors.Join(err, d.Stop())
	}
}

// start boots the parts in the order of their dependencies.
func (d *Devnet) start(ctx context.Context) error {
	err := d.cfg.checkPrograms()
	if err != nil {
		return err
	}
	if d.layout, err = newLayout(d.cfg.DataDir); err != nil {
		return err
	}
	if d.ports, err = d.cfg.choosePorts(ctx); err != nil {
		return err
	}
	if d.cfg.CaptureLogs {
		if d.logs, err = captureLogs(d.layout.logPath("devnet")); err != nil {
			return err
		}
	}
	d.cfg.step("writing genesis and rollup configuration to %s", d.layout.root)
	if err := d.writeSpec(); err != nil {
		return err
	}
	d.cfg.step("starting L1 (op-geth in dev mode, a block every %v)", d.cfg.L1BlockTime)
	if d.l1, err = startL1(d.spec.l1, uint64(d.cfg.L1BlockTime/time.Second), d.ports.l1); err != nil {
		return err
	}
	if err := d.startNodes(ctx); err != nil {
		return err
	}
	d.cfg.step("starting op-node as sequencer")
	d.opNode = d.opNodeProcess()
	if err := d.supervise(ctx, d.opNode); err != nil {
		return err
	}
	if d.rollup, err = rpc.DialContext(ctx, httpURL(d.ports.opNodeRPC)); err != nil {
		return fmt.Errorf("connect to op-node: %w", err)
	}
	if d.cfg.Proxy {
		if err := d.startProxy(ctx); err != nil {
			return err
		}
	}
	if d.cfg.Follower {
		if err := d.startFollower(ctx); err != nil {
			return err
		}
	}
	if !d.cfg.Batcher {
		return nil
	}
	d.cfg.step("starting op-batcher")
	d.batcher = d.batcherProcess()
	return d.supervise(ctx, d.batcher)
}

// startNodes boots what op-node drives: flashgeth, or flashboost with two execution layers behind it.
func (d *Devnet) startNodes(ctx context.Context) (err error) {
	if d.cfg.Boost {
		d.linkUp()
		if err := d.startLocal(ctx); err != nil {
			return err
		}
	}
	d.cfg.step("starting %s", filepath.Base(d.cfg.NodeBinary))
	if d.node, err = d.nodeProcess(ctx); err != nil {
		return err
	}
	if err := d.supervise(ctx, d.node); err != nil {
		return err
	}
	if d.cfg.Boost {
		return d.startBoost(ctx)
	}
	return nil
}

// writeSpec derives the chains and writes their files. By default the L2's genesis lies a little ahead, so that
// op-node does not begin by catching up with slots that passed during the start.
func (d *Devnet) writeSpec() error {
	var (
		now    = time.Now()
		l2Time = uint64(now.Add(d.cfg.GenesisOffset).Unix())
		l1Time = min(uint64(now.Unix()), l2Time) // no L1 block an L2 block refers to may be younger
		err    error
	)
	if d.spec, err = newChainSpec(d.keys, l1Time, l2Time, uint64(d.cfg.BlockTime/time.Second), d.cfg.GasLimit); err != nil {
		return err
	}
	return d.layout.writeChain(d.spec, d.keys)
}

// supervise starts p and reports its end on Failed, or to BuilderEnded, unless it was asked for.
func (d *Devnet) supervise(ctx context.Context, p *Process) error {
	if err := p.Start(ctx); err != nil {
		return err
	}
	done := p.Done()
	d.watchers.Go(func() {
		select {
		case <-d.quit:
		case <-done:
			if d.isExpected(done) {
				return
			}
			d.KeepData()
			if tell := d.cfg.BuilderEnded; tell != nil && d.cfg.Boost && p == d.node {
				tell(p.exitText(), p.Log)
				return
			}
			select {
			case d.failed <- p.failure():
			default: // one failure is enough
			}
		}
	})
	return nil
}

// expectEnd notes that the present run of p ends on purpose.
func (d *Devnet) expectEnd(p *Process) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expected[p.Done()] = true
}

// isExpected tells whether the run that done belongs to has ended on purpose.
func (d *Devnet) isExpected(done <-chan struct{}) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.expected[done]
}

// Failed delivers an error when a part of the devnet ends that nobody stopped.
func (d *Devnet) Failed() <-chan error {
	return d.failed
}

// KeepData makes Stop leave a temporary data directory, for a look at the logs.
func (d *Devnet) KeepData() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keep = true
}

// Stop ends every part in reverse order, waits for them, and removes a temporary directory. A second
// call does nothing.
func (d *Devnet) Stop() error {
	var err error
	d.stopOnce.Do(func() { err = d.halt() })
	return err
}

// halt ends every part that was started.
func (d *Devnet) halt() error {
	close(d.quit)
	var errs []error
	for _, p := range []*Process{d.batcher, d.followerOpNode, d.follower, d.proxy, d.opNode, d.boost, d.node, d.local} {
		if p != nil {
			errs = append(errs, p.Stop())
		}
	}
	d.watchers.Wait()
	if d.rollup != nil {
		d.rollup.Close()
	}
	if d.l1 != nil {
		errs = append(errs, d.l1.stop())
	}
	if d.ports != nil {
		errs = append(errs, d.ports.release())
	}
	if d.logs != nil {
		errs = append(errs, d.logs.close())
	}
	if d.layout != nil && !d.keep {
		errs = append(errs, d.layout.remove())
	}
	return errors.Join(errs...)
}

// Endpoints tells where the devnet can be reached.
func (d *Devnet) Endpoints() Endpoints {
	e := Endpoints{
		L1RPC:        httpURL(d.ports.l1),
		SequencerRPC: httpURL(d.sequencer().http),
		SequencerWS:  wsURL(d.sequencer().ws),
		Engine:       httpURL(d.sequencer().engine),
		OpNodeRPC:    httpURL(d.ports.opNodeRPC),
		SequencerP2P: d.enode(),
		OpNodeP2P:    fmt.Sprintf("/ip4/%s/tcp/%d", loopback, d.ports.opNodeP2P),
		ChainID:      L2ChainID,
		JWT:          d.layout.path("jwt.hex"),
		DataDir:      d.layout.root,
	}
	if !d.cfg.Plain {
		e.FlashblocksWS = wsURL(d.ports.stream)
		e.Metrics = httpURL(d.ports.metrics) + "/metrics"
	}
	if d.cfg.Batcher {
		e.BatcherRPC = httpURL(d.ports.batcherRPC)
	}
	if d.cfg.Proxy {
		e.ProxyWS, e.ProxyMetrics = wsURL(d.ports.proxy)+"/ws", httpURL(d.ports.proxyMetrics)+"/metrics"
	}
	if d.cfg.Boost {
		e.BoostRPC, e.BoostFlashblocksWS = httpURL(d.ports.boost), wsURL(d.ports.boostStream)
		e.BoostDebug, e.BoostMetrics = httpURL(d.ports.boostDebug), httpURL(d.ports.boostMetrics)+"/metrics"
		e.BuilderRPC = httpURL(d.ports.http)
	}
	if d.cfg.Follower {
		e.FollowerRPC, e.FollowerWS = httpURL(d.ports.follower.http), wsURL(d.ports.follower.ws)
		e.FollowerMetrics = httpURL(d.ports.follower.metrics) + "/metrics"
	}
	for _, user := range d.keys.users {
		e.Keys = append(e.Keys, user.hexKey())
	}
	return e
}

// Genesis returns the L2's genesis, from which a test can run a second node.
func (d *Devnet) Genesis() *core.Genesis { return d.spec.l2 }

// RollupConfig returns op-node's view of the L2.
func (d *Devnet) RollupConfig() *rollup.Config { return d.spec.rollup }

// Config returns the configuration the devnet runs with.
func (d *Devnet) Config() Config { return d.cfg }

// LogPath returns the log of "node", "op-node", "op-batcher", "flashproxy", "follower",
// "follower-op-node", "flashboost" or "geth".
func (d *Devnet) LogPath(process string) string { return d.layout.logPath(process) }

// KillNode ends flashgeth without grace (SIGKILL), as a crash does.
func (d *Devnet) KillNode() {
	d.expectEnd(d.node)
	d.node.Kill()
}

// StopNode ends flashgeth as an operator does (SIGINT).
func (d *Devnet) StopNode() error {
	d.expectEnd(d.node)
	return d.node.Stop()
}

// StartNode runs flashgeth again after KillNode or StopNode, on the same data and ports.
func (d *Devnet) StartNode(ctx context.Context) error {
	return d.supervise(ctx, d.node)
}

// KillOpNode ends the sequencer's op-node (SIGKILL), as a crash does.
func (d *Devnet) KillOpNode() {
	d.expectEnd(d.opNode)
	d.opNode.Kill()
}

// StartOpNode runs the sequencer's op-node again after KillOpNode. It begins at the execution layer's head.
func (d *Devnet) StartOpNode(ctx context.Context) error {
	return d.supervise(ctx, d.opNode)
}

// StopSequencer makes op-node stop building blocks (admin_stopSequencer) and returns the unsafe head.
func (d *Devnet) StopSequencer(ctx context.Context) (common.Hash, error) {
	var head common.Hash
	err := d.rollup.CallContext(ctx, &head, "admin_stopSequencer")
	return head, err
}

// StartSequencer makes op-node build on head (admin_startSequencer), which must be its unsafe head.
func (d *Devnet) StartSequencer(ctx context.Context, head common.Hash) error {
	return d.rollup.CallContext(ctx, nil, "admin_startSequencer", head)
}

// SyncStatus returns op-node's heads: unsafe, safe, finalized, and the L1's.
func (d *Devnet) SyncStatus(ctx context.Context) (*eth.SyncStatus, error) {
	status := new(eth.SyncStatus)
	if err := d.rollup.CallContext(ctx, status, "optimism_syncStatus"); err != nil {
		return nil, err
	}
	return status, nil
}

// SetHead rewinds the sequencer's execution layer to a block (debug_setHead).
func (d *Devnet) SetHead(ctx context.Context, number uint64) error {
	client, err := rpc.DialContext(ctx, httpURL(d.sequencer().http))
	if err != nil {
		return err
	}
	defer client.Close()
	return client.CallContext(ctx, nil, "debug_setHead", hexutil.Uint64(number))
}
