// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// statusInterval is how often op-node is asked for its heads.
const statusInterval = time.Second

// ErrDiffers is returned by Run when a sealed block was not what had been published.
var ErrDiffers = errors.New("sealed blocks differ from what was published")

// RunConfig says how to run a devnet in the foreground.
type RunConfig struct {
	Config

	Load     int           // transactions per second of the generator
	Duration time.Duration // from the L2's genesis on, 0 until the context ends
	JSON     bool          // print endpoints and flashblocks as JSON lines
	Out      io.Writer     // view, endpoints and summary
	Err      io.Writer     // progress and, with JSON, the summary

	// TerminalSize returns the size of the terminal behind Out; nil if there is none.
	TerminalSize func() (width, height int)
}

// Check reports the first value that Run could not work with, as one sentence.
func (c *RunConfig) Check() error {
	if c.Duration < 0 {
		return fmt.Errorf("duration %v must not be negative; 0 runs until Ctrl-C", c.Duration)
	}
	if c.Plain {
		return errors.New("a devnet without flashblocks has nothing to show")
	}
	return c.Config.Check()
}

// Run boots a devnet, sends load and shows the flashblocks until ctx ends or the duration is over. It
// returns ErrDiffers, or why a part failed; the end of ctx is no error.
func Run(ctx context.Context, cfg RunConfig) error {
	if err := cfg.Check(); err != nil {
		return err
	}
	probe, loadConfig := NewProbe(""), LoadConfig{Rate: cfg.Load, Seed: uint64(time.Now().UnixNano())}
	if cfg.Follower {
		loadConfig.Sent = probe.Sent
	}
	load, err := NewLoad(loadConfig)
	if err != nil {
		return err
	}
	cfg.CaptureLogs = true
	cfg.Progress = func(step string) { fmt.Fprintf(cfg.Err, "devnet: %s\n", step) }
	ended := make(chan string, 1) // one note is enough
	cfg.BuilderEnded = func(how, log string) {
		select {
		case ended <- fmt.Sprintf("flashgeth ended (%s); flashboost goes on with geth's blocks. Its log is kept: %s", how, log):
		default:
		}
	}
	net, err := Start(ctx, cfg.Config)
	if err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // interrupted before it was ready: not a failure
		}
		return err
	}
	load.cfg.RPC = net.submitURL()
	probe.ws = net.Endpoints().FollowerWS
	s := &session{cfg: cfg, net: net, load: load, probe: probe, ended: ended}
	err = s.run(ctx)
	if err != nil {
		net.KeepData()
		err = fmt.Errorf("%w\nthe logs are kept in %s", err, net.Endpoints().DataDir)
	}
	return errors.Join(err, net.Stop())
}

// session is one foreground run of a booted devnet.
type session struct {
	cfg  RunConfig
	net  *Devnet
	load *Load
	view View

	probe     *Probe // idle without a follower
	observer  *Observer
	begin     time.Time // the L2's genesis, or later if the start took longer
	unwritten chan error
	ended     <-chan string // a note when the builder behind boost has ended
	status    Status
}

// run shows the devnet until the end of ctx, of the duration, or of a part.
func (s *session) run(ctx context.Context) error {
	ends := s.net.Endpoints()
	s.unwritten = make(chan error, 1)
	if err := s.announce(ends); err != nil {
		return err
	}
	s.view = s.newView()
	defer s.view.Close()

	s.observer = NewObserver(ObserverConfig{
		Stream: s.net.publishedURL(), RPC: ends.SequencerRPC,
		BlockTime: s.cfg.BlockTime, Interval: s.cfg.Interval, Boost: s.cfg.Boost, Sink: s.view,
	})
	if err := s.observer.Start(ctx); err != nil {
		return err
	}
	s.begin = time.Now()
	if genesis := time.Unix(int64(s.net.Genesis().Timestamp), 0); genesis.After(s.begin) {
		s.begin = genesis
	}
	if ends.FollowerWS != "" {
		s.probe.Start(ctx, s.begin.Add(s.cfg.BlockTime))
		defer s.probe.Stop()
	}
	if err := s.load.Start(ctx); err != nil {
		_, stopErr := s.observer.Stop()
		return errors.Join(err, stopErr)
	}
	failure := s.watch(ctx)
	s.load.Stop()
	if failure == nil {
		s.observer.Finish(context.WithoutCancel(ctx))
	}
	summary, err := s.observer.Stop()
	s.view.Close()
	return errors.Join(failure, err, s.conclude(summary))
}

