// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package upstream

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/rpc"
)

// stock is a service as op-geth registers it; overlay is what flashgeth puts on top of it.
type (
	stock   struct{}
	overlay struct{}
)

func (stock) Shadowed() string  { return "stock" }
func (stock) Untouched() string { return "stock" }

func (overlay) Shadowed() string { return "overlay" }
func (overlay) Added() string    { return "overlay" }

// TestLaterRegistrationWins checks the rule by which flashgeth overrides single methods of a namespace:
// per method, the service registered last answers. It holds for the server and through a node.
func TestLaterRegistrationWins(t *testing.T) {
	t.Parallel()

	t.Run("server", func(t *testing.T) {
		t.Parallel()
		server := rpc.NewServer()
		t.Cleanup(server.Stop)
		require.NoError(t, server.RegisterName("canary", stock{}))
		require.NoError(t, server.RegisterName("canary", overlay{}))
		client := rpc.DialInProc(server)
		t.Cleanup(client.Close)
		requireOverlay(t, client)
	})

	t.Run("node", func(t *testing.T) {
		t.Parallel()
		stack := newNode(t)
		stack.RegisterAPIs([]rpc.API{{Namespace: "canary", Service: stock{}}})
		stack.RegisterAPIs([]rpc.API{{Namespace: "canary", Service: overlay{}}})
		require.NoError(t, stack.Start())

		attached := stack.Attach()
		t.Cleanup(attached.Close)
		requireOverlay(t, attached)

		client, err := rpc.DialContext(t.Context(), stack.HTTPEndpoint())
		require.NoError(t, err)
		t.Cleanup(client.Close)
		requireOverlay(t, client)
	})

	t.Run("the reverse order loses", func(t *testing.T) {
		t.Parallel()
		server := rpc.NewServer()
		t.Cleanup(server.Stop)
		require.NoError(t, server.RegisterName("canary", overlay{}))
		require.NoError(t, server.RegisterName("canary", stock{}))
		client := rpc.DialInProc(server)
		t.Cleanup(client.Close)
		require.Equal(t, "stock", call(t, client, "canary_shadowed"))
	})
}

// newNode returns a node in memory that serves the canary namespace over HTTP on a free port.
func newNode(t *testing.T) *node.Node {
	t.Helper()
	stack, err := node.New(&node.Config{HTTPHost: "127.0.0.1", HTTPPort: 0, HTTPModules: []string{"canary"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stack.Close()) })
	return stack
}

func requireOverlay(t *testing.T, client *rpc.Client) {
	t.Helper()
	require.Equal(t, "overlay", call(t, client, "canary_shadowed"))
	require.Equal(t, "stock", call(t, client, "canary_untouched"))
	require.Equal(t, "overlay", call(t, client, "canary_added"))
}

func call(t *testing.T, client *rpc.Client, method string) string {
	t.Helper()
	var answer string
	require.NoError(t, client.CallContext(t.Context(), &answer, method))
	return answer
}
