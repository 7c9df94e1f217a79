// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package upstream

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/eth/gasprice"
	"github.com/ethereum/go-ethereum/eth/tracers"
	"github.com/ethereum/go-ethereum/internal/ethapi"
	"github.com/ethereum/go-ethereum/miner"
)

// backend and engineAPI are the two embeddings flashgeth attaches by, without overrides.
type (
	backend   struct{ *eth.EthAPIBackend }
	engineAPI struct{ *catalyst.ConsensusAPI }
)

// What op-geth's services ask of a backend. If one of these no longer compiles, a bump gave an
// interface a method that EthAPIBackend's embedding does not carry.
var (
	_ ethapi.Backend           = backend{}
	_ filters.Backend          = backend{}
	_ tracers.Backend          = backend{}
	_ gasprice.OracleBackend   = backend{}
	_ miner.Backend            = (*eth.Ethereum)(nil)
	_ miner.BackendWithInterop = (*eth.Ethereum)(nil)
)

// TestEmbeddingPromotes checks that an embedding carries every method of what it embeds: a second
// embedded type of the same depth, or a field of the same name, would hide a method silently.
func TestEmbeddingPromotes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name             string
		inner, embedding reflect.Type
	}{
		{"EthAPIBackend", reflect.TypeFor[*eth.EthAPIBackend](), reflect.TypeFor[backend]()},
		{"ConsensusAPI", reflect.TypeFor[*catalyst.ConsensusAPI](), reflect.TypeFor[engineAPI]()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, signatures(tc.inner), signatures(tc.embedding))
		})
	}
}