// announce prints where the devnet can be reached.
func (s *session) announce(ends Endpoints) error {
	if s.cfg.JSON {
		return json.NewEncoder(s.cfg.Out).Encode(ends) //nolint:gosec // the field named jwt is the path of a throw-away secret
	}
	var text strings.Builder
	row := func(name string, values ...string) {
		fmt.Fprintf(&text, "  %-11s %s\n", name, strings.TrimSpace(strings.Join(values, "  ")))
	}
	fmt.Fprintf(&text, "devnet: ready, chain id %d\n", ends.ChainID)
	row("sequencer", ends.SequencerRPC, ends.SequencerWS)
	if s.cfg.Boost {
		row("boost", ends.BoostRPC, ends.BoostFlashblocksWS)
		row("  debug", ends.BoostDebug)
		row("  metrics", ends.BoostMetrics)
		row("builder", ends.BuilderRPC)
	}
	row("flashblocks", ends.FlashblocksWS)
	row("  metrics", ends.Metrics)
	row("proxy", cmp.Or(ends.ProxyWS, "none"))
	if s.cfg.Proxy {
		row("  metrics", ends.ProxyMetrics)
	}
	row("engine", ends.Engine)
	row("op-node", ends.OpNodeRPC)
	row("op-batcher", cmp.Or(ends.BatcherRPC, "none"))
	row("follower", cmp.Or(ends.FollowerRPC, "none"), ends.FollowerWS)
	if s.cfg.Follower {
		row("  metrics", ends.FollowerMetrics)
	}
	row("peers", ends.SequencerP2P)
	row("", ends.OpNodeP2P)
	row("L1", ends.L1RPC)
	row("files, logs", ends.DataDir)
	row("funded key", ends.Keys[0])
	text.WriteByte('\n')
	_, err := fmt.Fprint(s.cfg.Out, text.String())
	return err
}

// newView picks the view by what reads it.
func (s *session) newView() View {
	switch {
	case s.cfg.JSON:
		return NewJSONView(s.cfg.Out, func(err error) {
			select {
			case s.unwritten <- fmt.Errorf("write a flashblock: %w", err):
			default: // the first one ends the run
			}
		})
	case s.cfg.TerminalSize != nil:
		title := fmt.Sprintf("flashgeth devnet  %v blocks  %v flashblocks  %d tx/s  Ctrl-C stops", s.cfg.BlockTime, s.cfg.Interval, s.cfg.Load)
		return NewLiveView(s.cfg.Out, title, s.cfg.TerminalSize)
	default:
		return NewLineView(s.cfg.Out)
	}
}

// watch waits for the end and keeps the status fresh. It returns why a part failed.
func (s *session) watch(ctx context.Context) error {
	var over <-chan time.Time
	if s.cfg.Duration > 0 {
		timer := time.NewTimer(time.Until(s.begin.Add(s.cfg.Duration)))
		defer timer.Stop()
		over = timer.C
	}
	ticker := time.NewTicker(statusInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			s.note("stopping")
			return nil
		case text := <-s.ended:
			s.note(text)
		case <-over:
			return nil
		case err := <-s.net.Failed():
			return err
		case err := <-s.unwritten:
			return err
		case <-ticker.C:
			s.refresh(ctx)
			s.view.Status(s.status)
		}
	}
}

// note tells something beside the view.
func (s *session) note(text string) {
	if live, ok := s.view.(*liveView); ok {
		live.Note("devnet: " + text)
		return
	}
	s.cfg.Progress(text)
}

// refresh updates the status. op-node may be too busy to answer: the heads shown are then old.
func (s *session) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, statusInterval)
	defer cancel()

	if heads, err := s.net.SyncStatus(ctx); err == nil {
		s.status.Unsafe, s.status.Safe = heads.UnsafeL2.Number, heads.SafeL2.Number
	}
	s.status.Elapsed = max(time.Since(s.begin), 0)
	s.status.Accepted, s.status.Rejected = s.load.Counts()
	s.status.Summary = s.observer.Summary()
	s.status.Follower = s.probe.Summary()
}

// conclude prints the summary and tells whether the promise of the stream was kept.
func (s *session) conclude(summary Summary) error {
	s.status.Summary = summary
	s.status.Follower = s.probe.Summary()
	s.status.Elapsed = max(time.Since(s.begin), 0)
	s.status.Accepted, s.status.Rejected = s.load.Counts()
	out := s.cfg.Out
	if s.cfg.JSON {
		out = s.cfg.Err
	}
	fmt.Fprint(out, "\n", SummaryText(s.status))
	if summary.Differing > 0 {
		return fmt.Errorf("%w: %d of %d blocks", ErrDiffers, summary.Differing, summary.Blocks)
	}
	return nil
}
