// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
)

// bodies is an execution layer behind HTTP that keeps what it was sent.
type bodies struct {
	early bool // answers before it has read a body

	mu   sync.Mutex
	got  [][]byte
	fail int // bodies that were cut off
}

func (e *bodies) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func() {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":7,"result":{"payloadStatus":{"status":"VALID"},"status":"VALID"}}`)
	}
	if e.early {
		answer()
		return
	}
	body, err := io.ReadAll(r.Body)
	e.mu.Lock()
	if err == nil {
		e.got = append(e.got, body)
	} else {
		e.fail++
	}
	e.mu.Unlock()
	answer()
}

// has reports whether a body came.
func (e *bodies) has(body []byte) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, got := range e.got {
		if bytes.Equal(got, body) {
			return true
		}
	}
	return false
}

func (e *bodies) count() (whole, cut int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.got), e.fail
}

// newWire is a sidecar between two execution layers that are reached over HTTP.
func newWire(t *testing.T, l2, builder *bodies) *rig {
	t.Helper()
	client := func(name string, el *bodies) *backend.Client {
		server := httptest.NewServer(el)
		t.Cleanup(server.Close)
		c, err := backend.New(backend.Config{Name: name, URL: server.URL, Secret: bytes.Repeat([]byte{1}, 32), Timeout: eltest.Patience})
		require.NoError(t, err)
		t.Cleanup(c.Close)
		return c
	}
	return newRig(t, func(c *Config) { c.L2, c.Builder = client("l2", l2), client("builder", builder) })
}

// start opens a connection and sends the header of a request and a part of its body.
func (r *rig) start(body []byte, part int) net.Conn {
	r.t.Helper()
	conn, err := new(net.Dialer).DialContext(r.t.Context(), "tcp", r.sidecar.Addr().String())
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: sidecar\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
	require.NoError(r.t, err)
	_, err = conn.Write(body[:part])
	require.NoError(r.t, err)
	return conn
}

// finish reads the answer on a connection.
func (r *rig) finish(conn net.Conn) (status int, body []byte) {
	r.t.Helper()
	require.NoError(r.t, conn.SetReadDeadline(time.Now().Add(eltest.Patience)))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return resp.StatusCode, body
}

// Blocks of all sizes reach both sides as they were sent, many at a time, however their memory is shared.
func TestBlocksArePassedOn(t *testing.T) {
	t.Parallel()
	l2, builder := new(bodies), new(bodies)
	r := newWire(t, l2, builder)
	const workers, rounds = 4, 12
	var (
		wg   sync.WaitGroup
		sent [workers][rounds][]byte
	)
	for worker := range workers {
		wg.Go(func() {
			for round := range rounds {
				body := eltest.Encode("engine_newPayloadV4", string(bytes.Repeat([]byte{byte('a' + worker), byte('a' + round)}, 1<<(7+round))))
				answer, err := r.send(t.Context(), body)
				if err != nil || !bytes.Contains(answer, []byte(engine.VALID)) {
					t.Errorf("worker %d round %d: %s, %v", worker, round, answer, err)
				}
				sent[worker][round] = body
			}
		})
	}
	wg.Wait()
	r.eventually("the builder has as many", func() bool { whole, _ := builder.count(); return whole == workers*rounds })
	for worker := range workers {
		for round, body := range sent[worker] {
			require.True(t, l2.has(body), "worker %d round %d", worker, round)
			require.True(t, builder.has(body), "worker %d round %d", worker, round)
		}
	}
}

// A block that stops coming holds up nobody else, and is passed on all the same when the rest comes.
func TestBlockThatComesSlowly(t *testing.T) {
	t.Parallel()
	l2, builder := new(bodies), new(bodies)
	r := newWire(t, l2, builder)
	slow := newBlock(meanBytes)
	conn := r.start(slow, len(slow)/2)
	other := eltest.Encode("engine_forkchoiceUpdatedV3", eltest.State(eltest.Parent), nil)
	answer, err := r.send(t.Context(), other)
	require.NoError(t, err)
	require.Contains(t, string(answer), engine.VALID)
	require.True(t, l2.has(other))
	whole, cut := l2.count()
	require.Equal(t, 1, whole, "nothing of a block is passed on before it is whole")
	require.Zero(t, cut)

	_, err = conn.Write(slow[len(slow)/2:])
	require.NoError(t, err)
	status, body := r.finish(conn)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, string(body), engine.VALID)
	require.True(t, l2.has(slow))
	r.eventually("the builder has it as well", func() bool { return builder.has(slow) })
	require.Empty(t, r.watch.Failures(), "neither backend is to blame")
}

// A block that is cut off is nobody's.
func TestBlockThatIsCutOff(t *testing.T) {
	t.Parallel()
	l2, builder := new(bodies), new(bodies)
	r := newWire(t, l2, builder)
	block := newBlock(meanBytes)
	require.NoError(t, r.start(block, len(block)/2).Close())
	answer, err := r.send(t.Context(), block)
	require.NoError(t, err)
	require.Contains(t, string(answer), engine.VALID)
	require.True(t, l2.has(block))
	r.eventually("the builder has it as well", func() bool { return builder.has(block) })
	for name, el := range map[string]*bodies{"l2": l2, "builder": builder} {
		whole, cut := el.count()
		require.Equal(t, 1, whole, name)
		require.Zero(t, cut, name)
	}
	require.Empty(t, r.watch.Failures(), "neither backend is to blame")
}

// An execution layer that answers before it has read a block has answered it, and the builder gets it whole.
func TestBlockThatIsAnsweredEarly(t *testing.T) {
	t.Parallel()
	l2, builder := &bodies{early: true}, new(bodies)
	r := newWire(t, l2, builder)
	block := newBlock(blockBytes)
	conn := r.start(block, len(block)/2)
	_, err := conn.Write(block[len(block)/2:])
	require.NoError(t, err)
	status, _ := r.finish(conn)
	require.Equal(t, http.StatusOK, status)
	r.eventually("the builder has it", func() bool { return builder.has(block) })
}
