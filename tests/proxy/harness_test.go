// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testhub"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

const patience = teststream.Patience

// perBlock is how many flashblocks a block of the test stream has.
const perBlock = 11

// marked is an account that every third flashblock touches.
var marked = common.HexToAddress("0x00000000000000000000000000000000000000ee")

// binaryPath is where TestMain has built flashproxy.
var binaryPath string

func TestMain(m *testing.M) {
	log.SetDefault(log.NewLogger(log.DiscardHandler()))
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "flashproxy")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binaryPath = filepath.Join(dir, "flashproxy")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", binaryPath, "github.com/ethereum/go-ethereum/flashgeth/cmd/flashproxy")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "flashproxy does not build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// numbered is message n of the test stream: every block has perBlock flashblocks.
func numbered(n uint64) *flashblocks.Flashblock {
	fb := teststream.Flashblock(1+n/perBlock, n%perBlock)
	fb.Metadata.Dialect = flashblocks.DialectFull
	if n%3 == 0 {
		fb.Metadata.NewAccountBalances = []flashblocks.AccountBalance{{Address: marked, Balance: uint256.NewInt(1)}}
	}
	return fb
}

// numberOf is the inverse of numbered.
func numberOf(h flashblocks.Header) uint64 { return (h.BlockNumber-1)*perBlock + h.Index }

// builder is a stream that can be killed and comes back on the same port with its last messages. It may be killed
// while it publishes.
type builder struct {
	*testhub.Builder

	mu   sync.Mutex
	next uint64
	down bool
}

// keep is how many messages a restarted builder still has.
const keep = 512

func newBuilder(t testing.TB) *builder {
	t.Helper()
	return &builder{Builder: testhub.New(t, stream.HubConfig{CloseGrace: 50 * time.Millisecond})}
}

func (b *builder) url() string { return b.URL("") }

// publish publishes the next message, to whoever is there.
func (b *builder) publish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.down {
		b.Publish(numbered(b.next))
	}
	b.next++
}

func (b *builder) start() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.down {
		return
	}
	var kept []stream.Message
	for n := b.next - min(b.next, keep); n < b.next; n++ {
		kept = append(kept, testhub.Message(numbered(n)))
	}
	b.Start(kept...)
	b.down = false
}

func (b *builder) stop() {
	b.mu.Lock()
	down := b.down
	b.down = true
	b.mu.Unlock()
	if !down {
		_ = b.Stop() // not every client takes its leave in time
	}
}

// freeAddr is an address that was free a moment ago.
func freeAddr(t testing.TB) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// program is a running flashproxy.
type program struct {
	t       testing.TB
	addr    string
	metrics string
	cmd     *exec.Cmd
	output  strings.Builder
	done    chan struct{}
	err     error
}

// newProgram starts flashproxy with settings from the environment and the command line, and waits until
// it serves.
func newProgram(t testing.TB, env []string, args ...string) *program {
	t.Helper()
	p := &program{t: t, addr: freeAddr(t), metrics: freeAddr(t), done: make(chan struct{})}
	p.start(env, args...)
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	return p
}

func (p *program) start(env []string, args ...string) {
	p.t.Helper()
	p.cmd = exec.Command(binaryPath, args...)
	p.cmd.Env = append(append(os.Environ(), "LISTEN_ADDR="+p.addr, "METRICS_ADDR="+p.metrics), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	require.NoError(p.t, p.cmd.Start())
	p.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		defer close(done)
		p.err = cmd.Wait()
	}(p.cmd, p.done)
	require.Eventually(p.t, func() bool {
		status, _, err := get(p.addr, "/healthz")
		return err == nil && status == http.StatusOK
	}, patience, 10*time.Millisecond, "flashproxy serves")
}

// terminate asks flashproxy to stop and waits until it has, without an error.
func (p *program) terminate() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.done:
		require.NoError(p.t, p.err, p.output.String())
	case <-time.After(patience):
		p.t.Fatal("flashproxy does not stop")
	}
}

func (p *program) url(path string) string { return "ws://" + p.addr + path }

func get(addr, path string) (int, string, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return 0, "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}
