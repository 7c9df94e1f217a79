// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// clientVariable makes the test binary a client of the stream at a URL instead of running tests.
const clientVariable = "FLASHGETH_BENCH_CLIENT"

func TestMain(m *testing.M) {
	if url := os.Getenv(clientVariable); url != "" {
		if err := serveClient(url); err != nil {
			fmt.Fprintln(os.Stderr, "client of the stream:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveClient reads the stream. For every number n on standard input it answers with a line once it has
// read n messages in all.
func serveClient(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, resp, err := websocket.DefaultDialer.DialContext(ctx, url, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := resp.Body.Close(); err != nil {
		return err
	}
	messages := make(chan error, 4096) // far more than one slot has
	go readAll(conn, messages)
	in := bufio.NewReader(os.Stdin)
	for read := 0; ; {
		var n int
		if _, err := fmt.Fscanln(in, &n); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		for ; read < n; read++ {
			if err := <-messages; err != nil {
				return err
			}
		}
		if _, err := fmt.Println(read); err != nil {
			return err
		}
	}
}

// readAll tells of every message that was read, and of the error at the end.
func readAll(conn *websocket.Conn, messages chan<- error) {
	for {
		_, message, err := conn.NextReader()
		if err == nil {
			_, err = io.Copy(io.Discard, message)
		}
		messages <- err
		if err != nil {
			return
		}
	}
}

// streamClient is a client of the stream in a process of its own, so that what it uses of the processors is
// not taken for the builder's.
type streamClient struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startClient(t testing.TB, url string) *streamClient {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(context.Background(), self)
	cmd.Env = append(os.Environ(), clientVariable+"="+url)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &streamClient{cmd: cmd, in: in, out: bufio.NewReader(out)}
	c.await(t, 0) // it is connected
	return c
}

// await waits until the client has read so many messages in all.
func (c *streamClient) await(t testing.TB, messages int) {
	t.Helper()
	_, err := fmt.Fprintln(c.in, messages)
	require.NoError(t, err)
	var read int
	_, err = fmt.Fscanln(c.out, &read)
	require.NoError(t, err)
	require.Equal(t, messages, read)
}

// stop ends the process.
func (c *streamClient) stop(t testing.TB) {
	t.Helper()
	require.NoError(t, c.in.Close())
	require.NoError(t, c.cmd.Wait())
}
