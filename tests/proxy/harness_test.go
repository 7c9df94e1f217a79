// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"context"
	"encoding/binary"
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

	"github.com/gorilla/websocket"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// patience is how long a test waits for something that must happen. It decides nothing else.
const patience = 60 * time.Second

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
	block, index := 1+n/perBlock, n%perBlock
	fb := &flashblocks.Flashblock{Index: index}
	fb.PayloadID = payloadOf(block)
	fb.Metadata.BlockNumber = block
	fb.Diff.GasUsed = 21000 * index
	if n%3 == 0 {
		fb.Metadata.NewAccountBalances = []flashblocks.AccountBalance{{Address: marked, Balance: uint256.NewInt(1)}}
	}
	if index == 0 {
		fb.Base = &flashblocks.Base{BlockNumber: block, Timestamp: 2 * block, GasLimit: 30e6, BaseFeePerGas: uint256.NewInt(1)}
	}
	return fb
}

func payloadOf(block uint64) (id engine.PayloadID) {
	id[0] = 3
	binary.BigEndian.PutUint32(id[4:], uint32(block))
	return id
}

// numberOf is the inverse of numbered.
func numberOf(h flashblocks.Header) uint64 { return (h.BlockNumber-1)*perBlock + h.Index }

func message(n uint64) stream.Message {
	fb := numbered(n)
	return stream.Message{PayloadID: fb.PayloadID, BlockNumber: fb.Metadata.BlockNumber, Index: fb.Index, V1: fb.AppendJSON(nil)}
}

// builder is a stream that can be killed and comes back on the same port with its last messages.
type builder struct {
	t    testing.TB
	addr string

	mu     sync.Mutex
	next   uint64
	hub    *stream.Hub
	server *stream.Server
}

// keep is how many messages a restarted builder still has.
const keep = 512

func newBuilder(t testing.TB) *builder {
	t.Helper()
	b := &builder{t: t, addr: "127.0.0.1:0"}
	b.start()
	t.Cleanup(b.stop)
	return b
}

func (b *builder) url() string { return "ws://" + b.addr }

// publish publishes the next message, to whoever is there.
func (b *builder) publish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hub != nil {
		b.hub.Publish(message(b.next))
	}
	b.next++
}

func (b *builder) start() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hub != nil {
		return
	}
	hub := stream.NewHub(stream.HubConfig{CloseGrace: 50 * time.Millisecond})
	for n := b.next - min(b.next, keep); n < b.next; n++ {
		hub.Publish(message(n))
	}
	require.NoError(b.t, hub.Start(context.Background()))
	require.Eventually(b.t, func() bool {
		b.server = stream.NewServer(stream.ServerConfig{Addr: b.addr, Handler: hub.Handler()})
		return b.server.Start(context.Background()) == nil
	}, patience, 10*time.Millisecond, "the port is free again")
	b.addr, b.hub = b.server.Addr().String(), hub
}

func (b *builder) stop() {
	b.mu.Lock()
	hub, server := b.hub, b.server
	b.hub = nil
	b.mu.Unlock()
	if hub == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = server.Stop(ctx)
	_ = hub.Stop(ctx)
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

// connect opens a websocket and returns the status if it is refused.
func connect(url string, header http.Header) (*websocket.Conn, int, error) {
	dialer := websocket.Dialer{HandshakeTimeout: patience, ReadBufferSize: 1024, WriteBufferSize: 128}
	ws, resp, err := dialer.Dial(url, header)
	status := 0
	if resp != nil {
		status = resp.StatusCode
		_ = resp.Body.Close()
	}
	return ws, status, err
}

// read reads one flashblock.
func read(ws *websocket.Conn) (flashblocks.Header, error) {
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	_, frame, err := ws.ReadMessage()
	if err != nil {
		return flashblocks.Header{}, err
	}
	header, _, err := flashblocks.DecodeHeader(frame, flashblocks.Limits{})
	return header, err
}
