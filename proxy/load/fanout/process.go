// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package fanout

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"github.com/ethereum/go-ethereum/flashgeth/proxy/load"
)

// The roles that a process started by Measure plays.
const (
	envServer = "FANOUT_SERVER" // a Job in JSON
	envClient = "FANOUT_CLIENT" // number of clients and address
)

// clientDialers bounds the handshakes in progress.
const clientDialers = 64

// Role plays the role of this process if Measure has started it, and then does not return. Call it
// first in main or TestMain.
func Role(shapes map[string]func() (Shape, error)) {
	var err error
	switch {
	case os.Getenv(envServer) != "":
		err = serverRole(os.Getenv(envServer), shapes)
	case os.Getenv(envClient) != "":
		err = clientRole(os.Getenv(envClient))
	default:
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fanout:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serverRole prints the address as one line and the result as another.
func serverRole(text string, shapes map[string]func() (Shape, error)) error {
	var job Job
	if err := json.Unmarshal([]byte(text), &job); err != nil {
		return err
	}
	build, ok := shapes[job.Shape]
	if !ok {
		return fmt.Errorf("unknown shape %q", job.Shape)
	}
	shape, err := build()
	if err != nil {
		return err
	}
	result, err := serve(job, shape, func(addr string) error {
		_, err := fmt.Println(addr)
		return err
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// clientRole connects, and reads without looking until the server is gone.
func clientRole(text string) error {
	number, addr, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	if err := load.RaiseFileLimit(n); err != nil {
		return err
	}
	slots := make(chan struct{}, clientDialers)
	var wg sync.WaitGroup
	failed := make(chan error, n)
	for range n {
		slots <- struct{}{}
		wg.Go(func() {
			conn, err := upgrade(addr)
			<-slots
			if err != nil {
				failed <- err
				return
			}
			defer func() { _ = conn.Close() }()
			_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{conn}, make([]byte, 2048))
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

// upgrade opens one connection with a request written by hand: the client should cost little.
func upgrade(addr string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(context.Background(), "tcp", addr)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", addr)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// Measure runs one job: a server process, and a client process beside it. Both are this program,
// whose main or TestMain calls Role.
func Measure(ctx context.Context, job Job) (result *Result, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	text, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	server := exec.CommandContext(ctx, self) //nolint:gosec // this program itself
	server.Env = append(os.Environ(), envServer+"="+string(text))
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := server.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		return nil, errors.Join(errors.New("the server process did not start"), server.Wait())
	}
	client := exec.CommandContext(ctx, self) //nolint:gosec // this program itself
	client.Env = append(os.Environ(), envClient+"="+strconv.Itoa(job.Clients)+" "+lines.Text())
	client.Stderr = os.Stderr
	if err := client.Start(); err != nil {
		cancel()
		return nil, errors.Join(err, server.Wait())
	}
	defer func() {
		cancel()
		_ = client.Wait() // it ends with the server, or is killed
	}()
	for lines.Scan() {
		result = new(Result)
		if err := json.Unmarshal(lines.Bytes(), result); err != nil {
			return nil, errors.Join(err, server.Wait())
		}
	}
	if err := server.Wait(); err != nil {
		return nil, err
	}
	if result == nil {
		return nil, errors.New("the server process gave no result")
	}
	return result, nil
}
